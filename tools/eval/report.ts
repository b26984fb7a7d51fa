/** Results → what is printed: one object for --json, tables for a terminal or Markdown. */
import { snakeCase } from "../../runtime/tools/prompt.ts";
import { table } from "../command.ts";
import type { Result, Retrieval } from "./answers.ts";
import { faultNames, metrics } from "./metrics.ts";
import { type Difference, type Estimate, estimates, percentile } from "./statistics.ts";

/** What `--json` prints. */
export interface Report {
  files: { path: string; examples: number }[];
  runs: Run[];
  /** Of the contrastive head, where asked for. */
  retrieval?: Retrieval;
}

export interface Run {
  /** Path of the pack, or the endpoint's model and address. */
  model: string;
  /** A way of `--decode`, or endpoint. */
  decoding: string;
  /** Build of the kernels; null for an endpoint. */
  kernels: string | null;
  elapsedMs: number;
  examples: number;
  /** Keys: `metrics` in metrics.ts. */
  metrics: Record<string, Estimate>;
  /** The same by file, source, calls, kind, tools (their number) and seen. */
  groups: Record<string, Record<string, { examples: number; metrics: Record<string, Estimate> }>>;
  /** Examples without an answer, by reason. */
  failures: Record<string, number>;
  cutShort: number;
  /** Requests sent again after a refusal. */
  retries: number;
  latencyMs: { p50: number | null; p90: number | null; p99: number | null; most: number | null };
  prefillMs: { p50: number | null };
  promptTokens: { p50: number | null; most: number | null };
  /** Faults by their name. */
  faults: Record<string, number>;
  /** Answers other than the first run's. */
  differing?: Differing[];
  results: Result[];
}

export interface Differing extends Pick<Result, "file" | "line" | "request" | "want"> {
  /** The first run's answer, and its least top-2 gap: small where it was a guess. */
  first: Result["got"];
  margin?: number;
  other: Result["got"];
}

/** Answers of a run that are not the first run's, of the same examples in the same order. */
export function differing(first: readonly Result[], other: readonly Result[]): Differing[] {
  return first.flatMap(({ file, line, request, want, got, margin }, i) =>
    JSON.stringify(got) === JSON.stringify(other[i].got)
      ? []
      : [{ file, line, request, want, first: got, margin, other: other[i].got }],
  );
}

export type RunFacts = Pick<Run, "model" | "decoding" | "kernels" | "elapsedMs">;

/** `seen`: prompt names of the tools in the training files, null without any. */
export function summarize(facts: RunFacts, results: Result[], seen: Set<string> | null): Run {
  const tally = (names: (string | undefined)[]) => {
    const counted: Record<string, number> = {};
    for (const name of names) if (name !== undefined) counted[name] = (counted[name] ?? 0) + 1;
    return counted;
  };
  const spread = (of: (result: Result) => number | undefined) =>
    results.map(of).filter((value) => value !== undefined) as number[];
  const times = spread(({ totalMs }) => totalMs);
  const prompts = spread(({ promptTokens }) => promptTokens);
  const byName = tally(results.flatMap(({ faults }) => faults.map(({ fault }) => fault)));
  return {
    ...facts,
    examples: results.length,
    metrics: estimates(results.map(({ counts }) => counts)),
    groups: groupsOf(results, seen),
    failures: tally(results.map(({ failure }) => failure)),
    cutShort: results.filter(({ cutShort }) => cutShort).length,
    retries: results.reduce((total, { retries }) => total + (retries ?? 0), 0),
    latencyMs: {
      p50: percentile(times, 0.5),
      p90: percentile(times, 0.9),
      p99: percentile(times, 0.99),
      most: percentile(times, 1),
    },
    prefillMs: {
      p50: percentile(
        spread(({ prefillMs }) => prefillMs),
        0.5,
      ),
    },
    promptTokens: { p50: percentile(prompts, 0.5), most: percentile(prompts, 1) },
    faults: Object.fromEntries(faultNames.filter((name) => byName[name]).map((name) => [name, byName[name]])),
    results,
  };
}

