/** What a model makes of what was said: each text read once, slips mended, facts put where they are pointed at. */
import type { Decision } from "../answer/decision.ts";
import { movedTo, type ValueSource } from "../answer/provenance.ts";
import type { Place } from "../answer/said.ts";
import type { ToolCall } from "../answer/toolcall.ts";
import type { Json } from "../json.ts";
import type { CallResult } from "../session.ts";
import { leaves, type Property, type Schema } from "../tools/schema.ts";
import type { ToolSet } from "../tools/tools.ts";
import { type Facts, readWithFacts } from "./facts.ts";
import { bare, goesOn, heardAs, isUnfinished, repairIn, requestOf, tokensOf } from "./spoken.ts";
import type { Model } from "./wearable.ts";

/** A request and its calls; `sources` of theirs are places in `text`. */
export interface Reading {
  text: string;
  calls: ToolCall[];
  decision: Decision;
  /** That of the least sure call; 0 without calls. */
  confidence: number;
}

const mostKept = 16;

export class Reader {
  private readonly kept = new Map<string, CallResult>();

  constructor(
    private readonly model: Model,
    private readonly tools: ToolSet,
    private readonly facts: Facts,
  ) {}

  /**
   * Reads what was said, in utterances that may go on with each other or be one command after chatter.
   * Throws: what the model throws, and the signal's reason.
   */
  async read(utterances: readonly (readonly string[])[], signal: AbortSignal): Promise<Reading> {
    const readings: Reading[] = [];
    for (let from = 0; from < utterances.length; from++) {
      if (from && (isUnfinished(utterances[from - 1]) || goesOn(utterances[from]))) continue;
      readings.push(await this.mended(requestOf(utterances.slice(from)), signal));
    }
    return best(readings);
  }

  /** Reads what was said before with another part in it, or what is said now by itself if that is surer. */
  async corrected(before: Reading, meant: readonly string[], signal: AbortSignal): Promise<Reading> {
    const part = requestOf([meant]);
    const readings: Reading[] = [];
    for (const text of [...replacements(before, part), part]) readings.push(await this.filled(text, signal));
    return best(readings);
  }

  /** A request in which "no, I meant" may stand: the model's own reading, or that of what was meant, if that is surer. */
  private async mended(text: string, signal: AbortSignal): Promise<Reading> {
    const whole = await this.filled(text, signal);
    const repair = repairIn(tokensOf(text));
    if (!repair?.before.length) return whole;
    const before = await this.filled(requestOf([repair.before]), signal);
    const mended = await this.corrected(before, repair.meant, signal);
    return best([mended, whole]);
  }

  private async filled(text: string, signal: AbortSignal): Promise<Reading> {
    const read = (request: string) => this.once(request, signal);
    const { calls, decision } = await readWithFacts(text, read, this.tools, this.facts);
    const confidence = calls.length ? Math.min(...calls.map((call) => call.confidence)) : 0;
    return { text, calls, decision, confidence };
  }

  /** The model reads the words alone, each text once; its values are spelled as this text spells them. */
  private async once(text: string, signal: AbortSignal): Promise<Pick<CallResult, "calls" | "decision">> {
    const words = tokensOf(text).map(heardAs);
    const key = words.join(" ");
    if (!key) return { calls: [], decision: "none" };
    let result = this.kept.get(key);
    if (!result) {
      result = await this.model.call(key, this.tools, { signal });
      signal.throwIfAborted();
      if (this.kept.size >= mostKept) this.kept.delete(this.kept.keys().next().value as string);
      this.kept.set(key, result);
    }
    const { calls, decision } = result;
    return { calls: calls.map((call) => respelled(call, this.propertiesOf(call), words, text)), decision };
  }

  private propertiesOf(call: ToolCall): readonly Property[] {
    return this.tools.tools.find(({ name }) => name === call.name)?.parameters ?? [];
  }
}

/**
 * A call that was read from words, with its sources in the text of those words, and its free strings as they are written there.
 */
function respelled(call: ToolCall, properties: readonly Property[], words: readonly string[], text: string): ToolCall {
  const key = words.join(" ");
  const places = placesOf(words, key);
  const written = placesOf(tokensOf(text), text);
  const args = { ...call.arguments };
  const isWhole = (span: Place) =>
    places.some(({ start }) => start === span.start) && places.some(({ end }) => end === span.end);
  const inText = (span: Place): Place => {
    const at = (place: number) => places.findIndex(({ end }) => end > place);
    const [from, to] = [written[at(span.start)], written[at(span.end - 1)]];
    return isWhole(span) ? trimmed(text, from.start, to.end) : { start: from.start, end: to.end };
  };
  const sources = Object.entries(call.sources).map(([path, source]): [string, ValueSource] => {
    const { start, end } = source;
    const moved = movedTo(source, inText);
    if (start === undefined || end === undefined) return [path, moved];
    const schema = properties.find(({ name }) => name === path)?.schema;
    // A part of a word stays as the model wrote it, at that word.
    const isCopy = args[path] === key.slice(start, end) && isWhole({ start, end });
    if (isCopy && !(schema && isListed(schema, args[path]))) args[path] = text.slice(moved.start, moved.end);
    return [path, moved];
  });
  return { ...call, arguments: args, sources: Object.fromEntries(sources) };
}

/** Whether an enum of a schema lists a value. */
const isListed = (schema: Schema, value: Json): boolean =>
  [...leaves(schema)].some(({ schema }) => schema.kind === "enum" && schema.values.includes(value));

/** Where each of the tokens stands in a text. */
function placesOf(tokens: readonly string[], text: string): Place[] {
  let at = 0;
  return tokens.map((token) => {
    const start = text.indexOf(token, at);
    at = start + token.length;
    return { start, end: at };
  });
}

/** A span without the marks at its ends. */
function trimmed(text: string, start: number, end: number): Place {
  const span = text.slice(start, end);
  const head = span.length - span.replace(/^[.,;:!?…"“”]+/u, "").length;
  const tail = span.length - span.replace(/[.,;:!?…"“”]+$/u, "").length;
  return { start: start + head, end: end - tail };
}

/** The surest; of equals the first. */
function best(readings: readonly Reading[]): Reading {
  const [first, ...others] = readings;
  return others.reduce((top, one) => (one.confidence > top.confidence ? one : top), first);
}

/** A request with a part in place of each value that was taken from it. */
function replacements({ text, calls }: Reading, part: string): string[] {
  const spans = calls.flatMap(({ sources }) => Object.values(sources));
  return spans.flatMap(({ start, end }) => {
    if (start === undefined || end === undefined) return [];
    const head = tokensOf(text.slice(0, start));
    let words = tokensOf(part);
    // "in Oslo", meant "in Bergen": the word stands there already. "the airport", meant "the bus station": so does the article.
    if (head.length && bare(head[head.length - 1]) === bare(words[0] ?? "")) words = words.slice(1);
    return words.length ? [[...head, ...words, ...tokensOf(text.slice(end))].join(" ")] : [];
  });
}
