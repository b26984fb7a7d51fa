/** A report as tables for a terminal, and two of them side by side. */
import { table } from "../command.ts";
import { percentile } from "../eval/statistics.ts";
import { boardLine } from "./board.ts";
import type { Line, Report, Series } from "./report.ts";

type Row = (string | number)[];

export function render(report: Report): string {
  const { calls, coldStart, memory, drift } = report;
  const percentileRow = (name: string, kind: "total" | "prefill" | "decode", rate?: number): Row => {
    const { p50Ms, p95Ms, p99Ms, leastMs, mostMs } = calls[kind];
    return [
      name,
      ...[p50Ms, p95Ms, p99Ms, leastMs, mostMs].map(ms),
      rate === undefined ? "" : cell(rate.toFixed(0), 10),
    ];
  };
  const lineRow = ({ part, name, p50Ms, share }: Line): Row => [part, name, ms(p50Ms), percent(share)];
  const blocks = [
    facts(report),
    table([
      [`${calls.count} calls`, ...["p50 ms", "p95", "p99", "least", "most"].map((head) => cell(head)), "  tokens/s"],
      percentileRow("whole call", "total"),
      percentileRow("prefill", "prefill", calls.prefillTokensPerSecond),
      percentileRow("decode", "decode", calls.decodeTokensPerSecond),
    ]),
    table([["stage", "", cell("p50 ms"), cell("share", 7)], ...report.stages.map(lineRow)]),
    table([["layer", "", cell("p50 ms"), cell("share", 7)], ...report.layers.map(lineRow)]),
    timingLine(report),
    table([
      [`cold start, ${coldStart.runs} processes`, cell("p50 ms"), cell("RSS MiB")],
      ...coldStart.phases.map(({ phase, ms: spent, rssBytes }): Row => [phase, ms(spent), cell(mebibytes(rssBytes))]),
      ["whole", ms(coldStart.totalMs), ""],
    ]),
    table([
      ["linear memory", cell("from", 10), cell("bytes", 10)],
      ...groups(report).map(
        ({ name, offsetBytes, bytes }): Row => [name, cell(String(offsetBytes), 10), cell(String(bytes), 10)],
      ),
      ["whole", cell("0", 10), cell(String(memory.linearBytes), 10)],
    ]),
    table([
      ...allocationRows(report),
      ["peak RSS", `${mebibytes(memory.peakRssBytes)} MiB`],
      ...systemRows(report),
      ["drift", `${signedPercent(drift.change)} from the first to the last tenth of ${drift.seconds.toFixed(0)} s`],
    ]),
  ];
  return blocks.join("\n\n");
}

/** What a call leaves behind. */
export function allocationRows({ allocations: { heapBytes, retainedBytes, linearBytes } }: Report): [string, string][] {
  const kibibytes = (bytes: number, digits: number) => `${(bytes / 1024).toFixed(digits)} KiB on the JavaScript heap`;
  const absent = "not available: the host counts its heap only when it collects";
  return [
    ["allocated a call", heapBytes === null ? absent : kibibytes(heapBytes, 0)],
    ["kept a call", `${kibibytes(retainedBytes, 1)}, ${linearBytes} bytes of linear memory`],
  ];
}

/** What the timed calls are, and the price of timing them: as measured, and by the clock's reads alone. */
export function timingLine({ timing, calls }: Report): string {
  const { kernelCalls, readNanos, resolutionMicros, overhead } = timing;
  const reads = (2 * kernelCalls * readNanos) / 1e6 / calls.total.p50Ms;
  return `From ${timing.calls} calls timed kernel by kernel between the others. The timing costs ${signedPercent(overhead)} as measured, ${signedPercent(reads, 2)} by its clock reads: ${kernelCalls} kernel calls, ${readNanos.toFixed(0)} ns a read, steps of ${resolutionMicros.toFixed(2)} µs.`;
}

/** What was measured, where and when. */
function facts({ board, model, request, date, command }: Report): string {
  const { promptTokens, answerTokens, forcedTokens } = request;
  return `${boardLine(board)}, ${board.system}
${model.name}, ${mebibytes(model.packBytes)} MiB, ${model.kernels} kernels
${JSON.stringify(request.text)}: ${promptTokens} prompt tokens, ${answerTokens} answer tokens, ${forcedTokens} of them forced, ${request.calls} calls
${command}, ${date}`;
}

/** First, least, most and last of each series. */
function systemRows({ system, energy }: Report): Row[] {
  const { unavailable } = system;
  const range = (values: (number | null)[], digits: number) => {
    const known = values.filter((value) => value !== null);
    const ends = [known[0], known.at(-1), percentile(known, 0), percentile(known, 1)] as number[];
    const [first, last, least, most] = ends.map((value) => value.toFixed(digits));
    return `${first} → ${last}, ${least} to ${most}`;
  };
  const some = (values: (number | null)[]) => values.some((value) => value !== null);
  const rss = system.rssBytes.map((bytes) => bytes / 2 ** 20);
  const rows: Row[] = [["RSS", `${range(rss, 1)} MiB`]];
  rows.push([
    "CPU clock",
    some(system.frequencyMHz) ? `${range(system.frequencyMHz, 0)} MHz` : `not available: ${unavailable.frequency}`,
  ]);
  const channels = (label: string, unit: string, list: Series["powerW"], reason: string | null) => {
    const known = list.filter(({ values }) => some(values));
    if (!known.length) rows.push([label, `not available: ${reason ?? "it told nothing during the run"}`]);
    for (const { name, values } of known) {
      const mean = energy.find((one) => unit === "W" && one.name === name);
      const perCall = mean ? `; ${mean.millijoulesPerCall.toFixed(1)} mJ a call` : "";
      rows.push([label, `${range(values, unit === "W" ? 2 : 1)} ${unit}, ${name}${perCall}`]);
    }
  };
  channels("temperature", "°C", system.temperatureC, unavailable.temperature);
  channels("power", "W", system.powerW, unavailable.power);
  return rows;
}

