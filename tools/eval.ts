import { fileURLToPath } from "node:url";
import { type CallOptions, defaultModel, load, type Thimble } from "../runtime/index.ts";
import { type Command, type Input, print, progressLine, serverOf, UsageError, warn } from "./command.ts";
import { type Answerer, answerAll, modelAnswerer, retrieval, warmAnswerer } from "./eval/answers.ts";
import { compareFiles } from "./eval/compare.ts";
import { endpointAnswerer } from "./eval/endpoint.ts";
import { type Example, readExamples, toolNames } from "./eval/examples.ts";
import { differing, type Report, type RunFacts, render, renderComparison, summarize } from "./eval/report.ts";

export const evaluate: Command = {
  help: `thimble eval [PACK] DATA… [--tuning FILE] [--free | --both | --decode WAYS] [--limit N] [--train FILE,…] [--retrieval] [--json | --markdown]
thimble eval --endpoint URL --model NAME DATA… [--concurrency N] [--timeout SECONDS]
thimble eval --compare A.json [B.json]

DATA: lines of {query, tools, answers, source?, kind?, id?}, tools and answers as JSON or JSON in strings; .gz is read.
Tools may be the path of a .json file, seen from DATA's folder; its name is then the source. Where several answers are
right, accept stands in place of answers: a list of answers, each argument a list of right values, null to leave it out:
  {"query": "alarm 6:30 on friday", "tools": "lists/watch.json", "kind": "terse",
   "accept": [[{"name": "set_alarm", "arguments": {"time": ["6:30"], "day": ["friday", "on friday"]}}]]}
Runs every example through the packed model and prints call F1, name F1, exact match and more (tools/eval/metrics.ts
defines them) with 95% intervals, by file, source, kind, number of tools. A prompt beyond 1,024 tokens counts as wrong.

  --decode WAYS    one run for each of these, comma-separated, and the answers that differ from the first run's:
                   grammar (the default), free (without it), step (logits for every token, also where text is forced),
                   copy, any (free strings as the request has them or not, whatever the pack says),
                   offer=K (about K of the tools), warm=N (the tool list's first N encoder layers kept from another call)
  --free, --both   the same as --decode free, --decode grammar,free
  --tuning FILE    what thimble finetune wrote for the model
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
    decode: { type: "string" },
    limit: { type: "string" },
    tuning: { type: "string" },
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
    refuseTogether(input, "free", "decode");
    refuseTogether(input, "both", "decode");
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
    const twins = new Map<string, number>();
    const read = paths.map((path) => ({ path, examples: readExamples(path, limit, twins) }));
    const examples = read.flatMap((file) => file.examples);
    const files = read.map(({ path, examples }) => ({ path, examples: examples.length }));
    const report: Report = { files, runs: [] };
    const { list, thimble } = runners ?? (await modelRunners(pack, input));
    for (const { facts, answer, concurrency } of list) {
      const start = performance.now();
      const results = await answerAll(examples, answer, concurrency, progress(facts.decoding, examples));
      const elapsedMs = performance.now() - start;
      const run = summarize({ ...facts, elapsedMs }, results, seen ? new Set(seen) : null);
      if (results.every(({ failure }) => failure)) {
        warn(`eval: expected answers, got none: ${Object.keys(run.failures).join(", ")}`);
        process.exitCode = 1;
      }
      const [first] = report.runs;
      report.runs.push(first ? { ...run, differing: differing(first.results, results) } : run);
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
type Runners = { list: Runner[]; thimble?: Thimble };

async function modelRunners(pack: string | undefined, input: Input): Promise<Runners> {
  for (const name of ["concurrency", "timeout"])
    if (input.has(name)) throw new UsageError(`--${name}: expected --endpoint beside it`);
  const tuning = input.text("tuning");
  const thimble = await load(pack, { promptTokens: 1024, answerTokens: 256, ...(tuning !== undefined && { tuning }) });
  const short = input.flag("both") ? "grammar,free" : input.flag("free") ? "free" : "grammar";
  const decodings = (input.text("decode") ?? short).split(",");
  const model = `${pack ?? fileURLToPath(defaultModel())}${tuning === undefined ? "" : ` with ${tuning}`}`;
  const list = decodings.map((decoding) => ({
    facts: { model, decoding, kernels: thimble.build },
    answer: answererOf(thimble, decoding),
    concurrency: 1,
  }));
  return { list, thimble };
}

function answererOf(thimble: Thimble, decoding: string): Answerer {
  const fixed: Record<string, CallOptions> = {
    grammar: {},
    free: { grammar: false },
    step: { force: false },
    copy: { copy: true },
    any: { copy: false },
  };
  if (Object.hasOwn(fixed, decoding)) return modelAnswerer(thimble, fixed[decoding]);
  const [, way, number] = decoding.match(/^(offer|warm)=([1-9]\d{0,3})$/) ?? [];
  if (way === "offer") return modelAnswerer(thimble, { offer: Number(number) });
  if (way === "warm") return warmAnswerer(thimble.session({ warmLayers: Number(number) }));
  const expected = [...Object.keys(fixed), "offer=K", "warm=N"].join(", ");
  throw new UsageError(`--decode: expected ${expected}, got ${JSON.stringify(decoding)}`);
}

function endpointRunner(input: Input): Runners {
  for (const name of ["tuning", "free", "both", "decode", "retrieval"])
    if (input.has(name)) throw new UsageError(`--${name}: expected a pack, got --endpoint`);
  const { url, model, timeoutMs } = serverOf(input);
  const answer = endpointAnswerer({ url, model, key: process.env.THIMBLE_API_KEY, timeoutMs });
  const facts = { model: `${model} at ${url}`, decoding: "endpoint", kernels: null };
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
  if (input.has(one) && input.has(other)) throw new UsageError(`eval: expected --${one} or --${other}, got both`);
}

function progress(label: string, { length }: readonly Example[]): (done: number) => void {
  const show = progressLine(label);
  return (done) => show(done / length);
}
