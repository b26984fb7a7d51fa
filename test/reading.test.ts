/** What a request computes from tools that were read on their own: PyTorch's numbers, and the same by every build. */
import { describe, expect, test } from "bun:test";
import { decode } from "../runtime/engine/decoder.ts";
import { contrast, encode, prefill } from "../runtime/engine/encoder.ts";
import { writeWords } from "../runtime/engine/memory.ts";
import { octet, planReader } from "../runtime/engine/sessionplan.ts";
import { load } from "../runtime/index.ts";
import { planBlock, showBlocks } from "../runtime/kept/block.ts";
import { readTools, rowsOf } from "../runtime/kept/read.ts";
import { Apart } from "../runtime/prompt/apart.ts";
import { special } from "../runtime/text/tokenizer.ts";
import { ToolSet } from "../runtime/tools/tools.ts";
import { hostOf } from "../tools/bench/runs.ts";
import { type Checkpoint, readCheckpoint } from "../tools/checkpoint/checkpoint.ts";
import { convert } from "../tools/convert.ts";
import { buildNames } from "../wasm/abi.ts";
import { apartPack, limits, toolsOf } from "./apart.ts";
import { restored, restoredTable } from "./restored.ts";
import {
  distance,
  fixture,
  type Host,
  host,
  logitsOf,
  oddGeometry,
  packOf,
  randomCheckpoint,
  seeded,
} from "./support.ts";

const toolAt = 128;

/** Reads tools by their ids into blocks behind a host's session, and points its runs to them. */
async function readInto(h: Host, tools: number[][]): Promise<(Float32Array | null)[]> {
  const readings = tools.map((ids) => ({ ids }));
  let end = h.session.endBytes;
  const blocks = tools.map((ids) => {
    const block = planBlock(h.geometry, ids.length, end);
    end = block.endBytes;
    return block;
  });
  const limits = {
    rows: rowsOf(readings),
    keys: Math.max(octet, ...tools.map((ids) => ids.length)),
    toolAt,
    threads: 1,
  };
  const reader = planReader(h.geometry, limits, end);
  h.memory.grow(Math.ceil(reader.endBytes / 65536));
  // What was there before might read as scales that are no numbers.
  new Uint8Array(h.memory.buffer, h.session.endBytes).fill(0);
  for (const plan of [...blocks, reader]) writeWords(h.memory, plan.words);
  h.kernels.rope_table(reader.record, reader.positions, h.geometry.ropeTheta);
  const pairs = tools.map((ids, i) => ({ ids, block: blocks[i] }));
  const vectors = await readTools({ ...h, session: reader }, pairs, toolAt, h.geometry.contrastiveDim);
  showBlocks(h, blocks);
  return vectors;
}

const tiny = await Bun.file(fixture("apart-tiny.json")).json();
const tinyCheckpoint = readCheckpoint(await Bun.file(fixture("tiny.safetensors")).bytes(), "tiny.safetensors");
const pieces = Array.from({ length: tinyCheckpoint.config.vocabSize }, (_, i) => `piece ${i}`);
const tinyPack = (checkpoint: Checkpoint, format: "int4" | "float32") =>
  convert(checkpoint, pieces, { licence: "test", provenance: {}, format });

for (const weights of ["float32", "int4"] as const) {
  test(`tiny, ${weights}: the reference reads request and tools apart within 1e-4 of PyTorch`, async () => {
    // The oracle's int4 form has float32 scales, which only a wide pack of restored weights can hold.
    const checkpoint =
      weights === "int4"
        ? { ...restored(tinyCheckpoint), embedding: restoredTable(tinyCheckpoint.embedding) }
        : tinyCheckpoint;
    const pack = tinyPack(checkpoint, "float32");
    const h = await host(pack, "reference", 64, 64, { toolRows: 64 });
    const want = tiny[weights];
    const vectors = await readInto(h, tiny.tool_ids);
    const states = (n: number) => h.floats(h.session.x, n * h.geometry.dModel);
    await prefill(h, tiny.query_ids);
    expect(distance(states(tiny.query_ids.length), want.query_states.flat())).toBeLessThan(1e-4);
    for (const [pos, id] of tiny.decoder_ids.entries()) {
      const at = await decode(h, [id], pos, tiny.query_ids.length);
      expect(distance(await logitsOf(h, at, null, 96), want.logits[pos])).toBeLessThan(1e-4);
      expect(distance(h.floats(at, h.geometry.dModel), want.decoder_out[pos])).toBeLessThan(1e-4);
    }
    // PyTorch leaves the head's second matrix as it is: its inputs are no whole group.
    if (weights === "float32") {
      for (const [i, vector] of vectors.entries())
        expect(distance(vector as Float32Array, want.tool_vectors[i])).toBeLessThan(1e-4);
      expect(distance(await contrast(h, tiny.query_ids, 16), want.query_vector)).toBeLessThan(1e-4);
    }
    await encode(h, tiny.query_ids);
    expect(distance(states(tiny.query_ids.length), want.query_states_without_tools.flat())).toBeLessThan(1e-4);
  });
}

