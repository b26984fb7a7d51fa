import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { ToolSet } from "../runtime/tools/tools.ts";
import { retryAfterMs } from "../tools/completions.ts";
import { acceptable } from "../tools/eval/accept.ts";
import { answerAll, retrieval } from "../tools/eval/answers.ts";
import { compareRuns } from "../tools/eval/compare.ts";
import { endpointAnswerer, openAiTools } from "../tools/eval/endpoint.ts";
import { readExamples, toolNames } from "../tools/eval/examples.ts";
import { type Call, judge, judgeNearest, metrics, normalValue } from "../tools/eval/metrics.ts";
import { render, summarize } from "../tools/eval/report.ts";
import { binomialP, compareCounts, estimates, percentile, sum } from "../tools/eval/statistics.ts";
import { fixture, seeded } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "thimble-eval-"));
afterAll(() => rmSync(folder, { recursive: true }));

const data = fileURLToPath(fixture("eval.jsonl"));
const tools = ToolSet.from([
  { name: "set_alarm", parameters: { time: { type: "string", required: true }, label: { type: "string" } } },
  { name: "playMusic", parameters: { song: { type: "string" }, volume: { type: "integer" } } },
]);
const alarm = (args: Record<string, unknown>): Call => ({ name: "set_alarm", arguments: args });
const music = (args: Record<string, unknown>): Call => ({ name: "playMusic", arguments: args });
const seven = alarm({ time: "7:15", label: "gym" });
const song = music({ song: "Yesterday", volume: 5 });

