import { fileURLToPath } from "node:url";
import { defaultModel, load } from "../runtime/index.ts";
import { type Command, type Input, print, UsageError } from "./command.ts";
import { type Answerer, answerAll, modelAnswerer, retrieval } from "./eval/answers.ts";
import { compareFiles } from "./eval/compare.ts";
import { endpointAnswerer } from "./eval/endpoint.ts";
import { type Example, readExamples, toolNames } from "./eval/examples.ts";
import { type Decoding, type Report, type RunFacts, render, renderComparison, summarize } from "./eval/report.ts";

export const evaluate: Command = {
  name: "eval",
  summary: "measure a model on examples: right calls, right names, refusals",
  help: `thimble eval [PACK] DATA… [--free | --both] [--limit N] [--train FILE,…] [--retrieval] [--json | --markdown]
thimble eval --endpoint URL --model NAME DATA… [--concurrency N] [--timeout SECONDS]
thimble eval --compare A.json [B.json]

DATA: lines of {query, tools, answers, source?, kind?, id?}, tools and answers as JSON or JSON in strings; .gz is read.
Runs every example through the packed model and prints call F1, name F1, exact match and more (tools/eval/metrics.ts
defines them) with 95% intervals, by file, source, kind, number of tools. A prompt beyond 1,024 tokens counts as wrong.

  --free           decode without the grammar
  --both           once with the grammar and once without
  --copy, --no-copy  write free strings as the request has them, or any (as the pack says)
  --offer N        offer about so many tools of each example
  --limit N        at most N examples a file, spread over it
  --train FILES    training data: tools that it offers are seen, others unseen
  --retrieval      rank the tools by the contrastive head as well: recall@1, 3, 5 and MRR
  --worst N        how many of the worst examples to show (10)
  --json           print one object: files, runs (metrics, groups, faults, a result per example), retrieval
  --markdown       tables in Markdown
  --endpoint URL   ask an OpenAI-compatible server instead (…/v1); its key in THIMBLE_API_KEY
  --model NAME     the server's name of the model
  --concurrency N  requests at a time (4)
  --timeout N      seconds until a request is given up (60)
  --compare        two --json outputs, or one of --both: paired bootstrap, McNemar for exact

  thimble eval dev.jsonl.gz --both --limit 100`,
  options: {
    free: { type: "boolean" },
    both: { type: "boolean" },
    copy: { type: "boolean" },
    "no-copy": { type: "boolean" },
    offer: { type: "string" },
    limit: { type: "string" },
    train: { type: "string" },
    retrieval: { type: "boolean" },
    worst: { type: "string" },
    json: { type: "boolean" },
    markdown: { type: "boolean" },
    endpoint: { type: "string" },
    model: { type: "string" },
    concurrency: { type: "string" },
    timeout: { type: "string" },
    compare: { type: "boolean" },
  },
  async run(input) {
    refuseTogether(input, "free", "both");
    refuseTogether(input, "json", "markdown");
    const style = input.flag("markdown") ? "markdown" : "terminal";
    if (input.flag("compare")) {
      const { length } = input.words;
      if (length < 1 || length > 2) throw new UsageError(`--compare: expected one or two files, got ${length}`);
      const compared = compareFiles(input.words);
      if (input.flag("json")) return print(JSON.stringify(compared));
      const { a, b, examples, onlyA, onlyB, differences } = compared;
      const note = `${examples} examples in both, ${onlyA} only in a, ${onlyB} only in b`;
      return print(renderComparison([a, b], differences, note, style));
    }

    const worst = input.integer("worst", 0, 1000) ?? 10;
    const limit = input.integer("limit", 1, 1e9);
    const { pack, paths } = wordsOf(input);
    const runners = input.text("endpoint") ? endpointRunner(input) : undefined;
    if (!runners && input.text("model"))
      throw new UsageError("--model: expected --endpoint beside it; a pack is the first word");
    if (runners && pack) throw new UsageError(`eval: expected a pack or --endpoint, got both (${pack})`);

    const seen = input.text("train")?.split(",").flatMap(toolNames);
    const read = paths.map((path) => ({ path, examples: readExamples(path, limit) }));
    const examples = read.flatMap((file) => file.examples);
    const files = read.map(({ path, examples }) => ({ path, examples: examples.length }));
    const report: Report = { files, runs: [] };
    const { list, thimble } = runners ?? (await modelRunners(pack, input));
    for (const { facts, answer, concurrency } of list) {
      const start = performance.now();
      const results = await answerAll(examples, answer, concurrency, progress(facts.decoding, examples));
      const elapsedMs = performance.now() - start;
      report.runs.push(summarize({ ...facts, elapsedMs }, results, seen ? new Set(seen) : null));
    }
    if (input.flag("retrieval") && thimble)
      report.retrieval = await retrieval(thimble, examples, progress("retrieval", examples));
    print(input.flag("json") ? JSON.stringify(report) : render(report, style, worst));
  },
};

