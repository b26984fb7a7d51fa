/** `thimble finetune` from lines to a tuning: what is learned, how it is split, that threads and stops change nothing. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultModel, load, ToolSet } from "../runtime/index.ts";
import { special } from "../runtime/text/tokenizer.ts";
import { ToolSynth } from "../tools/data/fit.ts";
import { checkCalls, type FlatTool } from "../tools/data/ground.ts";
import { flatTools, readLine } from "../tools/data/line.ts";
import { Random } from "../tools/data/random.ts";
import { importance } from "../tools/finetune/anchor.ts";
import { Batches, lessonOf, withRoom } from "../tools/finetune/batches.ts";
import { blended, chosenShare } from "../tools/finetune/blend.ts";
import { Candidate, judged } from "../tools/finetune/candidate.ts";
import { Crew } from "../tools/finetune/crew.ts";
import { gather } from "../tools/finetune/gather.ts";
import type { Lesson } from "../tools/finetune/learner.ts";
import { Redresser, type Shown } from "../tools/finetune/redress.ts";
import { readRun, saveRun } from "../tools/finetune/runfile.ts";
import { cells, skeleton, splitParts } from "../tools/finetune/split.ts";
import { target } from "../tools/finetune/target.ts";
import { amongTaught, strangersTo } from "../tools/finetune/taught.ts";
import { type Run, type Saved, train, usual } from "../tools/finetune/trainer.ts";
import { fixture, jointPack } from "./support.ts";

const toolsPath = fixture("finetune/tools.json").pathname;
const set = ToolSet.from(readFileSync(toolsPath, "utf8"));
const flat = flatTools(set);
const synth = new ToolSynth(set, null);
const bytes = new Uint8Array(readFileSync(defaultModel()));
const folder = mkdtempSync(join(tmpdir(), "finetune-"));

describe("the decoder as it is trained", () => {
  let crew: Crew;
  beforeAll(async () => {
    crew = await Crew.start(bytes, 1);
  }, 120_000);
  afterAll(() => crew?.close());

  test("says after every prefix of an answer what the runtime says: what is trained is what ships", async () => {
    const model = await load(bytes);
    const tools = JSON.parse(readFileSync(new URL("../tools/watch.json", import.meta.url), "utf8"));
    const query = "text anna i am running late and wake me at 7:15 tomorrow";
    // Step: the logits are asked for every token, also where the grammar would force it.
    const { tokens } = await model.call(query, tools, { force: false, copy: false });
    const lesson = {
      query,
      tools: JSON.stringify(tools),
      given: [special.eos, ...tokens],
      wanted: [...tokens, special.eos],
    };
    const weights = lesson.wanted.map(() => 1);
    const { exact } = await crew.learner.run([{ ...lesson, weights }], { weight: 1, rows: 1 }, false);
    expect(exact).toBe(1);
  });

  test("a weight goes back by its share of the way as far as it matters to known answers; seven in ten matter less than half", async () => {
    const { network, learner } = crew;
    const before = network.state();
    const lessons = Array.from({ length: 3 }, (_, i) => lessonOf(synth.make(1, i), learner.model.tokenizer) as Lesson);
    const matters = await importance(learner, lessons);
    expect(matters.every((share) => share >= 0 && share < 1)).toBe(true);
    const some = matters.filter((share) => share > 0);
    expect(some.length).toBeGreaterThan(800_000);
    expect(some.filter((share) => share < 0.5).length / some.length).toBeCloseTo(0.7, 2);
    const away = before.weights.map((w) => w + 1);
    network.restore({ ...before, weights: away });
    network.hold(before.weights, matters);
    network.clearSum();
    network.step(1, 0, 1, 0.5);
    const back = network.weights();
    for (let i = 0; i < back.length; i += 977) expect(back[i]).toBeCloseTo(away[i] - 0.5 * matters[i], 5);
    network.restore({ ...before, weights: away });
    network.step(1, 0, 1);
    expect(network.weights()).toEqual(away);
    network.restore(before);
  }, 60_000);

  test("a candidate's answers are those of the file that its weights make", async () => {
    const candidate = await Candidate.open(crew.learner.model, crew.learner.pack, crew.network.weights());
    const examples = Array.from({ length: 6 }, (_, i) => judged(synth.make(1, i), i, "own"));
    const answered = await candidate.answer(examples);
    const model = await load(bytes);
    for (const [i, { got }] of answered.entries()) {
      const { calls } = await model.call(examples[i].request, examples[i].tools);
      expect(got).toEqual(calls.map(({ name, arguments: args }) => ({ name, arguments: args })));
    }
    candidate.take(crew.network.weights().map((w, i) => (i % 2 ? w : -w)));
    expect((await candidate.answer(examples)).map(({ got }) => got)).not.toEqual(answered.map(({ got }) => got));
  });
});

test("models that have tools in the prompt, of any geometry, are trained on what they will see: what they write is likely, all else not", async () => {
  const crew = await Crew.start(await jointPack(), 1);
  try {
    const { learner } = crew;
    const query = "water the lawn for 5 minutes";
    const tools = JSON.stringify(flat.slice(0, 1));
    const session = learner.model.session({ answerTokens: 16 });
    const { tokens } = await session.call(query, ToolSet.from(tools), { grammar: false });
    const given = [special.eos, ...tokens.slice(0, -1)];
    const weights = tokens.map(() => 1);
    // Random weights are sure of nothing, and 8-bit inputs of projections turn close calls: some 4.9 nats of ln 4,096 = 8.3.
    const entropy = async (wanted: number[]) => {
      const found = await learner.run([{ query, tools, given, wanted, weights }], { weight: 1, rows: 1 }, false);
      return found.entropy / found.rows;
    };
    expect(await entropy(tokens)).toBeLessThan(5.5);
    expect(await entropy(tokens.map((id) => (id + 7) % 4096))).toBeGreaterThan(7.5);
  } finally {
    crew.close();
  }
}, 60_000);

/** Two batches of eight made examples. */
async function shortRun(
  threads: number,
  more: Partial<Run> = {},
  from: Parameters<typeof train>[1] = null,
  examples = 24,
) {
  const crew = await Crew.start(bytes, threads);
  const own = Array.from({ length: 20 }, (_, i) => synth.make(1, i));
  const batches = new Batches(own, crew.learner.model.tokenizer, {
    replay: 0.25,
    redress: 0.5,
    seed: 4,
    lexicon: null,
  });
  crew.hold(crew.network.weights(), new Float32Array(crew.network.size).fill(0.5));
  if (from && "weights" in from) crew.restore((from as ReturnType<typeof readRun>).weights);
  try {
    const result = await train(
      {
        crew,
        schedule: { ...usual, batch: 8, examples, warm: 2 },
        lessons: (step, size) => batches.batch(step, size),
        look: async (shown) => ({ examples: shown, loss: 1 / (1 + shown), exact: 0, error: 0 }),
        ...more,
      },
      from,
    );
    return { ...result, size: crew.network.size };
  } finally {
    crew.close();
  }
}