describe("metrics", () => {
  /** Rates by key, without those that had nothing to judge. */
  const rates = (want: Call[], got: Call[] | null | undefined) => {
    const { counts } = judge(want, got, tools);
    const known = metrics.map(({ key, of }) => [key, of(counts)] as const).filter(([, rate]) => !Number.isNaN(rate));
    return Object.fromEntries(known);
  };
  const faults = (want: Call[], got: Call[] | null | undefined) =>
    judge(want, got, tools).faults.map(({ fault, at }) => (at ? `${fault} ${at}` : fault));
  const right = { callF1: 1, nameF1: 1, exact: 1, arguments: 1, values: 1, parsed: 1, falseRefusals: 0 };
  const clean = { hallucinated: 0, missing: 0, extra: 0 };

  test("a perfect answer is right everywhere", () => {
    expect(rates([seven, song], [seven, song])).toEqual({ ...right, ...clean });
    expect(faults([seven, song], [seven, song])).toEqual([]);
  });

  test("order does not count, nor does the spelling of a tool's name", () => {
    expect(rates([seven, song], [{ ...song, name: "play_music" }, seven])).toEqual({ ...right, ...clean });
  });

  test("a wrong tool costs name and call", () => {
    expect(rates([seven], [song])).toMatchObject({ callF1: 0, nameF1: 0, exact: 0 });
    expect(rates([seven], [song]).values).toBeUndefined();
    expect(faults([seven], [song])).toEqual(["wrong tool set_alarm"]);
    expect(rates([seven, song], [song])).toMatchObject({ nameF1: 2 / 3, callF1: 2 / 3, exact: 0, arguments: 1 });
  });

  test("a missing argument costs the call, not the name", () => {
    const got = [alarm({ time: "7:15" })];
    expect(rates([seven], got)).toMatchObject({ callF1: 0, nameF1: 1, arguments: 0, values: 1, missing: 1 / 2 });
    expect(faults([seven], got)).toEqual(["missing parameter set_alarm.label"]);
  });

  test("an extra argument is told from one that the tool does not have", () => {
    const want = [alarm({ time: "7:15" })];
    expect(rates(want, [seven])).toMatchObject({ callF1: 0, extra: 1 / 2, hallucinated: 0, values: 1 });
    const invented = [alarm({ time: "7:15", snooze: true, constructor: 1 })];
    expect(rates(want, invented)).toMatchObject({ callF1: 0, extra: 0, hallucinated: 2 / 3 });
    expect(faults(want, [seven])).toEqual(["extra parameter set_alarm.label"]);
  });

  test("a wrong value costs the call and one value", () => {
    const got = [alarm({ time: "7:50", label: "gym" })];
    expect(rates([seven], got)).toMatchObject({ callF1: 0, arguments: 0, values: 1 / 2, missing: 0 });
    expect(judge([seven], got, tools).faults).toEqual([
      { fault: "wrong value", at: "set_alarm.time", got: "7:50", want: "7:15" },
    ]);
  });

  test("a repeated call costs exact match and, as in the original, not F1", () => {
    expect(rates([seven], [seven, seven])).toMatchObject({ callF1: 1, nameF1: 1, exact: 0 });
    expect(faults([seven], [seven, seven])).toEqual(["repeated call set_alarm"]);
    expect(rates([seven, seven], [seven, seven]).exact).toBe(1);
    expect(faults([seven, seven], [seven])).toEqual(["missing call set_alarm"]);
  });

  test("two calls of one tool are compared with those they agree with", () => {
    const eight = alarm({ time: "8:00", label: "work" });
    expect(rates([seven, eight], [eight, seven])).toMatchObject({ ...right, ...clean });
    expect(rates([seven, eight], [alarm({ time: "8:00" })])).toMatchObject({ values: 1, missing: 1 / 2 });
  });

  test("none fits: [] is right only where nothing is wanted", () => {
    expect(rates([], [])).toEqual({ exact: 1, parsed: 1, noneRecall: 1 });
    expect(rates([], [seven])).toMatchObject({ exact: 0, noneRecall: 0, callF1: 0, nameF1: 0 });
    expect(rates([seven], [])).toMatchObject({ exact: 0, falseRefusals: 1, callF1: 0 });
    expect(faults([seven], [])).toEqual(["refused"]);
    expect(faults([], [seven])).toEqual(["should refuse set_alarm"]);
  });

  test("text that is no call list, and no answer at all, are no refusals", () => {
    expect(rates([], null)).toEqual({ exact: 0, parsed: 0, noneRecall: 0 });
    expect(rates([seven], null)).toMatchObject({ exact: 0, parsed: 0, falseRefusals: 0, callF1: 0 });
    expect(rates([], undefined)).toEqual({ exact: 0, noneRecall: 0 });
    expect(faults([seven], undefined)).toEqual(["no answer"]);
  });

  test.each([
    ["At 7:15 ", "7:15"],
    ["today at 21:00", "21:00"],
    ["74.0060", "74.006"],
    ["pay  my bill", "Pay my bill"],
  ])("%p says the same as %p", (a, b) => expect(normalValue(a)).toBe(normalValue(b)));

  test.each([
    ["7:15", "7:15 am"],
    ["5", 5],
    ["atlanta", "lanta"],
    ["", "0"],
    [true, "true"],
  ])("%p does not say the same as %p", (a, b) => expect(normalValue(a)).not.toBe(normalValue(b) as string));

  test("nested values are compared by content, whatever the order of keys", () => {
    const set = ToolSet.from([{ name: "go", parameters: { to: { type: "string" } } }]);
    const call = (to: unknown) => [{ name: "go", arguments: { to } }];
    expect(judge(call({ a: "X", b: [1] }), call({ b: [1], a: "x" }), set).counts.exact).toBe(1);
    expect(judge(call({ a: "X", b: [1] }), call({ a: "x", b: [2] }), set).counts.exact).toBe(0);
  });

  test("of several acceptable answers the nearest judges: the same one, else most calls, tools, fewest faults", () => {
    const accept = [[alarm({ time: "7:15", label: "gym" })], [alarm({ time: "7:15" })], [song, seven], []];
    const nearest = (got: Call[] | null) => {
      const { want, counts } = judgeNearest(accept, got, tools);
      return [accept.indexOf(want), counts.exact];
    };
    expect(accept.map((answer) => nearest(answer))).toEqual([0, 1, 2, 3].map((i) => [i, 1]));
    expect(nearest([song])).toEqual([2, 0]);
    expect(nearest([alarm({ time: "8:00" })])).toEqual([1, 0]);
    expect(nearest([alarm({ time: "8:00", label: "gym" })])).toEqual([0, 0]);
    expect(judgeNearest([[seven], []], [song], tools).want).toEqual([seven]);
    expect(judgeNearest([[song], [seven]], null, tools)).toMatchObject({
      want: [song],
      counts: { exact: 0, parsed: 0 },
    });
  });

  test("rates over a set divide summed counts", () => {
    const rows = [judge([seven, song], [seven, song], tools), judge([seven], [song], tools)].map((j) => j.counts);
    const [callF1] = metrics;
    expect(callF1.of(sum(rows))).toBeCloseTo(2 / 3, 12);
  });
});