interface Runner {
  facts: Omit<RunFacts, "elapsedMs">;
  answer: Answerer;
  concurrency: number;
}
type Runners = { list: Runner[]; thimble?: Awaited<ReturnType<typeof load>> };

async function modelRunners(pack: string | undefined, input: Input): Promise<Runners> {
  for (const name of ["concurrency", "timeout"])
    if (input.text(name)) throw new UsageError(`--${name}: expected --endpoint beside it`);
  const thimble = await load(pack, { promptTokens: 1024, answerTokens: 256 });
  const decodings: Decoding[] = input.flag("both") ? ["grammar", "free"] : [input.flag("free") ? "free" : "grammar"];
  const copy = input.flag("copy") ? true : input.flag("no-copy") ? false : undefined;
  const offer = input.integer("offer", 1, 1000);
  const model = pack ?? fileURLToPath(defaultModel);
  const list = decodings.map((decoding) => ({
    facts: { model, decoding, kernels: thimble.build },
    answer: modelAnswerer(thimble, { grammar: decoding === "grammar", copy, offer }),
    concurrency: 1,
  }));
  return { list, thimble };
}

function endpointRunner(input: Input): Runners {
  for (const name of ["free", "both", "retrieval"])
    if (input.flag(name)) throw new UsageError(`--${name}: expected a pack, got --endpoint`);
  const [url, model] = [input.text("endpoint") as string, input.text("model")];
  if (!model) throw new UsageError("--endpoint: expected --model NAME beside it, got none");
  if (!/^https?:\/\/./.test(url))
    throw new UsageError(`--endpoint: expected an http address, got ${JSON.stringify(url)}`);
  const timeoutMs = 1000 * (input.integer("timeout", 1, 3600) ?? 60);
  const answer = endpointAnswerer({ url, model, key: process.env.THIMBLE_API_KEY, timeoutMs });
  const facts = { model: `${model} at ${url}`, decoding: "endpoint" as const, kernels: null };
  return { list: [{ facts, answer, concurrency: input.integer("concurrency", 1, 256) ?? 4 }] };
}

/** The first word is a pack unless it is named like data. */
function wordsOf({ words }: Input): { pack?: string; paths: string[] } {
  const isData = (path: string) => path === "-" || /\.(jsonl|json|gz)$/.test(path);
  const [pack, paths] = words.length && !isData(words[0]) ? [words[0], words.slice(1)] : [undefined, words];
  if (!paths.length) throw new UsageError("eval: expected data, got none; try thimble eval dev.jsonl");
  return { pack, paths };
}

function refuseTogether(input: Input, one: string, other: string): void {
  if (input.flag(one) && input.flag(other)) throw new UsageError(`eval: expected --${one} or --${other}, got both`);
}

/** A line on a terminal, rewritten at each percent. */
function progress(label: string, { length }: readonly Example[]): (done: number) => void {
  if (!process.stderr.isTTY) return () => {};
  let shown = -1;
  return (done) => {
    const percent = Math.floor((100 * done) / length);
    if (percent === shown) return;
    shown = percent;
    process.stderr.write(done === length ? "\r\x1b[K" : `\r${label} ${percent}%`);
  };
}
