/** A small model that reads tools apart, and tools for it. */
import type { LoadOptions, load, Session, ToolInput } from "../runtime/index.ts";
import { oddGeometry, packOf, randomCheckpoint, talkative } from "./support.ts";

/** Of seeded random weights that write calls of any tools. */
export function apartPack(): Promise<Uint8Array> {
  return packOf(talkative(randomCheckpoint({ ...oddGeometry, vocabSize: 4096 }, 12)), { prompt: "apart" });
}

export const limits = { answerTokens: 40, toolRows: 512 } satisfies LoadOptions;

export const words = "lights timer music weather alarm messages door oven lamp radio heater window".split(" ");

/** The i-th tool of a list without end, of some 60 rows. */
export const toolOf = (i: number): ToolInput => ({
  name: `set_${words[i % words.length]}_${i}`,
  description: `Set the ${words[i % words.length]} of room ${i}, ${words[(i * 7) % words.length]} too.`,
  parameters: { value: { type: i % 2 ? "string" : "integer", required: i % 3 === 0 }, on: { type: "boolean" } },
});
export const toolsOf = (n: number, from = 0) => Array.from({ length: n }, (_, i) => toolOf(from + i));

export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const left = [...list];
  return list.map(() => left.splice(Math.floor(random() * left.length), 1)[0]);
}

/** What an answer says, how sure it is included. */
export async function answerOf(model: Pick<Session, "call">, request: string, tools: ToolInput[]) {
  const { text, tokens, calls } = await model.call(request, tools);
  return { text, tokens, certainty: calls.map(({ certainty }) => certainty) };
}

/** A tool of many rows: each word of its description takes one or two. */
export const longTool = (words: number, name = "verbose"): ToolInput => ({
  name,
  description: "word ".repeat(words),
});

/** A call that stays in its answer, and its tools in use, until it is let go. */
export async function held(model: Pick<Session, "call">, request: string, tools: ToolInput[]) {
  let letGo = () => {};
  const pause = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let begun = () => {};
  const answering = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const onText = () => {
    begun();
    return pause;
  };
  const result = model.call(request, tools, { onText });
  await Promise.race([answering, result]);
  return { letGo, result };
}

export type Model = Awaited<ReturnType<typeof load>>;