describe("statistics", () => {
  const random = seeded(3);
  const rows = (chance: number, n = 400) =>
    Array.from({ length: n }, () => judge([seven], [random() < chance ? seven : song], tools).counts);
  const [better, worse] = [rows(0.8), rows(0.6)];

  test("the bootstrap interval of a share is near the normal one", () => {
    const { value, low, high } = estimates(better).exact;
    const [p, half] = [value as number, 1.96 * Math.sqrt(((value as number) * (1 - (value as number))) / 400)];
    expect(Math.abs((low as number) - (p - half))).toBeLessThan(0.01);
    expect(Math.abs((high as number) - (p + half))).toBeLessThan(0.01);
    expect(estimates(better)).toEqual(estimates(better));
  });

  test("nothing to judge is null, not a number", () => {
    expect(estimates(better).noneRecall).toEqual({ value: null, low: null, high: null });
    expect(estimates([]).exact.value).toBeNull();
    expect(percentile([], 0.5)).toBeNull();
    expect([0, 0.5, 1].map((share) => percentile([3, 1, 2], share))).toEqual([1, 2, 3]);
  });

  test("comparison is symmetric: swapped sides change signs only", () => {
    const [there, back] = [compareCounts(worse, better), compareCounts(better, worse)];
    for (const [i, { a, b, difference, p }] of there.entries()) {
      const turned = (x: number | null) => (x === null ? null : 0 - x);
      expect(back[i]).toMatchObject({ a: b, b: a, p });
      expect(back[i].difference.value).toBe(turned(difference.value));
      expect(back[i].difference.low).toBe(turned(difference.high));
    }
  });

  test("a run does not differ from itself, and better differs from worse", () => {
    for (const { difference, p } of compareCounts(better, better).filter(({ a }) => a !== null))
      expect([difference.value, p]).toEqual([0, 1]);
    for (const { key, p } of compareCounts(worse, better))
      if (["exact", "callF1", "nameF1"].includes(key)) expect(p).toBeLessThan(0.01);
  });

  test("binomialP is the exact two-sided sign test, from none to thousands", () => {
    expect(binomialP(0, 0)).toBe(1);
    expect(binomialP(0, 5)).toBeCloseTo(2 / 32, 12);
    expect(binomialP(9, 1)).toBeCloseTo((2 * 11) / 1024, 12);
    expect(binomialP(2500, 2500)).toBe(1);
    expect(binomialP(2000, 3000)).toBeLessThan(1e-40);
  });

  test("runs are paired by example, not by place", async () => {
    const examples = readExamples(data);
    const facts = { model: "m", decoding: "grammar" as const, kernels: null, elapsedMs: 0 };
    const results = await answerAll(
      examples,
      async ({ want, id }) => ({ calls: id === "skip" ? [] : want }),
      1,
      () => {},
    );
    const run = summarize(facts, results, null);
    const other = summarize(facts, [...results].reverse().slice(1), null);
    const compared = compareRuns(run, other);
    expect(compared).toMatchObject({ examples: 3, onlyA: 1, onlyB: 0 });
    const none = { value: 0, low: 0, high: 0 };
    expect(compared.differences[0]).toMatchObject({
      a: 2 / 3,
      b: 2 / 3,
      difference: none,
      p: 1,
      test: "paired bootstrap",
    });
    expect(compared.differences[2]).toMatchObject({ key: "exact", test: "McNemar, exact" });
  });
});