/** A grouping that tells no two examples apart is left out. */
function groupsOf(results: Result[], seen: Set<string> | null): Run["groups"] {
  const groupings: Record<string, (result: Result) => string | undefined> = {
    file: ({ file }) => file,
    source: ({ source }) => source,
    calls: ({ want }) => (want.length === 0 ? "none" : want.length === 1 ? "single" : "several"),
    kind: ({ kind }) => kind,
    tools: ({ tools }) => bucket(tools.length),
    seen: (result) => (seen ? seenOrNot(result, seen) : undefined),
  };
  const groups: Run["groups"] = {};
  const partitions = new Set<string>();
  for (const [grouping, nameOf] of Object.entries(groupings)) {
    const members = new Map<string, Result[]>();
    for (const result of results) {
      const name = nameOf(result);
      if (name !== undefined) members.set(name, [...(members.get(name) ?? []), result]);
    }
    const partition = [...members].map(([name, list]) => `${name} ${list.length}`).join();
    if (members.size < 2 || partitions.has(partition)) continue;
    partitions.add(partition);
    const named = [...members].map(([name, list]) => [
      name,
      { examples: list.length, metrics: estimates(list.map(({ counts }) => counts)) },
    ]);
    groups[grouping] = Object.fromEntries(named.sort(([a], [b]) => order(a as string, b as string)));
  }
  return groups;
}

const buckets = ["none", "single", "several", "1 tool", "2-3 tools", "4-5 tools", "6-8 tools", "9+ tools"];

function bucket(tools: number): string {
  return buckets[tools <= 1 ? 3 : tools <= 3 ? 4 : tools <= 5 ? 5 : tools <= 8 ? 6 : 7];
}

function order(a: string, b: string): number {
  return buckets.indexOf(a) - buckets.indexOf(b) || (a < b ? -1 : 1);
}

/** By the tools that should be called; a request that no tool fits stands in neither group. */
function seenOrNot({ counts, want, tools }: Result, seen: Set<string>): string | undefined {
  if (counts.noneWanted) return undefined;
  const wanted = tools.filter((name) => want.some((call) => snakeCase(call.name) === name));
  return wanted.every((name) => seen.has(name)) ? "seen" : "unseen";
}

export type Style = "terminal" | "markdown";
type Row = (string | number)[];

/** Tables of a report: all examples, by group, faults, worst examples. */
export function render(report: Report, style: Style, worst: number): string {
  const { runs, files, retrieval } = report;
  const blocks = [title(report)];
  const several = runs.length > 1;
  const rows: Row[] = [["all examples", ...runs.map(({ decoding }) => decoding)]];
  const line = (label: string, of: (run: Run) => string) => rows.push([label, ...runs.map(of)]);
  for (const { key, label } of metrics) line(label, (run) => withInterval(run.metrics[key]));
  const named = (of: (run: Run) => object | undefined) => [
    ...new Set(runs.flatMap((run) => Object.keys(of(run) ?? {}))),
  ];
  for (const failure of named((run) => run.failures))
    line(failure, (run) => `${run.failures[failure] ?? 0} of ${run.examples}`);
  if (runs.some(({ cutShort }) => cutShort)) line("cut short", ({ cutShort }) => String(cutShort));
  if (runs.some(({ retries }) => retries)) line("sent again", ({ retries }) => String(retries));
  if (runs.some(({ differing }) => differing)) {
    line("other answers", ({ differing, examples }) => (differing ? `${differing.length} of ${examples}` : "-"));
  }
  line("latency p50, p90, p99", ({ latencyMs: { p50, p90, p99 } }) => `${[p50, p90, p99].map(whole).join(", ")} ms`);
  if (runs.some(({ prefillMs }) => prefillMs.p50 !== null))
    line("prefill p50", ({ prefillMs }) => `${whole(prefillMs.p50)} ms`);
  blocks.push(draw(rows, style));

  const shown = metrics.filter(({ key }) => key !== "parsed" && key !== "hallucinated");
  for (const grouping of named(({ groups }) => groups)) {
    const head: Row = [grouping, "n", ...(several ? ["decoding"] : []), ...shown.map(({ label }) => label)];
    // Of several acceptable answers each run has its own: one may have a group that another lacks.
    const body = named(({ groups }) => groups[grouping])
      .sort(order)
      .flatMap((name) =>
        runs.map(({ decoding, groups }): Row => {
          const group = groups[grouping]?.[name];
          const cells = shown.map(({ key }) => share(group?.metrics[key].value ?? null));
          return [name, group?.examples ?? "-", ...(several ? [decoding] : []), ...cells];
        }),
      );
    blocks.push(draw([head, ...body], style));
  }

  if (retrieval) {
    const { recall, mrr, examples, meanTools } = retrieval;
    const head: Row = ["retrieval", "n", "tools, mean", "recall@1", "recall@3", "recall@5", "MRR"];
    const shares = [recall[1], recall[3], recall[5], mrr].map(share);
    blocks.push(draw([head, ["contrastive head", examples, meanTools?.toFixed(1) ?? "-", ...shares]], style));
  }

  const faults = faultNames.filter((name) => runs.some((run) => run.faults[name]));
  const faultRows = faults.map((name): Row => [name, ...runs.map((run) => run.faults[name] ?? 0)]);
  if (faults.length) blocks.push(draw([["faults", ...runs.map(({ decoding }) => decoding)], ...faultRows], style));
  const examples = worst ? worstExamples(runs[0].results, worst) : [];
  if (examples.length) blocks.push(`worst, ${runs[0].decoding}:\n\n${examples.map(renderExample).join("\n")}`);
  for (const { decoding, differing } of runs) {
    const some = differing?.slice(0, worst);
    if (some?.length)
      blocks.push(`${decoding}, answers other than ${runs[0].decoding}:\n\n${some.map(renderDiffering).join("\n")}`);
  }
  const read = files.map(({ path, examples }) => `${path} (${examples})`).join(", ");
  return `${blocks.join("\n\n")}\n\n${read}. Intervals: 95%, bootstrap over examples.`;
}

