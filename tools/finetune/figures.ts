/** Which figures of a before and after are shown, in what order. */
import type { Difference } from "../eval/statistics.ts";
import type { Judged } from "./judge.ts";

const shown = ["exact", "callF1", "nameF1", "values", "noneRecall", "falseRefusals"];

/** The figures that matter, as far as there was something to judge. */
export const figures = ({ differences }: Judged): Difference[] =>
  differences
    .filter(({ key, a, b }) => shown.includes(key) && (a !== null || b !== null))
    .sort((a, b) => shown.indexOf(a.key) - shown.indexOf(b.key));