describe("examples", () => {
  const [line] = readFileSync(data, "utf8").split("\n");
  const write = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  test("plain objects, JSON in strings and .gz read the same", () => {
    const plain = JSON.parse(line);
    const strings = { ...plain, tools: JSON.stringify(plain.tools), answers: JSON.stringify(plain.answers) };
    const packed = readExamples(write("a.jsonl.gz", gzipSync(`${JSON.stringify(strings)}\n\n`)));
    expect(packed.map(({ key, want, file, line }) => ({ key, want, file, line }))).toEqual([
      { key: readExamples(data)[0].key, want: plain.answers, file: "a", line: 1 },
    ]);
  });

  test("other acceptable answers make another key, an accept that says the same as answers does not", () => {
    const { answers, ...rest } = JSON.parse(line);
    const keyOf = (body: object) => readExamples(write("key.jsonl", JSON.stringify({ ...rest, ...body })))[0].key;
    const lists = answers.map((call: Call) => ({
      ...call,
      arguments: Object.fromEntries(Object.entries(call.arguments).map(([key, value]) => [key, [value]])),
    }));
    expect(keyOf({ accept: [lists] })).toBe(keyOf({ answers }));
    expect(keyOf({ accept: [lists, []] })).not.toBe(keyOf({ answers }));
    expect(keyOf({ answers: [] })).not.toBe(keyOf({ answers }));
  });

  test("the same example twice in a run has two keys, in one file or in two", () => {
    const twice = write("twice.jsonl", `${line}\n${line}\n`);
    expect(new Set(readExamples(twice).map(({ key }) => key)).size).toBe(2);
    const twins = new Map<string, number>();
    expect(new Set([twice, twice].flatMap((path) => readExamples(path, 9, twins)).map(({ key }) => key)).size).toBe(4);
  });

  test("accept writes out every choice of values, null leaves an argument out, the first choices come first", () => {
    const accept = [
      [{ name: "set_alarm", arguments: { time: ["7:15", "7:15 am"], label: ["gym", null] } }],
      [{ name: "set_alarm", arguments: { time: ["7:15 am"] } }, { name: "playMusic" }],
      [],
    ];
    expect(acceptable(accept)).toEqual([
      [alarm({ time: "7:15", label: "gym" })],
      [alarm({ time: "7:15" })],
      [alarm({ time: "7:15 am", label: "gym" })],
      [alarm({ time: "7:15 am" })],
      [alarm({ time: "7:15 am" }), music({})],
      [],
    ]);
    const read = JSON.parse(line);
    const list = [...read.tools, { name: "playMusic" }];
    const [example] = readExamples(
      write("accept.jsonl", JSON.stringify({ ...read, tools: list, answers: undefined, accept })),
    );
    expect(example).toMatchObject({ want: acceptable(accept)[0], accept: acceptable(accept) });
  });

  test("tools may stand in a file beside the data; its name is the source of lines that say none", () => {
    const { tools: list, source: _, ...rest } = JSON.parse(line);
    write("list.json", JSON.stringify(list));
    const far = { ...rest, tools: "./list.json" };
    const [beside, told] = readExamples(
      write("beside.jsonl", `${JSON.stringify(far)}\n${JSON.stringify({ ...far, source: "told" })}\n`),
    );
    const [inline] = readExamples(data);
    expect(beside).toMatchObject({ source: "list", key: inline.key });
    expect(beside.tools.prompt).toBe(inline.tools.prompt);
    expect(told.source).toBe("told");
    const [whole] = readExamples(write("far.jsonl", JSON.stringify({ ...far, tools: join(folder, "list.json") })));
    expect(whole.key).toBe(inline.key);
  });

  test("a limit takes that many lines, spread over the file", () => {
    expect(readExamples(data, 2).map(({ id }) => id)).toEqual(["alarm", "skip"]);
    expect(readExamples(data, 99)).toHaveLength(4);
  });

  test("tool names are those of the prompt", () => {
    expect(new Set(toolNames(data))).toEqual(
      new Set(["set_alarm", "tell_joke", "next_song", "set_timer", "make_call"]),
    );
  });

  test.each([
    ["a cut-off line", line.slice(0, 90), "line: expected JSON, got text that ends"],
    ["a list", "[]", "expected an object with query, tools and answers"],
    ["no request", '{"tools":[],"answers":[]}', "query: expected text, got nothing"],
    ["no tools", '{"query":"x","answers":[]}', "tools: expected a list of tools, got nothing"],
    ["no answers", '{"query":"x","tools":[]}', "answers: expected a list of {name, arguments}, got nothing"],
    [
      "an answer that calls no tool of the line",
      '{"query":"x","tools":[{"name":"a"}],"answers":[{"name":"b"}]}',
      `answers: expected calls of the line's tools, got "b"; add it or mend it`,
    ],
    ["answers of no form", '{"query":"x","tools":[],"answers":[{"tool":1}]}', "answers: expected a list"],
    [
      "tools in a file that is not there",
      '{"query":"x","tools":"lists/no.json","answers":[]}',
      `${join(folder, "lists/no.json")}: expected a readable file`,
    ],
    ["answers of two forms", '{"query":"x","tools":[],"answers":[],"accept":[[]]}', "accept: expected it in place of"],
    ["nothing acceptable", '{"query":"x","tools":[],"accept":[]}', "accept: expected a list of answers"],
    ["one answer for a list of them", '{"query":"x","tools":[],"accept":[{"name":"a"}]}', "accept[0]: expected a list"],
    [
      "a value for a list of them",
      '{"query":"x","tools":[],"accept":[[],[{"name":"a","arguments":{"b":"c"}}]]}',
      'accept[1].a.b: expected a list of right values, got "c"; wrap it in [ ]',
    ],
    [
      "too many answers",
      JSON.stringify({
        query: "x",
        tools: [],
        accept: [[{ name: "a", arguments: Object.fromEntries([..."bcdefghijk"].map((key) => [key, [1, 2]])) }]],
      }),
      "accept[0]: expected at most 1000 answers in all, got 1024",
    ],
    ["cut-off JSON in a string", '{"query":"x","tools":"[{","answers":"[]"}', "tools: expected JSON"],
    ["bad tools", '{"query":"x","tools":[{"name":1}],"answers":[]}', "tools[0].name: expected a string"],
  ])("%s is named by file and number", (_, bad, message) => {
    const path = write("bad.jsonl", `${line}\n\n${bad}\n`);
    expect(() => readExamples(path)).toThrow(`${path}:3: ${message}`);
  });

  test("a cut-off .gz and an empty file say so", () => {
    const cut = write("cut.jsonl.gz", gzipSync(line).subarray(0, 60));
    expect(() => readExamples(cut)).toThrow(`${cut}: expected a gzip file`);
    expect(() => readExamples(write("empty.jsonl", "\n"))).toThrow("expected examples, one a line, got none");
  });
});

