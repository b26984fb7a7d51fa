import { describe, expect, test } from "bun:test";
import { Warmth } from "../runtime/engine/warm.ts";
import { load } from "../runtime/index.ts";
import {
  distance,
  greatest,
  type Host,
  host,
  jointPack,
  kernelKinds,
  oddGeometry,
  packOf,
  randomCheckpoint,
  seeded,
} from "./support.ts";

const geometry = { ...oddGeometry, nEncoderLayers: 3 };
const width = geometry.dModel;
const checkpoint = randomCheckpoint(geometry, 5);
const random = seeded(9);
const ids = (n: number) => Array.from({ length: n }, () => Math.floor(random() * geometry.vocabSize));
const [asked, other, list, changed] = [ids(5), ids(9), ids(23), ids(23)];

/** States of [request, tools] through the kernels, in the prompt's order; after layer `spliceAt`, tool rows may be replaced. */
function plain(h: Host, request: number[], tools: number[], spliceAt = -1, splice?: Float32Array) {
  const { kernels, memory, layout, session } = h;
  const prompt = [...request, ...tools];
  const [n, toolsAt] = [prompt.length, session.x + request.length * width * 4];
  new Uint32Array(memory.buffer, session.ids, n).set(prompt);
  kernels.embed(session.record, layout.units[0].at as number, session.ids, n, session.x);
  let kept: Float32Array = new Float32Array();
  for (const [i, block] of layout.encoder.entries()) {
    if (i === spliceAt) {
      kept = h.floats(toolsAt, tools.length * width);
      if (splice) new Float32Array(memory.buffer, toolsAt, splice.length).set(splice);
    }
    kernels.encoder_kv(session.record, block, session.encoderCache, session.x, 0, n);
    kernels.encoder_attend(session.record, block, session.encoderCache, session.x, 0, n, n, 0);
  }
  kernels.final_norm(session.record, layout.encoderNorm, session.x, n);
  return { states: h.floats(session.x, n * width), kept };
}

/** The warm session's states, brought into the prompt's order. */
function states(h: Host, request: number[], tools: number[]): Float32Array {
  const rows = h.floats(h.session.x, (request.length + tools.length) * width);
  const own = rows.slice(tools.length * width);
  return Float32Array.from([...own, ...rows.slice(0, tools.length * width)]);
}

describe.each(kernelKinds)("%s", (kind) => {
  const wide = kind === "reference";
  const pack = packOf(checkpoint, { format: wide ? "float32" : "int4" });
  // Softmax weights are rounded per tile order, and then inputs of a projection may round the other way, by 1/127 of their row's
  // greatest: over 30 such networks states move by 2.7e-3 in the median, 6.8e-3 at most. The reference is float32 between layers.
  const bound = wide ? 1e-5 : 1 / 127;
  const open = async (warmLayers: number) => {
    const h = await host(await pack, kind, 40, 8, { warmLayers });
    return { h, warmth: new Warmth(geometry), prefill: await host(await pack, kind, 40, 8) };
  };

  test("the first prefill is a plain one, and so is one after the tools have changed", async () => {
    const { h, warmth, prefill } = await open(2);
    for (const [request, tools] of [
      [asked, list],
      [other, changed],
      [other, list],
      [asked, list.slice(1)],
    ]) {
      expect(await warmth.prefill(h, request, tools)).toBe(0);
      const { states: want } = plain(prefill, request, tools);
      expect(distance(states(h, request, tools), want)).toBeLessThan(bound * greatest(want));
    }
  });

  test("the same request again gives the same states, bit for bit", async () => {
    const { h, warmth } = await open(2);
    await warmth.prefill(h, asked, list);
    const want = states(h, asked, list);
    expect(await warmth.prefill(h, asked, list)).toBe(2);
    expect(states(h, asked, list)).toEqual(want);
  });

  test("another request meets the kept tool rows where the plain order would have them", async () => {
    const { h, warmth, prefill } = await open(1);
    await warmth.prefill(h, asked, list);
    expect(await warmth.prefill(h, other, list)).toBe(1);
    // Layer 0 takes K and V from embeddings alone: only the rows that leave it were another request's.
    const { kept } = plain(prefill, asked, list, 1);
    const { states: want } = plain(prefill, other, list, 1, kept);
    expect(distance(states(h, other, list), want)).toBeLessThan(bound * greatest(want));
  });

  test("a prefill that fails midway leaves nothing kept, and the next is plain", async () => {
    const { h, warmth, prefill } = await open(2);
    await warmth.prefill(h, asked, list);
    const walk: Host["walk"] = (units, work) =>
      h.walk(units, (at, i) => {
        if (units[i] === "encoder.2") throw new Error("stopped");
        work(at, i);
      });
    await expect(warmth.prefill({ ...h, walk }, asked, changed)).rejects.toThrow("stopped");
    expect(await warmth.prefill(h, other, list)).toBe(0);
    const { states: want } = plain(prefill, other, list);
    expect(distance(states(h, other, list), want)).toBeLessThan(bound * greatest(want));
  });
});

test("a session says how many layers were kept; the plain session keeps none", async () => {
  const tools = await Bun.file(new URL("../tools/watch.json", import.meta.url)).json();
  const thimble = await load(await jointPack());
  const session = thimble.session({ warmLayers: 1 });
  const kept: number[] = [];
  const answers: string[] = [];
  for (const request of ["wake me at 7:15", "start a run", "wake me at 7:15", "start a run"]) {
    const { timings, text } = await session.call(request, kept.length === 2 ? tools.slice(1) : tools);
    kept.push(timings.warmLayers);
    answers.push(text);
  }
  expect(kept).toEqual([0, 1, 0, 0]);
  expect(answers[0]).toBe((await thimble.call("wake me at 7:15", tools)).text);
  expect((await thimble.call("start a run", tools)).timings.warmLayers).toBe(0);
  expect(() => thimble.session({ warmLayers: 3 })).toThrow("warmLayers: expected at most 2");
});
