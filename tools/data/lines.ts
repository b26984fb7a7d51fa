/** Data files: one example a line, plain or .gz. */
import { gunzipSync } from "node:zlib";
import { readBytes, utf8Text } from "../command.ts";
import { type Line, readLine } from "./line.ts";

export interface Fault {
  place: string;
  message: string;
}

/** Reads all lines; those that are no examples become faults. Throws: Error where the file itself cannot be read. */
export function readLines(path: string, bytes = readBytes(path)): { lines: Line[]; faults: Fault[] } {
  const lines: Line[] = [];
  const faults: Fault[] = [];
  for (const [i, text] of textOf(bytes, path).split("\n").entries()) {
    if (!text.trim()) continue;
    try {
      lines.push({ path, number: i + 1, text, ...readLine(text) });
    } catch (error) {
      faults.push({ place: `${path}:${i + 1}`, message: (error as Error).message });
    }
  }
  return { lines, faults };
}

/** A data file's text; of a path that ends in .gz what was compressed. Throws: Error for what is no UTF-8, or no whole gzip file. */
export function textOf(bytes: Uint8Array, path: string): string {
  return utf8Text(path.endsWith(".gz") ? unzipped(bytes, path) : bytes, path);
}

function unzipped(bytes: Uint8Array, path: string): Uint8Array {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new Error(`${path}: expected a gzip file, got ${(error as Error).message}; is it whole?`);
  }
}
