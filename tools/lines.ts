/** Standard input, line by line as it comes. */
import { utf8Text } from "./command.ts";

/** A line without its end, or why it cannot be read. */
export type Line = { text: string } | { error: Error };

/** What is longer is counted and not kept. */
const mostLineBytes = 1 << 20;

/** Lines that have more than white space in them; each is given before the next is waited for. */
export async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let [parts, held, number]: [Uint8Array[], number, number] = [[], 0, 1];
  const keep = (part: Uint8Array) => {
    held += part.length;
    if (held <= mostLineBytes) parts.push(part);
  };
  const take = (): Line[] => {
    const line = read(Buffer.concat(parts), held, `standard input, line ${number++}`);
    [parts, held] = [[], 0];
    return "error" in line || line.text.trim() ? [line] : [];
  };
  for await (const chunk of input) {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      keep(chunk.subarray(from, end));
      yield* take();
      from = end + 1;
    }
    keep(chunk.subarray(from));
  }
  if (held) yield* take();
}

function read(bytes: Uint8Array, length: number, place: string): Line {
  try {
    if (length > mostLineBytes)
      throw new Error(`${place}: expected at most ${mostLineBytes} bytes, got ${length}; shorten it`);
    return { text: utf8Text(bytes, place) };
  } catch (error) {
    return { error: error as Error };
  }
}