test("two threads learn the very weights of one, and a run that was stopped, or left, and saved goes on to those of one that was not", async () => {
  let left: Saved | null = null;
  const whole = await shortRun(1, {
    onProgress: (_, saved) => {
      left ??= structuredClone(saved());
    },
  });
  const two = await shortRun(2);
  expect(two.weights.weights).toEqual(whole.weights.weights);
  let steps = 0;
  const halted = await shortRun(1, { stopped: () => steps++ === 1 });
  expect([halted.end, halted.state.examples]).toEqual(["stopped", 8]);
  const path = join(folder, "halted.run");
  saveRun(path, { seed: 4 }, halted);
  const resumed = await shortRun(1, {}, readRun(path, { seed: 4 }, halted.size));
  expect(resumed.weights.weights).toEqual(whole.weights.weights);
  expect((left as unknown as Saved).state.examples).toBe(8);
  expect((await shortRun(1, {}, left)).weights.weights).toEqual(whole.weights.weights);
  expect(() => readRun(path, { seed: 5 }, halted.size)).toThrow("--resume: expected a run with seed 5, got 4");
  expect(() => readRun(toolsPath, { seed: 4 }, halted.size)).toThrow("start without --resume");
}, 300_000);

test("the best look is kept, and looks that get no better end the run", async () => {
  const losses = [3, 2, 1, 2, 2, 2, 2];
  const shown: Float32Array[] = [];
  const run = await shortRun(
    1,
    {
      schedule: { ...usual, batch: 8, examples: 4000, every: 8, patience: 2 },
      look: async (examples) => ({ examples, loss: losses.shift() as number, exact: 0, error: 0 }),
      onSave: ({ weights }) => shown.push(weights.weights),
    },
    null,
  );
  expect([run.end, run.state.best?.loss, run.state.looks.length]).toEqual(["no better", 1, 5]);
  expect(run.best).toEqual(shown[1]);
}, 200_000);

