/** Sessions over one set of weights: nothing of a call stays but what makes the next one faster. */
import { heapStats } from "bun:jsc";
import { beforeAll, expect, test } from "bun:test";
import { type CallOptions, load, type Ranked, type Thimble, type ToolInput, ToolSet } from "../runtime/index.ts";
import { oddGeometry, packOf, randomCheckpoint, seeded } from "./support.ts";

const limits = { promptTokens: 256, answerTokens: 48 };
const toolSets: ToolInput[][] = [
  [{ name: "f", parameters: { a: { type: "string", required: true }, n: { type: "integer" } } }],
  [
    { name: "on", inputSchema: { properties: { room: { enum: ["hall", "attic"] } } } },
    {
      name: "off",
      inputSchema: { properties: { at: { anyOf: [{ type: "string", maxLength: 5 }, { type: "number" }] } } },
    },
    {
      name: "dim",
      inputSchema: { properties: { to: { type: "integer", minimum: 1, maximum: 99 } }, required: ["to"] },
    },
  ],
  [],
];
const requests = ["on", "dim it to 7", "hall, please", "f"];
const ways: CallOptions[] = [{}, { offer: 1 }, { force: false }, { copy: true }, { grammar: false }];
let pack: Uint8Array;

beforeAll(async () => {
  // A whole vocabulary: with the first pieces alone, no token would be a space.
  pack = await packOf(randomCheckpoint({ ...oddGeometry, vocabSize: 4096 }, 9));
});

const fresh = () => load(pack, limits);

test("200 runs of random interleavings: sessions, aborts, rankings and tool sets leave every answer as a fresh model gives it", async () => {
  const random = seeded(5);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const alone = new Map<string, Promise<unknown>>();
  const answer = async (model: { call: Thimble["call"] }, request: string, tools: ToolInput[], way: CallOptions) => {
    const { timings: _, ...rest } = await model.call(request, tools, way);
    return rest;
  };
  const model = await fresh();
  const sessions = [model.session(limits), model.session({ promptTokens: 300, answerTokens: 48 })];
  let [answered, aborted] = [0, 0];
  for (let run = 0; run < 200; run++) {
    if (random() < 0.2) {
      sessions
        .splice(
          Math.floor(random() * sessions.length),
          1,
          model.session(pick([limits, { ...limits, promptTokens: 200 }])),
        )[0]
        .close();
    }
    await Promise.all(
      Array.from({ length: 1 + Math.floor(random() * 4) }, async () => {
        const [session, request, tools, way] = [pick([...sessions, model]), pick(requests), pick(toolSets), pick(ways)];
        if (random() < 0.2) {
          const key = `rank ${request}`;
          if (!alone.has(key))
            alone.set(
              key,
              fresh().then((other) => other.rank(request, toolSets[1])),
            );
          expect(await session.rank(request, toolSets[1])).toEqual((await alone.get(key)) as Ranked[]);
          return;
        }
        const key = JSON.stringify([request, tools, way]);
        if (!alone.has(key))
          alone.set(
            key,
            fresh().then((other) => answer(other, request, tools, way)),
          );
        const controller = new AbortController();
        let left = random() < 0.4 ? Math.floor(random() * 6) : Number.POSITIVE_INFINITY;
        const onText = () => {
          if (left-- <= 0) controller.abort(new Error("never mind"));
          return pick([undefined, new Promise<void>((resolve) => setTimeout(resolve))]);
        };
        const options = { ...way, onText, ...(random() < 0.7 && { signal: controller.signal }) };
        const outcome = await answer(session, request, tools, options).catch((error: Error) => error);
        if (outcome instanceof Error) {
          expect(outcome.message).toBe("never mind");
          aborted++;
        } else {
          expect(outcome).toEqual((await alone.get(key)) as typeof outcome);
          answered++;
        }
      }),
    );
  }
  expect(answered).toBeGreaterThan(200);
  expect(aborted).toBeGreaterThan(20);
});

test("memory is flat over 10,000 calls: linear memory to the byte, the heap to less than an object in ten calls", async () => {
  const model = await fresh();
  const session = model.session({ promptTokens: 100, answerTokens: 16 });
  const reused = ToolSet.from([{ name: "f", parameters: { n: { type: "integer" } } }]);
  const call = async (i: number) => {
    const tools = i % 10 ? reused : [{ name: `f${100_000 + i}`, parameters: {} }];
    const signal = i % 7 ? undefined : new AbortController().signal;
    await session.call(`f ${i % 10}`, tools, { ...(signal && { signal }), ...(i % 3 === 0 && { onText() {} }) });
    if (i % 100 === 0) {
      model.session({ promptTokens: 64, answerTokens: 8 }).close();
      await session.call("f", reused, { signal: AbortSignal.abort(new Error("no")) }).catch(() => {});
    }
  };
  const objects = async () => {
    // What the first collection lets go of may hold more.
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      Bun.gc(true);
    }
    return heapStats().objectCount;
  };
  // What is kept on purpose fills up first: 64 grammars, the states of those in use, and what the host compiles.
  for (let i = 0; i < 10_000; i++) await call(i);
  const [bytesBefore, objectsBefore] = [model.linearMemoryBytes, await objects()];
  // The collector leaves some hundreds more or less; a leak only grows from round to round.
  let grown = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3 && grown >= 1000; round++) {
    for (let i = 0; i < 10_000; i++) await call(10_000 * (round + 1) + i);
    expect(model.linearMemoryBytes).toBe(bytesBefore);
    grown = (await objects()) - objectsBefore;
  }
  expect(grown).toBeLessThan(1000);
});