function title({ runs: [run] }: Report): string {
  return `${run.model}: ${run.examples} examples${run.kernels ? `, ${run.kernels} kernels` : ""}`;
}

/** A comparison of two runs. */
export function renderComparison(names: [string, string], rows: Difference[], note: string, style: Style): string {
  const head: Row = ["metric", "a", "b", "b - a", "95%", "p", "test"];
  const body = rows.map(({ label, a, b, difference, p, test }): Row => {
    const interval = `${signed(difference.low)} … ${signed(difference.high)}`;
    const mark = p === null ? "-" : p < 0.002 ? "< 0.002" : p.toFixed(3);
    return [label, share(a), share(b), signed(difference.value), interval, mark, test];
  });
  return `a: ${names[0]}\nb: ${names[1]}\n${note}\n\n${draw([head, ...body], style)}`;
}

/** The examples with the most faults, those about a whole tool counting threefold. */
function worstExamples(results: readonly Result[], count: number): Result[] {
  const weight = ({ faults }: Result) =>
    faults.reduce((total, { fault }) => total + (/parameter|value/.test(fault) ? 1 : 3), 0);
  return results
    .filter(({ faults }) => faults.length)
    .sort((a, b) => weight(b) - weight(a))
    .slice(0, count);
}

function renderExample({ file, line, request, want, got, text, failure, faults }: Result): string {
  const said = failure ?? (got ? calls(got) : JSON.stringify(text));
  const why = faults.map(({ fault, at }) => (at ? `${fault} ${at}` : fault)).join(", ");
  return `- ${file}:${line} ${JSON.stringify(request)}\n    want ${calls(want)}\n    got  ${said}\n    ${why}`;
}

function renderDiffering({ file, line, request, want, first, margin, other }: Differing): string {
  const [wanted, one, two] = [want, first, other].map((list) => (list ? calls(list) : "no call list"));
  const gap = margin === undefined ? "" : `, margin ${margin.toFixed(2)}`;
  return `- ${file}:${line} ${JSON.stringify(request)}\n    want  ${wanted}\n    first ${one}${gap}\n    other ${two}`;
}

function calls(list: Result["want"]): string {
  return list.map(({ name, arguments: args }) => `${name} ${JSON.stringify(args)}`).join("; ") || "no tool fits";
}

function draw(rows: Row[], style: Style): string {
  if (style === "terminal") return table(rows);
  const line = (cells: Row) => `| ${cells.join(" | ")} |`;
  const [head, ...body] = rows;
  return [line(head), line(head.map((_, i) => (i ? "--:" : "---"))), ...body.map(line)].join("\n");
}

function withInterval({ value, low, high }: Estimate): string {
  return value === null ? "-" : `${share(value)} [${share(low)}, ${share(high)}]`;
}

const share = (value: number | null) => (value === null ? "-" : value.toFixed(3));
const whole = (value: number | null) => (value === null ? "-" : value.toFixed(0));
const signed = (value: number | null) => (value === null ? "-" : `${value < 0 ? "" : "+"}${value.toFixed(3)}`);