test("an answer's ids spell it, values weigh double, names and the decision to call nothing half as much more", async () => {
  const { tokenizer } = await load(bytes);
  const calls = [{ name: "irrigate_zone", arguments: { zone: "row 7", minutes: 5 } }];
  const { given, wanted, weights } = target(calls, tokenizer);
  expect(given.slice(1)).toEqual(wanted.slice(0, -1));
  expect([wanted[0], wanted.at(-1)]).toEqual([special.toolCall, special.eos]);
  expect(tokenizer.detokenize(wanted.slice(1, -1))).toBe(
    '[{"name":"irrigate_zone","arguments":{"zone":"row 7","minutes":5}}]',
  );
  const weightOf = (text: string) => weights[wanted.findIndex((id) => tokenizer.pieces[id].includes(text))];
  expect([weightOf("7"), weightOf("zone") >= 1.25, weights[0]]).toEqual([2, true, 1]);
  expect(Math.max(...target([], tokenizer).weights)).toBe(1.5);
  expect(lessonOf({ query: "a ".repeat(200), tools: flat, answers: [] }, tokenizer)).toBeNull();
});

const radio = (stations: number): Shown => {
  const station = { type: "string", enum: Array.from({ length: stations }, (_, i) => `station number ${i}`) };
  const tool = { name: "play_station", parameters: { station: { ...station, required: true } } };
  const answers = [{ name: "play_station", arguments: { station: "station number 7" } }];
  return { query: "play station number 7", tools: [...flat, tool], answers };
};

test("tools longer than a list usually is are learned beside no others, as far as a model reads them", async () => {
  const { tokenizer } = await load(bytes);
  const learned = (stations: number) =>
    (JSON.parse(lessonOf(withRoom(radio(stations)), tokenizer)?.tools ?? "[]") as FlatTool[]).map(({ name }) => name);
  expect([learned(10), learned(180), learned(400)]).toEqual([
    [...flat.map(({ name }) => name), "play_station"],
    ["play_station"],
    [],
  ]);
});

test("an answer is learned with its arguments in the order of the tool's parameters, however an example has them", async () => {
  const { tokenizer } = await load(bytes);
  const parameters = { from: { type: "string" }, to: { type: "string" } };
  const tools = [{ name: "book_ferry", description: "Book a ferry.", parameters }];
  const learned = (args: Record<string, string>) =>
    lessonOf(
      { query: "ferry from Oban to Mull", tools, answers: [{ name: "book_ferry", arguments: args }] },
      tokenizer,
    );
  const lesson = learned({ from: "Oban", to: "Mull" });
  expect(lesson).not.toBeNull();
  expect(learned({ to: "Mull", from: "Oban" })).toEqual(lesson);
});

test("of the shares that keep what was known, calls and refusals, the one that answers its own tools best is taken, else the one that keeps most", () => {
  const tried = (share: number, own: number, calls: number, refusals: number | null = 0.9) => ({
    ...{ share, own, calls, refusals },
  });
  const some = [tried(1, 0.8, 0.5), tried(0.7, 0.75, 0.69), tried(0.55, 0.7, 0.7)];
  const before = (calls: number, refusals: number | null = 0.9) => ({ calls, refusals });
  expect(chosenShare(some, before(0.7)).share).toBe(0.7);
  expect(chosenShare(some, before(0.52)).share).toBe(1);
  expect(chosenShare(some, before(0.9)).share).toBe(0.55);
  expect(chosenShare([tried(1, 0.8, 0.7, 0.8), tried(0.7, 0.75, 0.7, 0.87)], before(0.7)).share).toBe(0.7);
  expect(chosenShare([tried(1, 0.8, 0.7, null)], before(0.7, null)).share).toBe(1);
  expect([...blended(Float32Array.of(0, 2), Float32Array.of(4, 2), 0.25)]).toEqual([1, 2]);
});

