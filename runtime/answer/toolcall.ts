/** Finished text → calls: names and arguments, how sure the model was, and where each value stands in the request. */

import { isObject, type Json } from "../json.ts";
import type { Calibration } from "../pack/calibration.ts";
import type { Request } from "../text/request.ts";
import type { Tool } from "../tools/tools.ts";
import { type Certainty, confidenceOf, type Decision, decide, featuresOf, forbids, type Sureness } from "./decision.ts";
import type { Figures } from "./figures.ts";
import { ground, type ValueSource } from "./provenance.ts";

/** One call, with the tool's own name. */
export interface ToolCall<N extends string = string, A = Record<string, Json>> {
  name: N;
  arguments: A;
  certainty: Certainty;
  /** By argument, or by path within a nested one. */
  sources: Record<string, ValueSource>;
  /** How likely the call is right, 0 … 1, by the calibration that `thimble calibrate` fitted. */
  confidence: number;
  decision: Exclude<Decision, "none">;
}

/** A token of the answer that logits decided. Bytes count from the text's first, the space before the list. */
export interface Step {
  startByte: number;
  logProb: number;
  margin: number;
  /** Bytes of the token that came second. */
  second: Uint8Array;
}

/** What the loop has written. */
export interface Written {
  /** UTF-8 of the text, with the space before it. */
  bytes: Uint8Array;
  /** The tokens that logits decided. */
  steps: Step[];
  /** The token limit came first: the grammar's way out closed the last call. */
  cutShort: boolean;
}

/**
 * Reads the calls of a finished answer. Text that is no call list, which only free decoding can write, gives [].
 * `figures`: those of the request, if what they come to counts as said.
 */
export function readCalls(
  { bytes, steps, cutShort }: Written,
  tools: readonly Tool[],
  request: Request,
  calibration: Calibration,
  figures?: Figures,
): ToolCall[] {
  let list: unknown;
  try {
    list = JSON.parse(utf8.decode(bytes));
  } catch {
    return [];
  }
  if (!Array.isArray(list)) return [];
  const spans = callSpans(bytes);
  // Spans are those of the entries that have brackets or braces.
  const entries = list.filter((entry) => typeof entry === "object" && entry !== null);
  const isForbidden = forbids(request.text);
  const spent = new Map<number, number>();
  return entries.flatMap((call, i) => {
    const { name } = call;
    const given = call.arguments ?? {};
    if (typeof name !== "string" || !isObject(given) || !spans[i]) return [];
    const tool = tools.find(({ promptName }) => promptName === name);
    const certainty = certaintyOf(spans[i], bytes, tools, steps);
    const known = tool?.parameters ?? [];
    const { arguments: own, sources } = ground(given as Record<string, Json>, known, request, figures, spent);
    const count = Object.keys(own).length;
    const confidence = confidenceOf(featuresOf(certainty, sources, count, list.length - 1), calibration);
    const isWhole = !(cutShort && i === entries.length - 1);
    const mayAct = isWhole && Object.values(sources).every(({ grounded }) => grounded) && !isForbidden;
    const decision = decide(confidence, tool?.risk ?? "safe", calibration, mayAct);
    return [{ name: tool?.name ?? name, arguments: own, certainty, sources, confidence, decision }];
  });
}

const utf8 = new TextDecoder();

/** Bytes of one call: `open` where the list goes on to it, `nameEnd` after its name, `end` after its brace. */
interface CallSpan {
  open: number;
  start: number;
  nameEnd: number;
  end: number;
}

/** Finds the calls of a JSON list by its braces. */
function callSpans(bytes: Uint8Array): CallSpan[] {
  const spans: CallSpan[] = [];
  let [depth, inString, open] = [0, false, 0];
  let [start, nameEnd] = [-1, -1];
  for (let i = 0; i < bytes.length; i++) {
    const c = String.fromCharCode(bytes[i]);
    if (inString) {
      if (c === "\\") i++;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === "{" || c === "[") {
      depth++;
      if (depth === 2) [start, nameEnd] = [i, -1];
    } else if (c === "}" || c === "]") {
      depth--;
      if (depth === 1) {
        spans.push({ open, start, nameEnd: nameEnd < 0 ? i : nameEnd, end: i + 1 });
        open = i + 1;
      }
    } else if (c === "," && depth === 2 && nameEnd < 0) nameEnd = i;
  }
  return spans;
}

function certaintyOf(span: CallSpan, bytes: Uint8Array, tools: readonly Tool[], steps: readonly Step[]): Certainty {
  const within = (end: number) => steps.filter(({ startByte }) => startByte >= span.open && startByte < end);
  const naming = within(span.nameEnd);
  const closest = naming.reduce<Step | null>(
    (least, step) => (least && least.margin <= step.margin ? least : step),
    null,
  );
  return {
    name: sureness(naming),
    call: sureness(within(span.end)),
    runnerUp: closest && runnerUp(closest, span, bytes, tools),
  };
}

function sureness(steps: readonly Step[]): Sureness {
  return {
    logProb: steps.reduce((sum, { logProb }) => sum + logProb, 0),
    margin: steps.reduce((least, { margin }) => Math.min(least, margin), Number.POSITIVE_INFINITY),
  };
}

/** The first tool whose call begins as the text would with the second token in a step's place. */
function runnerUp(step: Step, span: CallSpan, bytes: Uint8Array, tools: readonly Tool[]): string | null {
  const before = bytes.subarray(span.start, step.startByte);
  const prefix = utf8.decode(before) + utf8.decode(step.second);
  // A token may begin before the call's brace, with the list's bracket or comma.
  const text = step.startByte < span.start ? prefix.slice(span.start - step.startByte) : prefix;
  const taken = utf8.decode(bytes.subarray(span.start, span.nameEnd));
  const found = tools.find(({ promptName }) => {
    const call = `{"name":"${promptName}"`;
    return call !== taken && (call.startsWith(text) || text.startsWith(call));
  });
  return text.startsWith("{") ? (found?.name ?? null) : null;
}
