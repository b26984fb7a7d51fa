/** A report as one page that needs nothing else: tables as HTML, charts by uPlot, which is written into the page. */
import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import { percentile } from "../eval/statistics.ts";
import { boardLine } from "./board.ts";
import { type Chart, draw } from "./charts.ts";
import type { Line, Report, Series } from "./report.ts";
import { allocationRows, groups, kindOf, mebibytes, signedPercent, timingLine } from "./tables.ts";

/** Channels that a chart shows at most: those that changed most. */
const mostChannels = 6;

export function page(report: Report): string {
  const { board, model, request, calls, coldStart, memory, system, drift, energy } = report;
  const { unavailable } = system;
  const charts = chartsOf(report);
  const chart = (id: string, title: string, absent?: string | null) => {
    const known = charts.some((one) => one.id === id);
    const body = known
      ? `<div id="${id}"></div>`
      : `<p class="dim">not available: ${escaped(absent ?? "no readings")}</p>`;
    return `<figure><figcaption>${title}</figcaption>${body}</figure>`;
  };
  const tile = (name: string, value: string, note = "") =>
    `<div class="tile"><span>${name}</span><b>${value}</b><small>${escaped(note)}</small></div>`;
  const { total } = calls;
  const percentileRow = (name: string, kind: "total" | "prefill" | "decode", rate: string): Cell[] => {
    const { p50Ms, p95Ms, p99Ms, leastMs, mostMs } = calls[kind];
    return [name, ...[p50Ms, p95Ms, p99Ms, leastMs, mostMs].map((value) => value.toFixed(1)), rate];
  };
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>thimble profile: ${escaped(board.name ?? board.cpu)}, ${total.p50Ms.toFixed(1)} ms</title>
<link rel="icon" href="data:,">
<style>${library("uPlot.min.css")}${style}</style>
<!-- The charts are drawn by uPlot.
${library("LICENSE")}-->
<main>
<header>
<h1>thimble profile</h1>
<p>${escaped(boardLine(board))}<br>${escaped(board.system)}</p>
<p>${escaped(model.name)}, ${mebibytes(model.packBytes)} MiB, ${model.kernels} kernels<br>
“${escaped(request.text)}”: ${request.promptTokens} prompt tokens, ${request.answerTokens} answer tokens, ${request.forcedTokens} of them forced, ${request.calls} calls</p>
<p class="dim"><code>${escaped(report.command)}</code>, ${report.date.slice(0, 16).replace("T", " ")} UTC</p>
</header>
<section class="tiles">
${tile("whole call, p50", `${total.p50Ms.toFixed(1)} ms`, `p95 ${total.p95Ms.toFixed(1)}, p99 ${total.p99Ms.toFixed(1)} of ${calls.count}`)}
${tile("prefill", `${calls.prefillTokensPerSecond.toFixed(0)} tokens/s`, `${calls.prefill.p50Ms.toFixed(1)} ms`)}
${tile("decode", `${calls.decodeTokensPerSecond.toFixed(0)} tokens/s`, `${calls.decode.p50Ms.toFixed(1)} ms`)}
${tile("cold start to first answer", `${coldStart.totalMs.toFixed(0)} ms`, `median of ${coldStart.runs} processes`)}
${tile("peak RSS", `${mebibytes(memory.peakRssBytes)} MiB`, `${mebibytes(memory.linearBytes)} MiB linear memory`)}
${energy[0] ? tile("energy a call", `${energy[0].millijoulesPerCall.toFixed(0)} mJ`, `${energy[0].meanW.toFixed(2)} W mean, ${energy[0].name}`) : ""}
</section>

<h2>Calls</h2>
${rows(
  ["", "p50 ms", "p95", "p99", "least", "most", "tokens/s"],
  [
    percentileRow("whole call", "total", ""),
    percentileRow("prefill", "prefill", calls.prefillTokensPerSecond.toFixed(0)),
    percentileRow("decode", "decode", calls.decodeTokensPerSecond.toFixed(0)),
  ],
)}
${chart("calls", `Each call, and the median of each tenth of ${drift.seconds.toFixed(0)} s: ${signedPercent(drift.change)} from the first tenth to the last`)}

<h2>Where a call’s time goes</h2>
${strip(report.stages.map(({ part, name, share, p50Ms }, i) => ({ share, color: i, title: `${part}, ${name}: ${p50Ms.toFixed(2)} ms` })))}
${rows(["stage", "p50 ms", "share"], report.stages.map(lineRow))}
${chart("layers", "Each layer, p50")}
<p class="dim">${timingLine(report)}</p>

<h2>Cold start</h2>
${strip(coldStart.phases.map(({ phase, ms }, i) => ({ share: ms / coldStart.totalMs, color: i, title: `${phase}: ${ms.toFixed(1)} ms` })))}
${rows(
  ["phase", "p50 ms", "RSS after, MiB"],
  coldStart.phases.map(({ phase, ms, rssBytes }, i) => [
    { text: phase, swatch: i },
    ms.toFixed(1),
    mebibytes(rssBytes),
  ]),
)}

<h2>Memory</h2>
${memoryMap(report)}
${rows(["a call", ""], allocationRows(report))}
${chart("rss", "Resident memory (RSS)")}

<h2>Machine</h2>
${chart("clock", "Clock of the CPU that ran the calls", unavailable.frequency)}
${chart("heat", "Temperature", unavailable.temperature)}
${chart("power", "Power", unavailable.power)}
${
  board.clocks.length
    ? rows(
        ["CPUs", "least MHz", "most MHz", "governor"],
        board.clocks.map(({ cpus, leastMHz, mostMHz, governor }) => [
          cpus,
          leastMHz.toFixed(0),
          mostMHz.toFixed(0),
          governor ?? "",
        ]),
      )
    : ""
}
</main>
<script>${library("uPlot.iife.min.js")}</script>
<script>(${draw})(uPlot, ${inScript(charts)});</script>
</html>
`;
}

function chartsOf({ calls, drift, layers, system }: Report): Chart[] {
  const seconds = system.atMs.map((ms) => ms / 1000);
  const medians = calls.startMs.map((at) => drift.windows.find(({ toMs }) => at < toMs)?.p50Ms ?? null);
  const series = (id: string, unit: string, list: Series["powerW"]): Chart => ({
    id,
    unit,
    x: seconds,
    series: list.map(({ name, values }) => ({ label: name, kind: "line", values })),
  });
  const kinds = [...new Set(layers.map(({ name }) => name.split(".")[0]))];
  const all: Chart[] = [
    {
      id: "calls",
      unit: "ms",
      x: calls.startMs.map((ms) => ms / 1000),
      series: [
        { label: "a call", kind: "points", values: calls.totalMs },
        { label: "median", kind: "line", values: medians },
      ],
    },
    {
      id: "layers",
      unit: "ms",
      places: layers.map(({ name }) => name),
      x: layers.map((_, i) => i),
      series: kinds.map((kind) => ({
        label: kind,
        kind: "bars",
        values: layers.map(({ name, p50Ms }) => (name.startsWith(`${kind}.`) ? p50Ms : null)),
      })),
    },
    series("rss", "MiB", [{ name: "RSS", values: system.rssBytes.map((bytes) => bytes / 2 ** 20) }]),
    series("clock", "MHz", [{ name: "clock", values: system.frequencyMHz }]),
    series("heat", "°C", liveliest(system.temperatureC)),
    series("power", "W", liveliest(system.powerW)),
  ];
  return all.filter(({ series }) => series.some(({ values }) => values.some((value) => value !== null)));
}

/** The channels whose readings went furthest. */
function liveliest(channels: Series["powerW"]): Series["powerW"] {
  const reach = ({ values }: Series["powerW"][number]) => {
    const known = values.filter((value) => value !== null);
    return known.length ? (percentile(known, 1) as number) - (percentile(known, 0) as number) : -1;
  };
  return [...channels].sort((a, b) => reach(b) - reach(a)).slice(0, mostChannels);
}

function memoryMap(report: Report): string {
  const { regions, linearBytes } = report.memory;
  const kinds = groups(report);
  const colorOf = (kind: string) => kinds.findIndex(({ name }) => name === kind);
  const pieces = regions.map(({ name, bytes }) => ({
    share: bytes / linearBytes,
    color: colorOf(kindOf(name)),
    title: `${name}: ${bytes} bytes`,
  }));
  const used = regions.reduce((sum, { bytes }) => sum + bytes, 0);
  const place = (offsetBytes: number) => `0x${offsetBytes.toString(16).padStart(7, "0")}`;
  return `${strip(pieces)}
${rows(
  ["linear memory", "from", "bytes"],
  [
    ...kinds.map(({ name, offsetBytes, bytes }, i): Cell[] => [
      { text: name, swatch: i },
      place(offsetBytes),
      String(bytes),
    ]),
    ["alignment and the rest of the last page", "", String(linearBytes - used)],
  ],
)}
<details><summary>every region (${regions.length})</summary>
${rows(
  ["region", "from", "bytes"],
  regions.map(({ name, offsetBytes, bytes }) => [name, place(offsetBytes), String(bytes)]),
)}
</details>`;
}

function lineRow({ part, name, p50Ms, share }: Line, i: number): Cell[] {
  return [{ text: `${part}, ${name}`, swatch: i }, p50Ms.toFixed(2), `${(100 * share).toFixed(1)}%`];
}

/** A table's cell; the swatch is the color of its piece of the strip above. */
type Cell = string | { text: string; swatch: number };

/** A table; columns with numbers to the right. */
function rows(head: string[], body: Cell[][]): string {
  const numeric = head.map((_, i) => body.some((cells) => /^(-?[\d.]+%?|0x\w+)$/.test(cells[i] as string)));
  const line = (tag: string, cells: Cell[]) => {
    const drawn = cells.map((cell, i) => {
      const content = typeof cell === "string" ? escaped(cell) : `${swatch(cell.swatch)} ${escaped(cell.text)}`;
      return `<${tag}${numeric[i] ? ' class="n"' : ""}>${content}</${tag}>`;
    });
    return `<tr>${drawn.join("")}</tr>`;
  };
  const lines = body.map((cells) => line("td", cells)).join("");
  return `<div class="wide"><table><thead>${line("th", head)}</thead><tbody>${lines}</tbody></table></div>`;
}

/** Shares of a whole side by side. */
function strip(pieces: { share: number; color: number; title: string }[]): string {
  const spans = pieces.map(({ share, color, title }) => {
    return `<i style="flex:${share.toFixed(6)};background:var(--s${color % 8})" title="${escaped(title)}"></i>`;
  });
  return `<div class="strip">${spans.join("")}</div>`;
}

function swatch(color: number): string {
  return `<i class="swatch" style="background:var(--s${color % 8})"></i>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** JSON that no script end can hide in. */
function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

/** A file of the plotting library: packed beside this file in the package, in node_modules in the source tree. */
function library(file: string): string {
  const source = file === "LICENSE" ? "../../node_modules/uplot/" : "../../node_modules/uplot/dist/";
  const read = (path: string) => readFileSync(new URL(path, import.meta.url));
  for (const bytes of [() => brotliDecompressSync(read(`./uplot/${file}.br`)), () => read(source + file)]) {
    try {
      return bytes().toString();
    } catch {}
  }
  throw new Error(`${file}: expected uPlot in node_modules, got none; run npm install`);
}

const style = `
:root { color-scheme: light dark; --back: #fbfbfa; --card: #fff; --text: #1c1e21; --dim: #63676e; --line: #e3e4e6;
  --c0: #1769c4; --c1: #c2410c; --c2: #15803d; --c3: #7c3aed; --c4: #a16207; --c5: #be185d;
  --s0: #1769c4; --s1: #7db1e8; --s2: #0f766e; --s3: #6fc3b8; --s4: #c2410c; --s5: #f0a77e; --s6: #6d28d9; --s7: #b59be8; }
@media (prefers-color-scheme: dark) { :root { --back: #131416; --card: #1b1d20; --text: #e8e9eb; --dim: #9a9fa8; --line: #2e3136;
  --c0: #6cb0ff; --c1: #ff9a5c; --c2: #5fd38a; --c3: #c0a4ff; --c4: #e9bd4a; --c5: #ff8cc0;
  --s0: #6cb0ff; --s1: #2f6db3; --s2: #4fd1c1; --s3: #1f7f75; --s4: #ff9a5c; --s5: #b3592a; --s6: #c0a4ff; --s7: #7148c8; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 26px; margin: 0 0 8px; }
h2 { font-size: 19px; margin: 40px 0 12px; }
header p { margin: 0 0 8px; overflow-wrap: anywhere; }
.dim, figcaption, small, .tile span { color: var(--dim); }
code { font: 13px ui-monospace, monospace; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 20px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px; display: grid; align-content: start; }
.tile span, .tile small { font-size: 13px; }
.tile b { font-size: 19px; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: 16px 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px; overflow: hidden; }
figcaption { margin-bottom: 8px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 3px 0 3px 12px; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { padding-left: 0; }
th { color: var(--dim); font-weight: normal; }
.n { text-align: right; white-space: nowrap; }
.strip { display: flex; height: 22px; border-radius: 6px; overflow: hidden; margin-bottom: 12px; background: var(--line); }
.strip i { display: block; min-width: 0; }
.swatch { display: inline-block; width: 11px; height: 11px; border-radius: 3px; }
summary { cursor: pointer; padding: 8px 0; color: var(--dim); }
@media (max-width: 600px) { table { font-size: 13px; } th, td { padding-left: 8px; } }
.uplot, .u-legend { font: 13px system-ui, sans-serif; color: var(--text); }
`;