describe("retrieval", () => {
  test("ranks tools by dot product; recall and MRR are of the first wanted one", async () => {
    const vectors: Record<string, number[]> = { "wake me at 7:15 tomorrow": [1, 0], "skip this song": [1, 0] };
    vectors["call anna and set a timer for 10 minutes"] = [1, 0];
    const score: Record<string, number> = { tell_joke: 9, set_alarm: 8, set_timer: 7, make_call: 6, next_song: 1 };
    const vectorOf = async (text: string) =>
      Float32Array.from(vectors[text] ?? [score[/"name":"(\w+)"/.exec(text)?.[1] as string], 5]);
    // Ranks: set_alarm second of two, next_song fourth of four, set_timer (also wanted) first of two.
    expect(await retrieval({ vectorOf }, readExamples(data), () => {})).toEqual({
      examples: 3,
      meanTools: 8 / 3,
      recall: { 1: 1 / 3, 3: 2 / 3, 5: 1 },
      mrr: (1 / 2 + 1 / 4 + 1) / 3,
    });
    const none = readExamples(data).filter(({ want }) => !want.length);
    expect(await retrieval({ vectorOf }, none, () => {})).toEqual({
      ...{ examples: 0, meanTools: null, mrr: null },
      recall: { 1: null, 3: null, 5: null },
    });
  });
});

describe("groups", () => {
  test("runs that come nearest to different acceptable answers are drawn side by side", async () => {
    const offered = [{ name: "set_alarm", parameters: { time: { type: "string", required: true } } }];
    const path = join(folder, "either.jsonl");
    const either = {
      query: "seven",
      tools: offered,
      accept: [[], [{ name: "set_alarm", arguments: { time: ["7"] } }]],
    };
    const lines = [either, { query: "hello", tools: offered, answers: [] }];
    writeFileSync(path, lines.map((line) => JSON.stringify(line)).join("\n"));
    const runs = await Promise.all(
      [[], [alarm({ time: "7" })]].map(async (calls, i) => {
        const answer = async ({ request }: { request: string }) => ({ calls: request === "seven" ? calls : [] });
        const facts = { model: "m", decoding: `way ${i}`, kernels: null, elapsedMs: 0 };
        return summarize(facts, await answerAll(readExamples(path), answer, 1, () => {}), null);
      }),
    );
    for (const order of [runs, runs.toReversed()]) {
      const drawn = render({ files: [], runs: order }, "terminal", 0);
      expect(drawn).toMatch(/^none +1 +way 1 /m);
      expect(drawn).toMatch(/^single +- +way 0 +-/m);
    }
  });

  test("every example stands in one group of each kind, seen and unseen apart", async () => {
    const results = await answerAll(
      readExamples(data),
      async ({ want }) => ({ calls: want }),
      1,
      () => {},
    );
    const facts = { model: "m", decoding: "grammar" as const, kernels: null, elapsedMs: 0 };
    const { groups } = summarize(facts, results, new Set(["set_alarm", "make_call"]));
    const sizes = (name: string) => Object.entries(groups[name]).map(([key, { examples }]) => [key, examples]);
    expect(Object.keys(groups)).toEqual(["source", "calls", "tools", "seen"]);
    expect(sizes("source")).toEqual(
      expect.arrayContaining([
        ["watch", 3],
        ["media", 1],
      ]),
    );
    expect(sizes("calls")).toEqual([
      ["none", 1],
      ["single", 2],
      ["several", 1],
    ]);
    expect(sizes("tools")).toEqual([
      ["2-3 tools", 3],
      ["4-5 tools", 1],
    ]);
    expect(sizes("seen")).toEqual(
      expect.arrayContaining([
        ["seen", 1],
        ["unseen", 2],
      ]),
    );
  });
});