test("tiny, packed in int4: scales of 8 bits move a request's states by at most 1e-2", async () => {
  const h = await host(tinyPack(tinyCheckpoint, "int4"), "reference", 64, 64, { toolRows: 64 });
  await readInto(h, tiny.tool_ids);
  await prefill(h, tiny.query_ids);
  const got = h.floats(h.session.x, tiny.query_ids.length * h.geometry.dModel);
  expect(distance(got, tiny.int4.query_states.flat())).toBeLessThan(1e-2);
});

const pack = await apartPack();

describe.each(buildNames)("%s", (kernels) => {
  test("states, vectors and logits of a request and tools of any lengths within 4e-2 of the reference", async () => {
    const pack = await packOf(randomCheckpoint({ ...oddGeometry, vocabSize: 300 }, 9));
    const random = seeded(31);
    const idsOf = (n: number) => Array.from({ length: n }, () => 6 + Math.floor(random() * 290));
    for (const [length, ...lengths] of [
      [5],
      [1, 8],
      [12, 1, 9],
      [7, 40, 8, 3],
      [16, 3, 17, 64, 2, 24, 33],
      [30, 8, 8, 8, 8],
    ]) {
      const [query, tools, answer] = [idsOf(length), lengths.map(idsOf), idsOf(4)];
      const found: Float32Array[][] = [];
      for (const kind of [kernels, "reference"] as const) {
        const h = await host(pack, kind, 64, 64, { toolRows: 256 });
        const { dModel } = h.geometry;
        const vectors = await readInto(h, tools);
        await prefill(h, query);
        const numbers = [h.floats(h.session.x, query.length * dModel), ...(vectors as Float32Array[])];
        for (const [pos, id] of answer.entries()) {
          const at = await decode(h, [id], pos, query.length);
          numbers.push(await logitsOf(h, at, null, h.geometry.vocabSize));
        }
        found.push(numbers);
      }
      const distances = found[0].map((numbers, i) => distance(numbers, found[1][i]));
      expect(Math.max(...distances)).toBeLessThan(4e-2);
    }
  });
});

test("a call computes from its request and the tools it shows, in their order by name, and from nothing else", async () => {
  const model = await load(pack, { ...limits, kernels: "simd" });
  const session = model.session({ promptTokens: 256 });
  const way = new Apart(model.inside, session);
  const h = await host(pack, "simd", 256, 32, { toolRows: 512 });
  const { vocabSize } = h.geometry;
  // The last one is longer than the buffers that a session starts with.
  for (const [request, tools] of [
    ["set the lamp", toolsOf(3)],
    ["set the lamp", toolsOf(3, 1)],
    ["the oven please", toolsOf(3)],
    [`${"open the door of the oven ".repeat(20)}`.trim(), toolsOf(7, 4).toReversed()],
  ] as const) {
    const live = hostOf(model, session, session.plan.promptTokens);
    const shown = await way.show(request, ToolSet.from(tools), undefined, live);
    const got = await logitsOf(live, await decode(live, [special.eos], 0, shown.keys), null, vocabSize);
    shown.release();
    const set = ToolSet.from(tools.toSorted((a, b) => (String(a.name) < String(b.name) ? -1 : 1)));
    await readInto(
      h,
      set.texts.map((text) => [special.tools, ...model.tokenizer.tokenize(text)]),
    );
    const ids = model.tokenizer.tokenize(request);
    await prefill(h, ids);
    expect(shown.keys).toBe(ids.length);
    expect(got).toEqual(await logitsOf(h, await decode(h, [special.eos], 0, ids.length), null, vocabSize));
  }
});
