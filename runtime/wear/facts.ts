/** What is around the wearer, put where a request points at it: "here", "her", "this photo". */
import type { Decision } from "../answer/decision.ts";
import { movedTo, type ValueSource } from "../answer/provenance.ts";
import type { Place } from "../answer/said.ts";
import type { ToolCall } from "../answer/toolcall.ts";
import { isOfWord } from "../text/letters.ts";
import { lowerCased } from "../text/request.ts";
import type { ToolSet } from "../tools/tools.ts";
import { firstOutside } from "./fits.ts";
import { bare, tokensOf } from "./spoken.ts";

/** By name: `here`, `now`, `contact` (who is on the screen), or names of your own, which "this …" and "that …" point at. */
export type Facts = ReadonlyMap<string, string | number>;

/** Whether a value says anything: blank text and what is no number do not. */
export function isFact(value: unknown): value is string | number {
  return typeof value === "string" ? value.trim() !== "" : Number.isFinite(value);
}

const pointers: Record<string, readonly string[]> = {
  here: ["here", "this place", "where i am", "my location", "my position"],
  now: ["now", "right now", "this moment"],
  contact: ["him", "her", "them", "this person", "that person", "this contact"],
};
const prepositions = new Set(["in", "at", "from", "to", "near", "around", "of", "for"]);

/** What points at a fact. */
function pointersOf(name: string): readonly string[] {
  const said = name.replaceAll("_", " ");
  return Object.hasOwn(pointers, name) ? pointers[name] : [`this ${said}`, `that ${said}`];
}

/** What was read of a request, as far as facts concern it. */
interface Read {
  calls: ToolCall[];
  decision: Decision;
}

/**
 * Reads a request, with facts where it points at them. They change no tool and no other value.
 * Throws: what `read` throws.
 */
export async function readWithFacts<T extends Read>(
  request: string,
  read: (request: string) => Promise<T>,
  tools: ToolSet,
  facts: Facts,
): Promise<T> {
  const result = await read(request);
  for (const pointed of pointedAt(request, result, facts)) {
    const { calls, decision } = await read(pointed.text);
    const filled = withFact(calls, result.calls, pointed, facts);
    if (filled) return { ...result, calls: filled, decision };
  }
  return { ...result, calls: fillIn(result.calls, tools, facts) };
}

/** Fills in the values of calls that are nothing but a pointer to a fact, and says so in their sources. */
function fillIn(calls: readonly ToolCall[], tools: ToolSet, facts: Facts): ToolCall[] {
  return calls.map((call) => {
    const properties = tools.tools.find(({ name }) => name === call.name)?.parameters ?? [];
    let { arguments: args, sources } = call;
    for (const { name, schema } of properties) {
      const value = args[name];
      if (typeof value !== "string" || schema.kind !== "string") continue;
      const fact = factOf(value, facts);
      if (fact === null) continue;
      const filled = { ...args, [name]: String(facts.get(fact)) };
      if (firstOutside(properties, filled) !== null) continue;
      args = filled;
      sources = { ...sources, [name]: { ...sources[name], ...stated(fact) } };
    }
    return args === call.arguments ? call : { ...call, arguments: args, sources };
  });
}

function stated(fact: string): Pick<ValueSource, "from" | "fact" | "grounded"> {
  return { from: "state", fact, grounded: true };
}

/** Whether a value is nothing but words that point at a known fact. */
const isPointer = (value: unknown, facts: Facts) => typeof value === "string" && factOf(value, facts) !== null;

/** The fact that a value points at and that is known. */
function factOf(value: string, facts: Facts): string | null {
  const said = tokensOf(value).map(bare).join(" ");
  for (const name of facts.keys()) if (pointersOf(name).includes(said)) return name;
  return null;
}

/** A request with a fact's value in place of the words that point at it. */
interface Pointed {
  fact: string;
  text: string;
  /** The value in `text`, and the pointer in the request that it was. */
  at: { start: number; end: number };
  pointer: { start: number; end: number };
}

/**
 * Requests with facts that are pointed at but that no value holds; a pointer within a value is the speaker's own words. What a value holds and nothing more is
 * read with its fact where the calls are not sure: how sure the model is of "here" says little of "Oslo".
 */
function pointedAt(request: string, { calls, decision }: Read, facts: Facts): Pointed[] {
  const spans = calls.flatMap(({ sources, arguments: args }) =>
    Object.entries(sources).flatMap(([path, source]) =>
      decision !== "act" && isPointer(args[path], facts) ? [] : [source],
    ),
  );
  const found: Pointed[] = [];
  for (const [fact, value] of facts) {
    for (const pointer of pointersOf(fact)) {
      const start = placeOf(pointer, request);
      if (start < 0) continue;
      const end = start + pointer.length;
      if (spans.some((span) => (span.start ?? 0) < end && (span.end ?? 0) > start)) continue;
      const before = tokensOf(request.slice(0, start)).at(-1) ?? "";
      const preposition = fact === "here" && !prepositions.has(bare(before)) ? "in " : "";
      const at = start + preposition.length;
      found.push({
        fact,
        text: request.slice(0, start) + preposition + value + request.slice(end),
        at: { start: at, end: at + String(value).length },
        pointer: { start, end },
      });
      break;
    }
  }
  return found;
}

/** Where words stand in a request as words of their own; −1 if they do not. */
function placeOf(words: string, request: string): number {
  const [hay, needle] = [lowerCased(request), lowerCased(words)];
  const isFree = (character: string | undefined) =>
    character === undefined || (character !== "'" && !isOfWord(character));
  let at = hay.indexOf(needle);
  while (at >= 0 && !(isFree(hay[at - 1]) && isFree(hay[at + needle.length]))) at = hay.indexOf(needle, at + 1);
  return at;
}

/**
 * Calls read from a request with a fact in it → the same of the request itself; null unless the fact's value is all that they
 * have more than those read before.
 */
function withFact(
  calls: readonly ToolCall[],
  before: readonly ToolCall[],
  pointed: Pointed,
  facts: Facts,
): ToolCall[] | null {
  const { at, pointer, fact } = pointed;
  const shift = pointer.end - at.end;
  let isUsed = false;
  const there = (span: Place): Place => {
    if (span.end <= at.start) return span;
    return span.start >= at.end ? { start: span.start + shift, end: span.end + shift } : pointer;
  };
  const moved = calls.map((call) => {
    const sources = Object.entries(call.sources).map(([path, source]): [string, ValueSource] => {
      const { start = 0, end = 0 } = source;
      const isFact = end > at.start && start < at.end;
      isUsed ||= isFact;
      return [path, { ...movedTo(source, there), ...(isFact && stated(fact)) }];
    });
    return { ...call, sources: Object.fromEntries(sources) };
  });
  const spoken = moved.map(({ name, arguments: args, sources }) => [
    name,
    Object.entries(args).filter(([key]) => sources[key]?.fact === undefined),
  ]);
  const said = before.map(({ name, arguments: args }) => [
    name,
    Object.entries(args).filter(([, value]) => !isPointer(value, facts)),
  ]);
  const isSame = JSON.stringify(spoken) === JSON.stringify(said);
  return isUsed && isSame ? moved : null;
}