/** A server on loopback whose manners the request's text names. */
async function stub(answer: (request: string, tries: number, reply: ServerResponse) => void) {
  const tries = new Map<string, number>();
  const seen: { body: Record<string, unknown>; headers: IncomingMessage["headers"]; path?: string }[] = [];
  let [open, mostOpen] = [0, 0];
  const server = createServer(async (message, reply) => {
    mostOpen = Math.max(mostOpen, ++open);
    reply.on("close", () => open--);
    let text = "";
    for await (const chunk of message) text += chunk;
    const body = JSON.parse(text);
    seen.push({ body, headers: message.headers, path: message.url });
    const request = body.messages[0].content;
    tries.set(request, (tries.get(request) ?? 0) + 1);
    answer(request, tries.get(request) as number, reply);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url, seen, close, mostOpen: () => mostOpen };
}

const completion = (...calls: [name: string, args: unknown][]) => {
  const list = calls.map(([name, args]) => ({ type: "function", function: { name, arguments: args } }));
  return JSON.stringify({ choices: [{ message: { content: null, tool_calls: list } }] });
};
const saying = (content: string) => JSON.stringify({ choices: [{ message: { content } }] });

/** What the stub does for a request, and what the answer then is. */
const manners: Record<string, { reply: (tries: number, reply: ServerResponse) => void; answer: object }> = {
  "calls well": {
    reply: (_, reply) => reply.end(completion(["set_alarm", '{"time":"7:15"}'])),
    answer: { calls: [alarm({ time: "7:15" })], retries: 0 },
  },
  "sends arguments as an object": {
    reply: (_, reply) => reply.end(completion(["set_alarm", { time: "7" }])),
    answer: { calls: [alarm({ time: "7" })] },
  },
  "sends no arguments": {
    reply: (_, reply) => reply.end(completion(["set_alarm", ""])),
    answer: { calls: [alarm({})] },
  },
  "writes the call as text": {
    reply: (_, reply) => reply.end(saying('[{"name":"set_alarm","arguments":{"time":"7"}}]')),
    answer: { calls: [alarm({ time: "7" })] },
  },
  "talks instead": { reply: (_, reply) => reply.end(saying("I cannot do that.")), answer: { calls: [] } },
  "breaks off its arguments": {
    reply: (_, reply) => reply.end(completion(["set_alarm", '{"time":'])),
    answer: { calls: null },
  },
  "is busy twice": {
    reply: (tries, reply) => {
      if (tries > 2) return reply.end(saying("no"));
      reply.writeHead(429, { "retry-after": tries === 1 ? "0" : new Date().toUTCString() }).end("slow down");
    },
    answer: { calls: [], retries: 2 },
  },
  "is always busy": {
    reply: (_, reply) => reply.writeHead(429, { "retry-after": "0" }).end(),
    answer: { calls: undefined, failure: "status 429", retries: 4 },
  },
  "is broken": {
    reply: (_, reply) => reply.writeHead(503, { "retry-after": "0" }).end("<html>"),
    answer: { failure: "status 503", retries: 4 },
  },
  "wants another key": {
    reply: (_, reply) => reply.writeHead(401).end("{}"),
    answer: { failure: "status 401", retries: 0 },
  },
  "sends half": {
    reply: (_, reply) => reply.end(saying("no").slice(0, 20)),
    answer: { failure: "bad JSON", retries: 0 },
  },
  "sends a page": { reply: (_, reply) => reply.end("<html>"), answer: { failure: "bad JSON" } },
  "sends null": { reply: (_, reply) => reply.end("null"), answer: { failure: "no message" } },
  "has no choice": { reply: (_, reply) => reply.end('{"choices":[]}'), answer: { failure: "no message" } },
  "falls silent": { reply: () => {}, answer: { failure: "timeout", retries: 0 } },
  "hangs up once": {
    reply: (tries, reply) => (tries === 1 ? reply.destroy() : reply.end(saying("no"))),
    answer: { calls: [], retries: 1 },
  },
};

describe("endpoint", () => {
  const example = (request: string) => ({ ...readExamples(data)[0], request, tools });

  test.each(Object.entries(manners))("a server that %s", async (request, { reply, answer }) => {
    const server = await stub((_, tries, response) => reply(tries, response));
    try {
      const answerer = endpointAnswerer({ url: server.url, model: "m", timeoutMs: 300 });
      expect(await answerer(example(request))).toMatchObject(answer);
    } finally {
      server.close();
    }
  });

  test("sends the tools as JSON Schema, the key as a bearer, and keeps to the concurrency", async () => {
    const server = await stub((_, __, reply) => void setTimeout(() => reply.end(saying("no")), 20));
    try {
      const answerer = endpointAnswerer({
        url: `${server.url}/chat/completions/`,
        model: "m",
        key: "hush",
        timeoutMs: 2000,
      });
      const examples = Array.from({ length: 12 }, (_, i) => example(`request ${i}`));
      const results = await answerAll(examples, answerer, 3, () => {});
      expect(results.map(({ request }) => request)).toEqual(examples.map(({ request }) => request));
      expect(server.mostOpen()).toBe(3);
      const [{ body, headers, path }] = server.seen;
      expect({ path, key: headers.authorization }).toEqual({ path: "/v1/chat/completions", key: "Bearer hush" });
      expect(body).toMatchObject({ model: "m", temperature: 0, messages: [{ role: "user" }] });
    } finally {
      server.close();
    }
  });

  test("retry-after is seconds or a date, and a date past is no wait", () => {
    expect(retryAfterMs("3")).toBe(3000);
    expect(retryAfterMs(new Date(Date.now() + 60_000).toUTCString())).toBeWithin(58_000, 60_001);
    expect(retryAfterMs("Wed, 21 Oct 2015 07:28:00 GMT")).toBe(0);
    expect([null, "soon"].map(retryAfterMs)).toEqual([undefined, undefined]);
  });

  test("tools keep names, types and what is required, however deep", () => {
    const place = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
    const schema = { type: "object", properties: { to: place, fast: { type: "boolean" } }, required: ["to"] };
    const openAi = [{ type: "function", function: { name: "go", description: "Go.", parameters: schema } }];
    expect(JSON.parse(JSON.stringify(openAiTools(ToolSet.from(openAi).prompt)))).toEqual([
      { type: "function", function: { name: "go", description: "Go.", parameters: schema } },
    ]);
  });
});

describe("the command", () => {
  async function thimbleEval(args: string[], environment: Record<string, string> = {}) {
    const script = `
      import { parse } from ${JSON.stringify(new URL("../tools/command.ts", import.meta.url).href)};
      import { evaluate } from ${JSON.stringify(new URL("../tools/eval.ts", import.meta.url).href)};
      try { await evaluate.run(parse(process.argv.slice(1), evaluate.options)); }
      catch (error) { console.error(error.name + ": " + error.message); process.exitCode = 1; }`;
    const child = Bun.spawn([process.execPath, "-e", script, "--", ...args], {
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, ...environment },
    });
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    return { out, err, code: await child.exited };
  }

  const long = join(folder, "long.jsonl");
  const [first] = readExamples(data);
  const many = { query: "word ".repeat(1100), tools: [{ name: "tool", description: "Does a thing." }], answers: [] };
  writeFileSync(long, `${JSON.stringify(many)}\n`);

  test("--both --json has the documented keys and a result for every example, too long ones as well", async () => {
    const { out, err, code } = await thimbleEval([data, long, "--both", "--retrieval", "--json", "--train", data]);
    expect({ err, code }).toEqual({ err: "", code: 0 });
    const report = JSON.parse(out);
    expect(Object.keys(report)).toEqual(["files", "runs", "retrieval"]);
    expect(report.runs.map(({ decoding }: { decoding: string }) => decoding)).toEqual(["grammar", "free"]);
    const [run] = report.runs;
    expect(Object.keys(run)).toEqual([
      ...["model", "decoding", "kernels", "elapsedMs", "examples", "metrics", "groups", "failures", "cutShort"],
      ...["retries", "latencyMs", "prefillMs", "promptTokens", "faults", "results"],
    ]);
    expect(run.examples).toBe(5);
    expect(run.failures).toEqual({ "prompt too long": 1 });
    expect(run.metrics.noneRecall.value).toBe(1 / 2);
    expect(run.promptTokens.most).toBeGreaterThan(1024);
    expect(run.results[0]).toMatchObject({ key: first.key, exact: true, got: first.want, file: "eval", line: 1 });
    expect(run.results[4]).toMatchObject({ exact: false, got: null, failure: "prompt too long" });
    expect(report.retrieval.examples).toBe(3);
    expect(run.groups.seen).toBeUndefined();

    const path = join(folder, "both.json");
    writeFileSync(path, out);
    const compared = await thimbleEval(["--compare", path]);
    expect(compared.out).toContain("5 examples in both, 0 only in a, 0 only in b");
    expect(compared.out).toContain("McNemar, exact");
    expect((await thimbleEval(["--compare", path, path, "--json"])).out).toContain('"onlyA":0');
  });

  test("tables: on a terminal and in Markdown", async () => {
    const plain = await thimbleEval([data, long]);
    expect(plain.out).toMatch(/^all examples +grammar$/m);
    expect(plain.out).toMatch(/^prompt too long +1 of 5$/m);
    expect(plain.out).toMatch(/^eval +4 +\d\.\d{3}/m);
    expect(plain.out).toContain('- long:1 "word word');
    const { out } = await thimbleEval([data, "--markdown", "--free", "--worst", "0"]);
    expect(out).toMatch(/^\| all examples \| free \|\n\| --- \| --: \|$/m);
    expect(out).not.toContain("worst");
  });

  test("--endpoint runs the same examples; what fails is counted; the key is not shown", async () => {
    const server = await stub((request, _, reply) => {
      if (request.startsWith("wake")) reply.end(completion(["set_alarm", '{"time":"at 7:15","date":"tomorrow"}']));
      else if (request.startsWith("skip")) reply.writeHead(401).end();
      else reply.end(saying("I cannot."));
    });
    try {
      const args = ["--endpoint", server.url, "--model", "tiny", data];
      const { out, err, code } = await thimbleEval([...args, "--json"], { THIMBLE_API_KEY: "hush-hush" });
      expect({ err, code }).toEqual({ err: "", code: 0 });
      const [run] = JSON.parse(out).runs;
      expect(run).toMatchObject({ decoding: "endpoint", kernels: null, failures: { "status 401": 1 }, examples: 4 });
      expect(run.results.map(({ exact }: { exact: boolean }) => exact)).toEqual([true, true, false, false]);
      expect(run.metrics.falseRefusals.value).toBe(1 / 3);
      expect(server.seen[0].headers.authorization).toBe("Bearer hush-hush");
      expect(out).not.toContain("hush-hush");
      const refused = join(folder, "refused.jsonl");
      writeFileSync(refused, JSON.stringify({ query: "skip", tools: [{ name: "next_song" }], answers: [] }));
      const none = await thimbleEval([...args.slice(0, -1), refused]);
      expect([none.code, none.err]).toEqual([1, "thimble: eval: expected answers, got none: status 401\n"]);
    } finally {
      server.close();
    }
  });

  test.each([
    ["no data", [], "UsageError: eval: expected data, got none"],
    ["a pack without data", ["x.thimble"], "UsageError: eval: expected data"],
    ["two decodings", [data, "--free", "--both"], "UsageError: eval: expected --free or --both, got both"],
    ["ways and free", [data, "--free", "--decode", "step"], "UsageError: eval: expected --free or --decode, got both"],
    [
      "ways for an endpoint",
      [data, "--decode", "step", "--endpoint", "http://x", "--model", "m"],
      "UsageError: --decode: expected a pack, got --endpoint",
    ],
    ["an endpoint without a model", [data, "--endpoint", "http://x"], "UsageError: --endpoint: expected --model"],
    ["an endpoint that is none", [data, "--endpoint", "x", "--model", "m"], "UsageError: --endpoint: expected an http"],
    ["a model without an endpoint", [data, "--model", "m"], "UsageError: --model: expected --endpoint"],
    ["a pack and an endpoint", ["a", data, "--endpoint", "http://x", "--model", "m"], "UsageError: eval: expected a"],
    ["a grammar for an endpoint", [data, "--free", "--endpoint", "http://x", "--model", "m"], "UsageError: --free"],
    ["nothing to compare", ["--compare"], "UsageError: --compare: expected one or two files, got 0"],
    ["something else to compare", ["--compare", data], "Error: ", "expected what thimble eval --json prints"],
  ] as [string, string[], string, string?][])(
    "%s: one line that says what to do",
    async (_, args, start, part = "") => {
      const { err, code } = await thimbleEval(args);
      expect(err).toStartWith(start);
      expect(err).toContain(part);
      expect(err.trim().split("\n")).toHaveLength(1);
      expect(code).toBe(1);
    },
  );
});