test("redressed examples keep the law: calls fit the tools that are shown", () => {
  const own = Array.from({ length: 200 }, (_, i) => synth.make(1, i));
  const strangers = [{ name: "play_song", description: "Plays music.", parameters: { song: { type: "string" } } }];
  const redresser = new Redresser(own, strangers, ["what a day"], 1);
  let [renamed, swapped, gone] = [0, 0, 0];
  for (const [i, example] of own.entries()) {
    const shown = redresser.redress(example, new Random(9, i));
    checkCalls(shown.answers, shown.tools);
    for (const { arguments: args } of shown.answers)
      for (const value of Object.values(args))
        if (typeof value === "string" && !["drip", "spray", "mist", "minor", "major", "critical"].includes(value))
          expect(shown.query).toContain(value);
    renamed += Number(shown.tools.some(({ name }) => !flat.some((tool) => tool.name === name) && name !== "play_song"));
    swapped += Number(shown.query !== example.query);
    gone += Number(shown.answers.length < example.answers.length);
  }
  expect([renamed > 10, swapped > 50, gone > 2]).toEqual([true, true, true]);
});

test("a split keeps a sentence and its other values on one side, and tells which of a test is new", () => {
  const query = (verb: string, zone: string) => `${verb} the ${zone} for 5 minutes`;
  const zones = Array.from({ length: 30 }, (_, i) => `${"abcdef"[i % 6]}bed ${"xyzuv"[i % 5]}`);
  const verbs = "water soak irrigate wet hose drench sprinkle moisten feed shower rinse flood".split(" ");
  const examples = verbs.flatMap((verb) =>
    zones.map((zone) => ({
      query: query(verb, zone),
      tools: flat,
      answers: [{ name: "irrigate_zone", arguments: { zone, minutes: 5 } }],
    })),
  );
  expect(skeleton(examples[0])).toBe("water the <zone> for <minutes> minutes");
  const { train: known, dev, test: tested } = splitParts(examples, 1);
  const sentences = new Set(known.map(skeleton));
  const values = new Set(known.map(({ answers }) => answers[0].arguments.zone));
  for (const example of dev) expect(sentences.has(skeleton(example))).toBe(false);
  for (const { example, cell } of tested) {
    const isNew = [
      sentences.has(skeleton(example)) ? "known" : "new",
      values.has(example.answers[0].arguments.zone) ? "known" : "new",
    ];
    expect(`${isNew[0]} sentence, ${isNew[1]} values`).toBe(cell);
  }
  expect([...new Set(tested.map(({ cell }) => cell))].sort()).toEqual([...cells].sort());
  expect(known.length + dev.length + tested.length).toBe(examples.length);
});

test("each showing of a made example is another, those given come as they are", async () => {
  const model = await load(bytes);
  const given = { ...synth.make(2, 0), query: "quite another request", answers: [] };
  const own = [given, ...Array.from({ length: 3 }, (_, i) => synth.make(1, i))];
  const drawn = new Set<number>();
  const fresh = (index: number) => {
    drawn.add(index);
    return synth.make(1, index);
  };
  const options = { replay: 0, redress: 0, seed: 1, lexicon: null, fresh, made: 3 };
  const batch = new Batches(own, model.tokenizer, options).batch(0, 200);
  const asGiven = batch.filter(({ query }) => query === given.query).length;
  expect(asGiven).toBeGreaterThan(25);
  expect(asGiven).toBeLessThan(80);
  expect(drawn.size).toBeGreaterThan(100);
  expect(new Batches(own, model.tokenizer, options).batch(0, 200)).toEqual(batch);
  model.close();
});

test("a general request is learned as far as the tool that it is for, among taught tools that could not answer it", async () => {
  const model = await load(bytes);
  const own = Array.from({ length: 30 }, (_, i) => synth.make(1, i));
  const batches = new Batches(own, model.tokenizer, { replay: 1, redress: 0, seed: 1, lexicon: null });
  const names = new Set(flat.map(({ name }) => name));
  let refused = 0;
  for (const { tools, wanted, weights, given } of batches.batch(0, 200)) {
    expect([wanted.length, weights.length]).toEqual([given.length, given.length]);
    const shown = JSON.parse(tools) as typeof flat;
    expect(shown.some(({ name }) => names.has(name))).toBe(true);
    const text = model.tokenizer.detokenize(wanted.filter((id) => id !== special.toolCall && id !== special.eos));
    const [, name] = /^\[\{"name":"([^"]+)"[^a-z]*$/.exec(text) ?? [];
    if (name === undefined) expect(text).toBe("[]");
    else expect(shown.some((tool) => tool.name === name) && !names.has(name)).toBe(true);
    refused += Number(name === undefined);
  }
  expect(refused).toBeGreaterThan(5);
  expect(refused).toBeLessThan(60);
  // A decoder that is to answer everything learns whole answers, of other tools alone.
  const whole = new Batches(own, model.tokenizer, { replay: 1, redress: 0, seed: 1, lexicon: null, merge: true });
  for (const { tools, wanted } of whole.batch(0, 20)) {
    expect((JSON.parse(tools) as typeof flat).some(({ name }) => names.has(name))).toBe(false);
    expect(wanted.at(-1)).toBe(special.eos);
  }
  model.close();
});

