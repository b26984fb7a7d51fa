/** What the tests share: seeded randomness, small models, kernels to run a suite over, and skipping aloud. */

import { test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { logits } from "../runtime/engine/decoder.ts";
import { logitsIn } from "../runtime/engine/embedding.ts";
import type { Host as StageHost } from "../runtime/engine/host.ts";
import { startKernels } from "../runtime/engine/kernels.ts";
import { reserve, writeWords } from "../runtime/engine/memory.ts";
import { planModel } from "../runtime/engine/modelplan.ts";
import { planSession, type SessionLimits } from "../runtime/engine/sessionplan.ts";
import { PackStream } from "../runtime/load/loader.ts";
import type { Geometry } from "../runtime/pack/pack.ts";
import type { ToolInput } from "../runtime/tools/tools.ts";
import type { Attention, Checkpoint } from "../tools/checkpoint/checkpoint.ts";
import { convert, type PackNotes } from "../tools/convert.ts";
import { readVocabulary } from "../tools/sentencepiece.ts";
import { buildNames } from "../wasm/abi.ts";
import { startReference } from "../wasm/reference.ts";

/** Files that only shared/ holds, beside the project. */
export const shared = new URL("../../shared/", import.meta.url);

/** A test that needs a file of shared/; without it, it skips and says which. */
export function testWith(
  path: string,
  name: string,
  body: (file: URL) => void | Promise<void>,
  timeoutMs?: number,
): void {
  const file = new URL(path, shared);
  if (existsSync(file)) {
    test(name, () => body(file), timeoutMs);
    return;
  }
  console.warn(`skipped: ${name}: ../shared/${path} is missing`);
  test.skip(`${name} (../shared/${path} is missing)`, () => {});
}

/**
 * Says whether a file that a Debian package installs is missing here, and then aloud what to do, for tests to skip.
 * Throws: Error in CI, where .ci/run installs it.
 */
export function missing(path: string, debianPackage: string): boolean {
  if (existsSync(path)) return false;
  if (process.env.CI) throw new Error(`${path} is missing; .ci/run installs Debian's ${debianPackage}`);
  console.warn(`skipped tests: ${path} is missing; apt-get install ${debianPackage}`);
  return true;
}

export function fixture(name: string): URL {
  return new URL(`./fixtures/${name}`, import.meta.url);
}

/** The corpus of fixtures/grammar.json, for our grammar and others'. */
export interface GrammarCase {
  about: string;
  tools: ToolInput[];
  accepted: string[];
  /** The text up to the byte that is refused, then a bar, then the rest. */
  rejected: string[];
}
export const grammarCases = (): Promise<GrammarCase[]> => Bun.file(fixture("grammar.json")).json();

/** The logits of a hidden state. */
export async function logitsOf(host: StageHost, hidden: number, mask: Uint32Array | null, vocabSize: number) {
  await logits(host, hidden, mask, vocabSize);
  return logitsIn(host, vocabSize).slice();
}

/** Uniform numbers in [0, 1) from a seed. Source: mulberry32, Tommy Ettinger. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Odd everywhere the kernels allow it: no dimension is a multiple of its tile. */
export const oddGeometry: Geometry = {
  vocabSize: 301,
  dModel: 96,
  nHeads: 4,
  nKvHeads: 2,
  nEncoderLayers: 2,
  nDecoderLayers: 2,
  ropeTheta: 10000,
  contrastiveHidden: 24,
  contrastiveDim: 18,
};

/** A checkpoint of seeded random weights. */
export function randomCheckpoint(geometry: Geometry, seed: number, size = 1): Checkpoint {
  const random = seeded(seed);
  const floats = (n: number, scale: number) =>
    Float32Array.from({ length: n }, () => (random() * 2 - 1) * scale * size);
  const matrix = (out: number, inputs: number) => ({
    out,
    in: inputs,
    data: floats(out * inputs, 2 / Math.sqrt(inputs)),
  });
  const { vocabSize, dModel, nHeads, nKvHeads, contrastiveHidden: hidden, contrastiveDim: dim } = geometry;
  const headDim = dModel / nHeads;
  const block = (): Attention => ({
    q: matrix(dModel, dModel),
    k: matrix(nKvHeads * headDim, dModel),
    v: matrix(nKvHeads * headDim, dModel),
    o: matrix(dModel, dModel),
    qNorm: floats(headDim, 0.3),
    kNorm: floats(headDim, 0.3),
    norm: floats(dModel, 0.3),
    gate: random() * 4 - 2,
  });
  return {
    config: { ...geometry },
    embedding: matrix(vocabSize, dModel),
    encoder: Array.from({ length: geometry.nEncoderLayers }, block),
    encoderNorm: floats(dModel, 0.3),
    decoder: Array.from({ length: geometry.nDecoderLayers }, () => ({ self: block(), cross: block() })),
    decoderNorm: floats(dModel, 0.3),
    ...(hidden && {
      contrastive: { hidden: matrix(hidden, dModel), bias: floats(hidden, 0.1), proj: matrix(dim, hidden) },
    }),
    metadata: {},
  };
}

/** The same with attention outputs that outweigh the embedding, or a token would be followed by itself, EOS first of all. */
export function talkative(checkpoint: Checkpoint): Checkpoint {
  for (const { self, cross } of checkpoint.decoder) {
    for (const block of [self, cross]) {
      block.gate = 4;
      block.o.data = block.o.data.map((w) => w * 16);
    }
  }
  return checkpoint;
}

/** The first pieces of our own vocabulary: specials, bytes, then the earliest merges; and the space, which stands late. */
export async function somePieces(count: number): Promise<string[]> {
  const pieces = readVocabulary(await Bun.file(fixture("nano.model")).bytes(), "nano.model");
  const some = pieces.slice(0, count);
  return some.includes("▁") ? some : [...some.slice(0, -1), "▁"];
}

export async function packOf(checkpoint: Checkpoint, notes: Partial<PackNotes> = {}): Promise<Uint8Array> {
  const pieces = await somePieces(checkpoint.config.vocabSize);
  return convert(checkpoint, pieces, { licence: "test", provenance: {}, ...notes });
}

/** A pack whose tools are part of the prompt, of seeded random weights that write calls of any tools. */
export function jointPack(): Promise<Uint8Array> {
  return packOf(talkative(randomCheckpoint({ ...oddGeometry, vocabSize: 4096, nEncoderLayers: 3 }, 21)));
}

/** A session on one thread that keeps nothing between calls and sees no kept tools. */
export const plain = { warmLayers: 0, toolRows: 0, threads: 1 };

/** A model and one session, ready to be driven call by call as any host would. */
export interface Host extends StageHost {
  geometry: Geometry;
  floats(offsetBytes: number, length: number): Float32Array;
}

export type KernelKind = (typeof buildNames)[number] | "reference";
export const kernelKinds: KernelKind[] = ["reference", ...buildNames];

export async function host(
  pack: Uint8Array,
  kind: KernelKind,
  promptTokens = 64,
  answerTokens = 32,
  limits: Partial<SessionLimits> = {},
): Promise<Host> {
  const stream = await PackStream.open(pack);
  const { geometry, format } = stream.header;
  const layout = planModel(stream.header);
  const session = planSession(geometry, { ...plain, promptTokens, answerTokens, ...limits }, layout.endBytes);
  const memory = reserve(null, session.endBytes, 2 ** 32);
  writeWords(memory, layout.words);
  writeWords(memory, session.words);
  await stream.copyInto(memory, layout, () => {});
  const kernels = kind === "reference" ? startReference(memory, format) : await startKernels(kind, memory);
  kernels.rope_table(session.record, session.positions, geometry.ropeTheta);
  const floats = (offsetBytes: number, length: number) => new Float32Array(memory.buffer, offsetBytes, length).slice();
  const walk = async (units: readonly string[], work: (at: number, index: number) => void) => {
    for (const [i, name] of units.entries()) work(layout.units.find((unit) => unit.name === name)?.at as number, i);
  };
  return { kernels, memory, layout, session, walk, geometry, floats };
}

/** Greatest |a − b|. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`expected equal lengths, got ${a.length} and ${b.length}`);
  let most = 0;
  for (let i = 0; i < a.length; i++)
    most = Math.max(most, Number.isFinite(a[i]) ? Math.abs(a[i] - b[i]) : Number.POSITIVE_INFINITY);
  return most;
}

/** Greatest |x|. */
export function greatest(x: ArrayLike<number>): number {
  return Array.from(x).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** Random JSON Schemas of every kept keyword, nested; some refer to themselves. */
function randomSchema(random: () => number, depth: number): Record<string, unknown> {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const below = (n: number) => Math.floor(random() * n);
  const kinds = ["string", "string", "number", "integer", "boolean", "null", "enum", "const", "nullable", "types"];
  if (depth > 0)
    kinds.push("array", "array", "tuple", "unique", "object", "object", "map", "anyOf", "ref", "beside", "allOf");
  switch (pick(kinds)) {
    case "number":
    case "integer": {
      const integer = random() < 0.5;
      const schema: Record<string, unknown> = { type: integer ? "integer" : "number" };
      const minimum = pick([-1000, -7, 0, 1, 12, 99]);
      if (random() < 0.6)
        schema[pick(["minimum", "exclusiveMinimum"])] = integer ? minimum : minimum + pick([0, 0.5, 0.25]);
      if (random() < 0.6) schema[pick(["maximum", "exclusiveMaximum"])] = minimum + pick([20, 100, 12345]);
      if (random() < 0.3) schema.multipleOf = integer ? pick([2, 5, 7]) : pick([0.5, 0.25, 2, 0.01]);
      return schema;
    }
    case "boolean":
      return { type: "boolean" };
    case "null":
      return { type: "null" };
    case "enum":
      return { enum: [pick(["on", "o", 'q"']), 1, 12, null, "été", [1, "a"], { a: [true] }].slice(0, 1 + below(7)) };
    case "const":
      return { const: pick(["x", 3, false]) };
    case "nullable":
      return { type: "string", nullable: true, maxLength: below(4) };
    case "types":
      return { type: [pick(["string", "integer"]), "boolean", "null"] };
    case "array": {
      const minItems = below(3);
      return {
        type: "array",
        items: randomSchema(random, depth - 1),
        minItems,
        ...(random() < 0.6 && { maxItems: minItems + below(3) }),
      };
    }
    case "tuple": {
      const prefixItems = Array.from({ length: 1 + below(3) }, () => randomSchema(random, depth - 1));
      return {
        type: "array",
        prefixItems,
        items: false,
        ...(random() < 0.5 && { minItems: below(prefixItems.length + 1) }),
      };
    }
    case "unique": {
      const items = pick([
        { enum: ["a", "ab", 'q"', 1, null] },
        { type: "string", maxLength: below(3) },
        { type: "integer", minimum: -1, maximum: 2 },
        { type: "number", minimum: 0, maximum: 1, multipleOf: 0.5 },
        { type: ["boolean", "number"] },
        { type: "string" },
      ]);
      return { type: "array", items, uniqueItems: true, ...(random() < 0.5 && { minItems: 1 + below(2) }) };
    }
    case "map": {
      const least = below(3);
      return {
        type: "object",
        ...(random() < 0.5 && { properties: { a: { type: "boolean" }, ab: randomSchema(random, 0) } }),
        ...(random() < 0.5 && { required: ["a"] }),
        additionalProperties: randomSchema(random, depth - 1),
        ...(random() < 0.5 && { minProperties: least }),
        ...(random() < 0.5 && { maxProperties: least + 1 + below(2) }),
      };
    }
    case "object": {
      const object = randomObject(random, depth - 1);
      return {
        ...object,
        ...(random() < 0.2 && { minProperties: Math.min(1, Object.keys(object.properties as object).length) }),
        ...(random() < 0.2 && { maxProperties: 3 }),
      };
    }
    case "anyOf":
      return { anyOf: [randomSchema(random, depth - 1), randomSchema(random, depth - 1), randomSchema(random, 0)] };
    case "beside": {
      const own = {
        type: "object",
        properties: { a: { type: "integer", multipleOf: 2.5 }, b: { type: "string" } },
        required: ["a"],
      };
      return {
        ...own,
        [pick(["anyOf", "oneOf"])]: [
          { required: ["b"], properties: { b: { const: "x" } } },
          { properties: { b: { const: "y" } }, required: ["b"] },
        ],
      };
    }
    case "allOf":
      return { allOf: [{ $ref: "#/$defs/leaf" }, { minLength: below(4) }, { type: "string" }] };
    case "ref":
      return { $ref: pick(["#/$defs/leaf", "#/$defs/tree"]) };
    default: {
      const minLength = below(3);
      return {
        type: "string",
        ...(random() < 0.3 && { minLength }),
        ...(random() < 0.3 && { maxLength: minLength + below(5) }),
      };
    }
  }
}

export function randomObject(random: () => number, depth: number): Record<string, unknown> {
  const names = ["city", "größe", "on off", 'say "hi"', "a", "ab", "naïve\\path", "🙂", "__proto__x", "constructor"];
  const properties: Record<string, unknown> = {};
  for (let n = Math.floor(random() * 4); n > 0; n--) {
    properties[names[Math.floor(random() * names.length)]] = randomSchema(random, depth);
  }
  return {
    type: "object",
    properties,
    required: Object.keys(properties).filter(() => random() < 0.5),
    additionalProperties: false,
  };
}

const tree = {
  type: "object",
  properties: { value: { type: "integer" }, children: { type: "array", items: { $ref: "#/$defs/tree" } } },
  required: ["value"],
  additionalProperties: false,
};
/** What the references of random schemas point to. */
export const randomRefs = { leaf: { type: "string", enum: ["leaf"] }, tree };

/** Packs the built project and installs it in a folder, as a stranger gets it. */
export function installInto(folder: string): void {
  const run = (command: string[], cwd: string): string => {
    const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd, stdout: "pipe", stderr: "pipe" });
    if (exitCode !== 0) throw new Error(`${command.join(" ")}: exit code ${exitCode}: ${stderr}`);
    return stdout.toString();
  };
  // --ignore-scripts: dist/ was built by the test command just before.
  const pack = ["npm", "pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const [{ filename }] = JSON.parse(run(pack, fileURLToPath(new URL("../", import.meta.url))));
  writeFileSync(join(folder, "package.json"), '{"private":true,"type":"module"}');
  run(["npm", "install", "--no-audit", "--no-fund", "--omit=dev", join(folder, filename)], folder);
}

export const cli = fileURLToPath(new URL("../tools/cli.ts", import.meta.url));

/** Runs the command line in a process of its own. */
export async function thimble(
  args: string[],
  stdin: string | Uint8Array<ArrayBuffer> = "",
): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn([process.execPath, cli, ...args], {
    stdin: new Blob([stdin]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}