/** Regions that follow each other and are of one kind, as one. */
export function groups({ memory }: Report): Report["memory"]["regions"] {
  const joined: Report["memory"]["regions"] = [];
  for (const { name, offsetBytes, bytes } of memory.regions) {
    const kind = kindOf(name);
    const last = joined.at(-1);
    if (last?.name === kind) last.bytes = offsetBytes + bytes - last.offsetBytes;
    else joined.push({ name: kind, offsetBytes, bytes });
  }
  return joined;
}

/** "weights encoder.3" → "weights encoder", "session decoder.0 self k" → "session KV caches". */
export function kindOf(region: string): string {
  if (region.startsWith("record")) return "records";
  if (region.startsWith("weights")) return region.replace(/\.\d+$/, "");
  return /^session (encoder|decoder\.\d+)/.test(region) ? "session KV caches" : "session buffers";
}

/** Two reports beside each other, b relative to a. */
export function renderComparison(a: Report, b: Report): string {
  const rows: Row[] = [["", cell("a"), cell("b"), cell("b / a", 7)]];
  const row = (name: string, of: (report: Report) => number | null | undefined, digits = 2) => {
    const [x, y] = [of(a) ?? null, of(b) ?? null];
    if (x === null && y === null) return;
    const show = (value: number | null) => cell(value === null ? "-" : value.toFixed(digits));
    rows.push([name, show(x), show(y), cell(x && y ? (y / x).toFixed(2) : "-", 7)]);
  };
  for (const share of ["p50Ms", "p95Ms", "p99Ms"] as const) {
    row(`whole call ${share.slice(0, 3)}, ms`, ({ calls }) => calls.total[share]);
  }
  row("prefill, tokens/s", ({ calls }) => calls.prefillTokensPerSecond, 0);
  row("decode, tokens/s", ({ calls }) => calls.decodeTokensPerSecond, 0);
  for (const kind of ["stages", "layers"] as const) {
    for (const key of union(a, b, (report) => report[kind].map(({ part, name }) => `${part} ${name}`)))
      row(`${key}, ms`, (report) => report[kind].find(({ part, name }) => `${part} ${name}` === key)?.p50Ms);
  }
  for (const key of union(a, b, ({ coldStart }) => coldStart.phases.map(({ phase }) => phase)))
    row(`cold start, ${key}, ms`, ({ coldStart }) => coldStart.phases.find(({ phase }) => phase === key)?.ms);
  row("cold start, ms", ({ coldStart }) => coldStart.totalMs);
  row("linear memory, MiB", ({ memory }) => memory.linearBytes / 2 ** 20);
  row("peak RSS, MiB", ({ memory }) => memory.peakRssBytes / 2 ** 20, 1);
  row("allocated a call, KiB", ({ allocations: { heapBytes } }) => heapBytes && heapBytes / 1024, 0);
  for (const key of union(a, b, ({ energy }) => energy.map(({ name }) => name)))
    row(`${key}, mJ a call`, ({ energy }) => energy.find(({ name }) => name === key)?.millijoulesPerCall);
  return [`a: ${facts(a)}`, `b: ${facts(b)}`, table(rows), caveats(a, b).join("\n")].filter(Boolean).join("\n\n");
}

/** What speaks against reading the ratios as one change's effect. */
export function caveats(a: Report, b: Report): string[] {
  const middle = ({ calls }: Report) => [0.25, 0.75].map((share) => percentile(calls.totalMs, share) as number);
  const [[fromA, toA], [fromB, toB]] = [middle(a), middle(b)];
  const found: string[] = [];
  const differs = (what: string, of: (report: Report) => unknown) => {
    if (JSON.stringify(of(a)) !== JSON.stringify(of(b))) found.push(`a and b differ in ${what}`);
  };
  differs("the board", ({ board: { name, cpu, memoryBytes } }) => [name, cpu, memoryBytes]);
  differs("the host", ({ board }) => board.host);
  differs("the model", ({ model: { geometry, packBytes } }) => [geometry, packBytes]);
  differs("the kernels", ({ model }) => model.kernels);
  differs("the request", ({ request }) => [request.text, request.promptTokens]);
  if (fromA <= toB && fromB <= toA) {
    const halves = `${fromA.toFixed(2)} to ${toA.toFixed(2)} ms and ${fromB.toFixed(2)} to ${toB.toFixed(2)} ms`;
    found.push(`the middle halves of the whole calls overlap (${halves}): the difference may be noise`);
  }
  return found;
}

function union(a: Report, b: Report, names: (report: Report) => string[]): string[] {
  return [...new Set([...names(a), ...names(b)])];
}

const cell = (text: string, width = 9) => text.padStart(width);
const ms = (value: number) => cell(value.toFixed(2));
const percent = (share: number) => cell(`${(100 * share).toFixed(1)}%`, 7);
export const signedPercent = (share: number, digits = 1) =>
  `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(digits)}%`;
export const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
