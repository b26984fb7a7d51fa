/** Calls → the text, ids and weights that the decoder learns to write. Source: tools/train/data.py, `classes` and `weigh`. */
import { special, type Tokenizer } from "../../runtime/text/tokenizer.ts";
import type { Call, FlatTool } from "../data/ground.ts";
import type { Sample } from "./network.ts";

/** Weights in the loss: what the grammar holds to, names and the decision to call nothing, keys, values. */
const weightOf = { structure: 1, name: 1.5, key: 1.25, value: 2 };

const utf8 = new TextEncoder();

/** The answer's text in pieces, each with its weight. */
function pieces(calls: readonly Call[]): [text: string, weight: number][] {
  const { structure, name, key, value } = weightOf;
  if (!calls.length)
    return [
      ["[", structure],
      ["]", name],
    ];
  const out: [string, number][] = [["[", structure]];
  for (const [i, call] of calls.entries()) {
    out.push([i ? ',{"name":"' : '{"name":"', structure], [call.name, name], ['","arguments":{', structure]);
    for (const [j, [parameter, given]] of Object.entries(call.arguments).entries())
      out.push(
        [j ? ',"' : '"', structure],
        [JSON.stringify(parameter).slice(1, -1), key],
        ['":', structure],
        [JSON.stringify(given), value],
      );
    out.push(["}}", structure]);
  }
  out.push(["]", structure]);
  return out;
}

/** Calls with their arguments in the order of the tool's parameters, so that none is left to guess which comes next. Source: tools/train/data.py, `in_order`. */
export function inOrder(calls: readonly Call[], tools: readonly FlatTool[]): Call[] {
  return calls.map((call) => {
    const keys = Object.keys(tools.find(({ name }) => name === call.name)?.parameters ?? {});
    const entries = Object.entries(call.arguments).sort(([one], [other]) => keys.indexOf(one) - keys.indexOf(other));
    return { ...call, arguments: Object.fromEntries(entries) };
  });
}

/** What the decoder is given and is to say for an answer, each id with the greatest weight of its bytes. */
export function target(calls: readonly Call[], tokenizer: Tokenizer): Pick<Sample, "given" | "wanted" | "weights"> {
  const parts = pieces(calls);
  const ids = tokenizer.tokenize(parts.map(([text]) => text).join(""));
  // One space stands before the text.
  const bytes = [0, ...parts.flatMap(([text, weight]) => Array<number>(utf8.encode(text).length).fill(weight))];
  const lengths = ids.map((id) => tokenizer.bytesOf(id).length);
  const fits = lengths.reduce((sum, n) => sum + n, 0) === bytes.length;
  let at = 0;
  const weights = lengths.map((length) => {
    const own = bytes.slice(at, at + length);
    at += length;
    // Where runs of spaces were collapsed, bytes no longer meet: all weigh the same.
    return fits ? Math.max(...own) : 1;
  });
  const { structure } = weightOf;
  return {
    given: [special.eos, special.toolCall, ...ids],
    wanted: [special.toolCall, ...ids, special.eos],
    weights: [structure, ...weights, structure],
  };
}

/** As `target`, as far as it says which tool is called first, or that none is. */
export function nameTarget(calls: readonly Call[], tokenizer: Tokenizer): Pick<Sample, "given" | "wanted" | "weights"> {
  const { given, wanted, weights } = target(calls.slice(0, 1), tokenizer);
  // The id after the name says that it ends there.
  const end = weights.lastIndexOf(weightOf.name) + 2;
  return { given: given.slice(0, end), wanted: wanted.slice(0, end), weights: weights.slice(0, end) };
}
