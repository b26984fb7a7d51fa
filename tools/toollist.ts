/** A file of tools that a command was given → a ToolSet: JSON of any form, or a packed list. */
import { keptMagic } from "../runtime/pack/pack.ts";
import { ToolSet } from "../runtime/tools/tools.ts";
import { readBytes, utf8Text } from "./command.ts";

/** Reads a file, or standard input for "-". Rejects: Error, naming it, for what cannot be read or is no list of tools. */
export async function readTools(path: string): Promise<ToolSet> {
  return toolsIn(readBytes(path), path);
}

/** Rejects: Error, naming the place, for what is no list of one tool or more. */
export async function toolsIn(bytes: Uint8Array, place: string): Promise<ToolSet> {
  if (isPacked(bytes)) {
    const { unpackTools } = await import("../runtime/wire/wireread.ts");
    return readAt(place, () => unpackTools(bytes));
  }
  if (new TextDecoder("latin1").decode(bytes.subarray(0, 8)) === keptMagic)
    throw new Error(
      `${place}: expected tools, got what a model made of them; give that to model.prepare, here the tools themselves`,
    );
  return toolsOf(utf8Text(bytes, place), place);
}

/** Throws: Error, naming the place, for what is no list of one tool or more. */
const toolsOf = (text: string, place: string): ToolSet => readAt(place, () => ToolSet.from(text));

function readAt(place: string, read: () => ToolSet): ToolSet {
  try {
    const set = read();
    if (!set.tools.length) throw new Error("expected one tool at least, got an empty list");
    return set;
  } catch (error) {
    throw new Error(`${place}: ${(error as Error).message}`, { cause: error });
  }
}

/** The text of a list that must be JSON: its places, or its very words, count. Throws: Error for a packed list. */
export function readToolsText(path: string): string {
  const bytes = readBytes(path);
  if (isPacked(bytes))
    throw new Error(`${path}: expected tools as JSON, got a packed list; give the JSON that it was packed from`);
  return utf8Text(bytes, path);
}

/** The same of a list that holds a tool at least. Throws: Error, naming the file, for another. */
export function checkedToolsText(path: string): string {
  const text = readToolsText(path);
  toolsOf(text, path);
  return text;
}

/** Msgpack's lists begin with bytes that no JSON text begins with. */
export function isPacked(bytes: Uint8Array): boolean {
  return bytes[0] >> 4 === 0x9 || bytes[0] === 0xdc || bytes[0] === 0xdd;
}