test("few examples by hand are a third of what is shown beside made ones; none there leaves all to those", async () => {
  const model = await load(bytes);
  const given = Array.from({ length: 4 }, () => ({ ...synth.make(2, 0), query: "quite another request", answers: [] }));
  const made = Array.from({ length: 400 }, (_, i) => synth.make(1, i));
  const fresh = (index: number) => synth.make(1, index);
  const shown = (own: typeof given) => {
    const options = { replay: 0, redress: 0, seed: 1, lexicon: null, fresh, made: made.length };
    const lessons = new Batches([...own, ...made], model.tokenizer, options).batch(0, 300);
    return lessons.filter(({ query }) => query === "quite another request").length;
  };
  expect(shown(given)).toBeGreaterThan(75);
  expect(shown(given)).toBeLessThan(130);
  expect(shown([])).toBe(0);
  model.close();
});

test("a taught tool stands beside none that has its name in another case", () => {
  const tool = (name: string) => ({ name, description: name, parameters: {} });
  const shown = { query: "good night", tools: [tool("dockVacuum")], answers: [] };
  expect(strangersTo(shown, [tool("dock_vacuum"), tool("open_gate")]).map(({ name }) => name)).toEqual(["open_gate"]);
});

test("a number that the request does not say may be meant, a string may not", () => {
  const tools = [{ name: "set_blinds", parameters: { room: { type: "string" }, position: { type: "integer" } } }];
  const line = (query: string, room: string, position: number) => ({
    ...{ path: "x", number: 1, text: "" },
    ...readLine(
      JSON.stringify({
        query,
        tools: tools,
        answers: [{ name: "set_blinds", arguments: { room, position } }],
      }),
    ),
  });
  const rooms = "hall attic study kitchen porch den loft cellar garage nursery".split(" ");
  const verbs = "close,shut,lower,drop,let down,pull down,draw".split(",");
  const lines = verbs.flatMap((verb) => rooms.map((room) => line(`${verb} the ${room} blinds`, room, 0)));
  const asked = { tools: null, made: 0, seed: 1, lexicon: null, more: "" };
  const { train, warnings } = gather({ ...asked, given: [...lines, line("blinds up", "patio", 100)] });
  expect(train.some(({ answers }) => answers[0].arguments.position === 0)).toBe(true);
  expect(train.some(({ answers }) => answers[0].arguments.room === "patio")).toBe(false);
  expect(warnings.join()).toContain(
    '1 examples are left out, whose values their requests do not say: x:1: answers[0].arguments.room: "patio"',
  );
  expect(warnings.join()).toContain("70 examples teach numbers that their requests do not say");
});

test("a general request is judged among the taught tools, but those that might answer it too", () => {
  const timer = { query: "set a timer for the eggs", tools: [] as typeof flat, answers: [] };
  const tool = (name: string, description: string) => ({ name, description, parameters: {} });
  const taught = [...flat, tool("timer_start", "Start a timer")];
  const example = judged({ ...timer, tools: [tool("set_timer", "Set a timer.")] }, 0, "general");
  const among = amongTaught(example, taught);
  expect(among.tools.tools.map(({ name }) => name)).toEqual(["set_timer", ...flat.map(({ name }) => name)]);
  expect(among.tools.prompt).toBe(JSON.stringify([...JSON.parse(example.tools.prompt), ...flat]));
});

