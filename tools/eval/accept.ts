/**
 * Several right answers to a request, written short → each of them written out.
 *
 *   [[{ name: "set_alarm", arguments: { time: ["7:15"], day: ["friday", null] } }]]
 *     set_alarm {time: "7:15", day: "friday"}, or set_alarm {time: "7:15"}
 *
 * The form is that of the Berkeley Function-Calling Leaderboard's possible answers, with null for its "".
 */
import { type Call, callsOf } from "./metrics.ts";

/** Answers that one line may stand for. */
const mostAnswers = 1000;

/**
 * Writes out every acceptable answer, the first values of the first one at the head.
 * Throws: Error for another form, for an argument without a value, and for more than a thousand answers.
 */
export function acceptable(value: unknown): Call[][] {
  const form = "expected a list of answers whose arguments are lists of right values";
  if (!Array.isArray(value) || !value.length) throw new Error(`accept: ${form}, got ${shown(value)}`);
  const answers: Call[][] = [];
  for (const [i, entry] of value.entries()) {
    const calls = callsOf(entry);
    if (!calls) throw new Error(`accept[${i}]: expected a list of {name, arguments}, got ${shown(entry)}`);
    for (const { name, arguments: args } of calls)
      for (const [key, values] of Object.entries(args))
        if (!Array.isArray(values) || !values.length)
          throw new Error(
            `accept[${i}].${name}.${key}: expected a list of right values, got ${shown(values)}; wrap it in [ ]`,
          );
    const choices = calls.flatMap((call) => Object.values(call.arguments) as unknown[][]);
    const count = choices.reduce((sofar, values) => sofar * values.length, 1) + answers.length;
    if (count > mostAnswers)
      throw new Error(`accept[${i}]: expected at most ${mostAnswers} answers in all, got ${count}; name fewer values`);
    answers.push(...product(calls.map(writtenOut)));
  }
  return answers;
}

/** A call once for each choice of its values; null leaves the argument out. */
function writtenOut({ name, arguments: args }: Call): Call[] {
  const choices = Object.entries(args).map(([key, values]) => (values as unknown[]).map((value) => [key, value]));
  return product(choices).map((pairs) => ({
    name,
    arguments: Object.fromEntries(pairs.filter(([, value]) => value !== null)),
  }));
}

/** One of each list, in every way; the first of each first. */
function product<T>(lists: readonly T[][]): T[][] {
  return lists.reduce<T[][]>((heads, list) => heads.flatMap((head) => list.map((item) => [...head, item])), [[]]);
}

const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 40) ?? "nothing";
