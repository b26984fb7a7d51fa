/**
 * A run that stopped, as a file to go on from.
 *
 *   0   8  magic "thimbrun"
 *   8   4  bytes of the facts, N
 *  12   N  facts, JSON: what the run was started with, and its `RunState`; zeros up to a multiple of 4
 *  ..      f32: the best weights, the weights, both moments
 */
import { renameSync, writeFileSync } from "node:fs";
import { FormatError } from "../../runtime/errors.ts";
import { pad } from "../../wasm/abi.ts";
import { readBytes } from "../command.ts";
import type { RunState, Saved } from "./trainer.ts";

const magic = "thimbrun";
const headBytes = 12;

/** A run is gone on with only where these are the same. */
export type Facts = Record<string, string | number>;

/** Writes a run in place of what the file held, whole or not at all. */
export function saveRun(path: string, facts: Facts, { state, best, weights }: Saved): void {
  const json = new TextEncoder().encode(JSON.stringify({ facts, state }));
  const parts = [best, weights.weights, weights.m, weights.v];
  const start = pad(headBytes + json.length, 4);
  const file = new Uint8Array(start + parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  file.set(new TextEncoder().encode(magic), 0);
  new DataView(file.buffer).setUint32(8, json.length, true);
  file.set(json, headBytes);
  let at = start;
  for (const part of parts) {
    file.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += part.byteLength;
  }
  writeFileSync(`${path}.new`, file);
  renameSync(`${path}.new`, path);
}

/** Reads a run that was started with these facts. Throws: FormatError for another file, Error for another run. */
export function readRun(path: string, facts: Facts, size: number): Saved {
  const bytes = Uint8Array.from(readBytes(path));
  if (new TextDecoder("latin1").decode(bytes.subarray(0, 8)) !== magic)
    throw new FormatError("magic", 0, `expected the run that finetune saved, got another file; start without --resume`);
  const length = new DataView(bytes.buffer).getUint32(8, true);
  const start = pad(headBytes + length, 4);
  if (bytes.length !== start + 16 * size)
    throw new FormatError(
      "run",
      start,
      `expected ${start + 16 * size} bytes, got ${bytes.length}; start without --resume`,
    );
  const text = new TextDecoder().decode(bytes.subarray(headBytes, headBytes + length));
  const saved: { facts: Facts; state: RunState } = JSON.parse(text);
  for (const [name, value] of Object.entries(facts))
    if (saved.facts[name] !== value)
      throw new Error(
        `--resume: expected a run with ${name} ${value}, got ${saved.facts[name]}; give the same, or start anew`,
      );
  const part = (i: number) => new Float32Array(bytes.buffer, start + 4 * size * i, size).slice();
  return { state: saved.state, best: part(0), weights: { weights: part(1), m: part(2), v: part(3) } };
}
