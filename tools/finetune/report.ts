/** What a run did, in the terminal. */
import { table } from "../command.ts";
import type { Report } from "./course.ts";
import { figures } from "./figures.ts";
import type { Group, Judged } from "./judge.ts";

export function reportText({ own, general, tools, cells, wrong, ...run }: Report): string {
  const { examples, spentMs, perSecond, end, share, calibration } = run;
  return `${tableOf(own)}

${tableOf(general)}

${groupTable("tool", tools)}
${cells ? `\n${groupTable("what is new", cells)}\n` : ""}
${wrong.map(({ request, wants, gets }) => `- ${JSON.stringify(request)}\n    wants ${wants}\n    gets  ${gets}`).join("\n")}

${examples} examples in ${(spentMs / 1000).toFixed(0)} s, ${perSecond.toFixed(1)} a second${end === "no better" ? "; ended early: no look was better" : ""}
${share < 1 ? `went back to ${share} of what was learned, to keep what was known\n` : ""}${calibration ? "when to act was fitted anew" : "when to act is the model's own: too few calls to fit it anew"}`;
}

/** A table of the figures that matter, with the difference's interval. */
function tableOf(judged: Judged): string {
  const share = (x: number | null) => (x === null ? "-" : x.toFixed(3));
  const signed = (x: number | null) => (x === null ? "-" : `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(3)}`);
  const rows = figures(judged).map(({ label, a, b, difference: { value, low, high } }) => [
    label,
    share(a),
    share(b),
    signed(value),
    `${signed(low)} … ${signed(high)}`,
  ]);
  return table([[`${judged.name}, ${judged.examples}`, "before", "after", "change", "95%"], ...rows]);
}

function groupTable(title: string, groups: readonly Group[]): string {
  const rows = groups.map(({ name, examples, before, after }) => [name, examples, before.toFixed(3), after.toFixed(3)]);
  return table([[title, "examples", "exact before", "after"], ...rows]);
}
