/** What the benches share: the full geometry, a model to measure, one stage after another, medians. */
import { readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { decode, logits, pick } from "../../runtime/engine/decoder.ts";
import { prefill } from "../../runtime/engine/encoder.ts";
import type { Host } from "../../runtime/engine/host.ts";
import { type Geometry, sectionLayouts, writePack } from "../../runtime/pack/pack.ts";
import { packScales } from "../../runtime/pack/quant.ts";
import { type Session, walkOf } from "../../runtime/session.ts";
import { load, type Thimble } from "../../runtime/thimble.ts";
import { embeddingBlockBytes, groupSize, octetBytes, outputTile } from "../../wasm/abi.ts";

/** The published 26M Needle. Source: spec, "Geometry". */
export const fullGeometry: Geometry = {
  vocabSize: 8192,
  dModel: 512,
  nHeads: 8,
  nKvHeads: 4,
  nEncoderLayers: 12,
  nDecoderLayers: 8,
  ropeTheta: 10000,
  contrastiveHidden: 128,
  contrastiveDim: 128,
};

/** A session's buffers with room for a prompt of so many tokens, to run stages on. */
export function hostOf(thimble: Thimble, session: Session, promptTokens: number): Host {
  const { kernels, memory, layout, weights } = thimble.inside;
  const host = { kernels, memory, layout, session: session.plan, walk: walkOf(weights, undefined) };
  session.grow(host, promptTokens);
  return host;
}

export async function runPrefill(thimble: Thimble, session: Session, promptTokens: number): Promise<void> {
  const { vocabSize } = thimble.header.geometry;
  const ids = Array.from({ length: promptTokens }, (_, i) => (i * 37 + 262) % vocabSize);
  await prefill(hostOf(thimble, session, promptTokens), ids);
}

/** Decodes one position after another over all tokens, after a prefill of `promptTokens`. */
export async function runDecode(
  thimble: Thimble,
  session: Session,
  steps: number,
  promptTokens: number,
): Promise<void> {
  const { vocabSize } = thimble.header.geometry;
  const host = hostOf(thimble, session, promptTokens);
  for (let pos = 0; pos < steps; pos++) {
    await logits(host, await decode(host, [pos % vocabSize], pos, promptTokens), null, vocabSize);
    pick(host, vocabSize);
  }
}

/** A pack of seeded random weights with the default model's vocabulary, filled up. */
export async function randomPack(geometry: Geometry): Promise<Uint8Array> {
  const { pieces: known } = (await load()).header;
  const pieces = Array.from({ length: geometry.vocabSize }, (_, i) => known[i] ?? `<filler ${i}>`);
  let seed = 1;
  const next = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed;
  };
  const layouts = new Map(sectionLayouts(geometry, "int4").map((layout) => [layout.name, layout]));
  return writePack(
    { geometry, format: "int4", pieces, licence: "none", provenance: { source: "seeded random weights" } },
    (section, name) => {
      const bytes = layouts.get(section)?.fields.find((field) => field.name === name)?.bytes ?? 0;
      const words = new Uint32Array(bytes / 4);
      const floats = new Float32Array(words.buffer);
      const leaf = name.replace(/^(self|cross)\./, "");
      if (section === "embedding") {
        const block = embeddingBlockBytes(geometry.dModel) / 4;
        for (let i = 0; i < words.length; i++) {
          if (i % block < 4) floats[i] = 0.001;
          else words[i] = next();
        }
      } else if (/^w|hidden|proj/.test(leaf)) {
        const inputs = leaf === "proj" ? geometry.contrastiveHidden : geometry.dModel;
        const groups = inputs / groupSize;
        for (let i = 0; i < words.length; i++) words[i] = next();
        const scales = new Float32Array(outputTile * groups).fill(0.01);
        const all = new Uint8Array(words.buffer);
        for (let octet = 0; octet < bytes; octet += octetBytes(inputs)) packScales(scales, groups, all, octet);
      } else for (let i = 0; i < words.length; i++) floats[i] = next() / 2 ** 32 - 0.5;
      return new Uint8Array(words.buffer);
    },
  );
}

export async function repeat(runs: number, work: () => unknown): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times;
}

/** Median milliseconds, after two runs to warm up. */
export async function median(runs: number, work: () => unknown): Promise<number> {
  await repeat(2, work);
  return middle(await repeat(runs, work));
}

export function middle(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

export function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}

/** What was measured on, and how busy it is: virtual machines call two generations of a processor by one name. */
export function machineName(): string {
  const host = process.versions.bun ? `Bun ${process.versions.bun}` : `Node ${process.versions.node}`;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const load = `load ${loadavg()[0].toFixed(1)}`;
  return [`${cpus()[0]?.model.trim()}${generation()}`, `${cpus().length} cores`, memory, host, load].join(", ");
}

/** Linux's numbers of an x86 processor's kind, " (family 25, model 1)"; nothing elsewhere. */
function generation(): string {
  try {
    const about = readFileSync("/proc/cpuinfo", "utf8");
    const [family, model] = [/cpu family\s*: (\d+)/, /\nmodel\s*: (\d+)/].map((line) => line.exec(about)?.[1]);
    return family && model ? ` (family ${family}, model ${model})` : "";
  } catch {
    return "";
  }
}