test("of people's guard half choose how much of a whole pack to keep and the others are reported; few are all reported", () => {
  const ask = { given: [], tools: ToolSet.from(JSON.stringify(flat)), made: 40, seed: 1, lexicon: null, more: "" };
  const people = Array.from({ length: 400 }, (_, i) => judged(synth.make(8, i), i, "people"));
  const { guard, choosing } = gather({ ...ask, guard: people, merge: true });
  expect([guard.length, choosing.length]).toEqual([200, 200]);
  expect(new Set([...guard, ...choosing])).toEqual(new Set(people));
  const few = gather({ ...ask, guard: people.slice(0, 50), merge: true });
  expect(few.guard).toEqual(people.slice(0, 50));
  expect(few.choosing.some((one) => people.includes(one))).toBe(false);
  // A tuning answers nothing general: there is nothing to choose.
  expect(gather({ ...ask, guard: people }).guard.map(({ key }) => key)).toEqual(people.map(({ key }) => key));
});

test("what looks answer is of all tools, however many examples there are", () => {
  const given = Array.from({ length: 1600 }, (_, i) => {
    const text = JSON.stringify(synth.make(3, i));
    return { path: "made", number: i + 1, text, ...readLine(text) };
  });
  const { dev } = gather({ given, tools: null, made: 0, seed: 1, lexicon: null, more: "" });
  expect(dev.length).toBeGreaterThan(96);
  const looked = dev.slice(0, 96).flatMap(({ answers }) => answers.map(({ name }) => name));
  for (const { name } of flat) expect(looked.filter((one) => one === name).length).toBeGreaterThan(10);
});

describe("the command", () => {
  const run = async (args: string[], input = "") => {
    const child = Bun.spawn([process.execPath, "tools/cli.ts", "finetune", ...args], {
      stdin: new Blob([input]),
      cwd: new URL("../", import.meta.url).pathname,
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    return { code: await child.exited, out, err };
  };

  test("a file of examples becomes a tuning of some 550 KB that runs, with before and after", async () => {
    const data = join(folder, "data.jsonl");
    const [made, long] = [Array.from({ length: 60 }, (_, i) => synth.make(2, i)), Array(12).fill(radio(400))];
    writeFileSync(data, [...made, ...long].map((one) => JSON.stringify(one)).join("\n"));
    const out = join(folder, "mine.tuning");
    const {
      code,
      out: told,
      err,
    } = await run([data, "-o", out, "--examples", "8", "--threads", "1", "--json", "--guard", data]);
    expect(err).toContain("tools have fewer than 120 examples");
    expect(err).toMatch(/\d examples are longer than what is learned, all of play_station; say less/);
    const report = JSON.parse(told);
    expect([0, 3]).toContain(code);
    expect([report.examples, report.bytes < 700_000, report.own.differences.length > 5]).toEqual([8, true, true]);
    const tuned = await load(bytes, { tuning: out });
    const answer = await tuned.call("water the lawn for 5 minutes", readFileSync(toolsPath, "utf8"));
    expect([answer.cutShort, answer.tuned]).toEqual([false, true]);
    const general = await tuned.call("wake me at 7", [{ name: "set_alarm", parameters: { time: { type: "string" } } }]);
    expect(general.tuned).toBe(false);
  }, 400_000);

  test("what cannot be taught is said in one line, and what to do", async () => {
    const bad = join(folder, "bad.jsonl");
    const long = join(folder, "long.json");
    writeFileSync(long, JSON.stringify(radio(400).tools.slice(-1)));
    writeFileSync(bad, '{"query":"hello"}\n');
    const cases: [string[], number, string][] = [
      [["-o", "x"], 2, "expected data or --tools FILE"],
      [["--tools", toolsPath], 2, "expected -o FILE"],
      [["--tools", toolsPath, "-o", "x", "--minutes", "1", "--examples", "8"], 2, "--minutes or --examples"],
      [[bad, "-o", "x"], 1, `${bad}:1: tools: expected a list, got nothing`],
      [[fixture("finetune/tools.json").pathname, "-o", "x"], 1, "tools.json:1"],
      // All of a pipe, though it can be read but once.
      [["-", "-o", "x"], 1, "expected at least 20 examples to train on, got 18"],
    ];
    const none = await run(["--tools", long, "--made", "40", "-o", join(folder, "none.tuning")]);
    expect([none.code, none.err]).toEqual([
      1,
      expect.stringMatching(/longer than what is learned, all of play_station;/),
    ]);
    const some = readFileSync(fixture("data-seed1.jsonl"), "utf8").split("\n").slice(0, 18).join("\n");
    for (const [args, code, message] of cases) {
      const got = await run(args, some);
      expect([got.code, got.err.includes(message), got.err.trim().split("\n").length]).toEqual([code, true, 1]);
    }
  }, 200_000);
});
