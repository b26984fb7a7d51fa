import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ToolSet } from "../runtime/index.ts";
import type { Json } from "../runtime/json.ts";
import { Tokenizer } from "../runtime/text/tokenizer.ts";
import type { Schema } from "../runtime/tools/schema.ts";
import type { Rewrite } from "../tools/lint/remedies.ts";
import { applied as written } from "../tools/lint/rewrite.ts";
import { rules } from "../tools/lint/rules.ts";
import { readSheet, valueAt } from "../tools/lint/sheet.ts";
import { lint, type Report, reportOf } from "../tools/lint.ts";
import { readVocabulary } from "../tools/sentencepiece.ts";
import { fixture, jointPack, testWith, thimble } from "./support.ts";

interface Case {
  prompt?: number;
  accept: Json[];
  reject: Json[];
  paths: string[];
  /** How many of them only the author can mend; 0. */
  undecided?: number;
}

const cases: Record<string, Case> = await Bun.file(fixture("lint.json")).json();
const vocabulary = await Bun.file(fixture("nano.model")).bytes();
const tokenizer = new Tokenizer(readVocabulary(vocabulary, "nano.model"));
const folder = mkdtempSync(join(tmpdir(), "thimble-lint-"));
afterAll(() => rmSync(folder, { recursive: true }));
const watch = fileURLToPath(new URL("../tools/watch.json", import.meta.url));

function reportFor(tools: unknown, prompt = 384): Report {
  return reportOf("tools.json", readSheet(JSON.stringify(tools), tokenizer, prompt));
}

function pathsOf(report: Report, rule: string): string[] {
  return report.findings.filter((finding) => finding.rule === rule).map(({ path }) => path);
}

/** The list after some rewrites, whose places it has. */
function applied(tools: Json[], rewrites: readonly Rewrite[]): Json[] {
  for (const { at, value, key, order } of rewrites)
    if (key !== undefined || order || value === undefined)
      expect(valueAt(tools, at.slice(0, -1))).toContainKey(`${at.at(-1)}`);
  return written(tools, rewrites);
}

/** What lint suggests to write in the place of errors and warnings. */
function suggested(tools: unknown, prompt?: number): string[] {
  const { findings } = reportFor(tools, prompt);
  return findings
    .filter(({ severity, rewrites }) => severity !== "hint" && rewrites)
    .map(({ rule, path, message }) => `${rule} ${path}: ${message}`);
}

const allOf = (report: Report) => report.findings.flatMap(({ rewrites = [] }) => rewrites);

/** The list after a rule's rewrites, each on what the one before left. */
function mended(tools: Json[], rule: string, prompt?: number): Json[] {
  let list = tools;
  for (let tries = 0; tries < 20; tries++) {
    const { findings } = reportFor(list, prompt);
    const rewrites = findings.find((finding) => finding.rule === rule && finding.rewrites)?.rewrites;
    if (!rewrites) break;
    list = applied(list, rewrites);
  }
  return list;
}

test("an empty list is an error, however it is given", () => {
  for (const list of [[], { tools: [] }])
    expect(reportFor(list).findings.map(({ rule, message }) => [rule, message])).toEqual([
      ["unreadable", "expected one at least, got an empty list"],
    ]);
});

test.each([
  [
    { type: "integer", min: 0, max: 5 },
    { type: "integer", minimum: 0, maximum: 5 },
  ],
  [
    { type: "string", min: 2 },
    { type: "string", minLength: 2 },
  ],
  [
    { type: "number", gt: 0, step: 0.5 },
    { type: "number", exclusiveMinimum: 0, multipleOf: 0.5 },
  ],
  [
    { type: "string", choices: ["red", "green"] },
    { type: "string", enum: ["red", "green"] },
  ],
  [{ type: "number", options: 3 }, { type: "number" }],
  [
    { type: "integer", min: 1, minimum: 2 },
    { type: "integer", minimum: 2 },
  ],
] as [Json, Json][])("a keyword of another language becomes JSON Schema's: %j", (given, meant) => {
  const list = (level: Json) => [{ name: "set_level", description: "Set it.", parameters: { level } }];
  expect(mended(list(given), "not-kept")).toEqual(list(meant));
});

test("every rule has a case and every case a rule", () => {
  expect(Object.keys(cases).sort()).toEqual(rules.map(({ id }) => id).sort());
});

test.each(Object.entries(cases))("%s: accepts the one list, says where the other fails", (id, one) => {
  expect(pathsOf(reportFor(one.accept, one.prompt), id)).toEqual([]);
  expect(pathsOf(reportFor(one.reject, one.prompt), id).sort()).toEqual([...one.paths].sort());
});

test.each(Object.entries(cases))("%s: what it would write ends the finding and brings no error", (id, one) => {
  const before = reportFor(one.reject, one.prompt);
  const after = reportFor(mended(one.reject, id, one.prompt), one.prompt);
  expect(pathsOf(after, id)).toHaveLength(one.undecided ?? 0);
  expect(after.errors).toBeLessThanOrEqual(before.errors);
});

test.each(Object.entries(cases))("%s: all rewrites applied once leave none to suggest", (_, { reject, prompt }) => {
  expect(suggested(applied(reject, allOf(reportFor(reject, prompt))), prompt)).toEqual([]);
});

const aside = {
  format: "date",
  pattern: "^x",
  min: 1,
  minValue: 1,
  contains: {},
  descripton: "Day.",
  enmu: ["1"],
  tpye: "string",
  maxLenght: 4,
};

test("of two keywords that are not kept neither rewrite undoes the other, whatever the type", () => {
  const keys = Object.keys(aside) as (keyof typeof aside)[];
  for (const type of [{ type: "string" }, { type: "integer" }, { type: "array" }, {}] as Record<string, Json>[]) {
    for (const a of keys)
      for (const b of keys) {
        const x = { ...type, [a]: aside[a], [b]: aside[b] };
        const native = { name: "set_day", descripton: "Set it.", parameters: { x } };
        const list: Json[] = [
          native,
          { ...native, name: "get_day", parameters: { type: "object", properties: { x }, requierd: ["x"] } },
        ];
        const after = applied(list, allOf(reportFor(list)));
        expect(suggested(after)).toEqual([]);
      }
  }
});

test.each([
  [
    { name: "f", paramters: { a: { type: "string" } } },
    { name: "f", parameters: { a: { type: "string" } } },
  ],
  [
    { nmae: "f", descripton: "Do.", parameters: { a: { type: "string", pattern: "x" } } },
    { name: "f", description: "Do.", parameters: { a: { type: "string" } } },
  ],
  [
    { name: "f", inputSchema: { type: "object", propertes: { a: { enmu: [1, 2] } }, requierd: ["a"] } },
    { name: "f", inputSchema: { type: "object", properties: { a: { enum: [1, 2] } }, required: ["a"] } },
  ],
  // Two slips, and the order that the model was trained on.
  [
    { name: "f", parameters: { a: { type: "integer", discripton: "How many." } }, descripton: "Do." },
    { name: "f", description: "Do.", parameters: { a: { type: "integer", description: "How many." } } },
  ],
  // Of two that mean the same the first.
  [
    { name: "f", parameters: { a: { type: "integer", minimun: 1, min: 2 } } },
    { name: "f", parameters: { a: { type: "integer", minimum: 1 } } },
  ],
  // It cannot be read until it is mended.
  [
    { name: "f", inputSchema: { type: "object", propertes: { a: { type: "string" } }, required: ["a"] } },
    { name: "f", inputSchema: { type: "object", properties: { a: { type: "string" } }, required: ["a"] } },
  ],
  [
    { name: "f", parameters: { a: { type: "array", itmes: { type: "integer" }, requird: true, minItms: 1 } } },
    { name: "f", parameters: { a: { type: "array", items: { type: "integer" }, required: true, minItems: 1 } } },
  ],
  // What is meant is there, is no keyword of the type, or is too far.
  [
    { name: "f", parameters: { a: { type: "string", maxLength: 3, maxLenght: 4, minimun: 1, pattern: "x" } } },
    { name: "f", parameters: { a: { type: "string", maxLength: 3 } } },
  ],
] as Json[][])("a key with a slip becomes the one that was meant: %j", (given, meant) => {
  let list: Json[] = [given];
  for (let tries = 0; tries < 2; tries++) {
    const { findings } = reportFor(list);
    list = applied(
      list,
      findings.flatMap(({ rule, rewrites = [] }) => (rule === "not-kept" ? rewrites : [])),
    );
  }
  expect(JSON.stringify(list)).toBe(JSON.stringify([meant]));
});

test("a text whose key has a slip is not written anew", () => {
  const list: Json[] = [
    { name: "f", descripton: "Do.", parameters: { a: { type: "integer", descripton: "How many." } } },
  ];
  const report = reportFor(list);
  expect(pathsOf(report, "description-missing")).toEqual([]);
  expect(JSON.stringify(applied(list, allOf(report)))).toBe(
    JSON.stringify(list).replaceAll("descripton", "description"),
  );
});

test("parameters named as keywords are taken for no keywords", () => {
  const schema = {
    type: "object",
    properties: {
      type: {},
      properties: { type: "object" },
      oneOf: { oneOf: [{ type: "number" }, { type: "integer" }] },
    },
  };
  const list = [{ name: "f", inputSchema: schema }] as Json[];
  const { properties } = schema;
  expect(mended(list, "not-kept")).toEqual([
    {
      name: "f",
      inputSchema: {
        ...schema,
        properties: { ...properties, type: { type: "string" }, oneOf: { anyOf: properties.oneOf.oneOf } },
      },
    },
  ]);
});

test("an array that says no items is no switch, and its rewrite says them", () => {
  const names = { type: "array", description: "Names." };
  const list: Json[] = [{ name: "f", parameters: { names } }];
  const { findings } = reportFor(list);
  expect(findings.map(({ rule }) => rule)).not.toContain("boolean-verb");
  const [{ message }] = findings.filter(({ rule }) => rule === "not-kept");
  expect(message).toBe(
    'expected what the grammar can hold to, got no items, which says nothing; a string, number or boolean is written; write "items": {"type":"string"}',
  );
  expect(mended(list, "not-kept")).toEqual([
    { name: "f", parameters: { names: { ...names, items: { type: "string" } } } },
  ]);
});

test("no rewrite changes nothing: an object without keys has none, nor a kind of tool that is not known", () => {
  for (const y of [
    { type: "object" },
    { type: "object", properties: {} },
    { type: "object", additionalProperties: true },
  ]) {
    const [one] = reportFor([{ name: "f", parameters: { y } }]).findings.filter(({ rule }) => rule === "not-kept");
    expect(one.message).toEndWith("name its keys under properties");
    expect(one.rewrites).toBeUndefined();
  }
  const [foreign] = reportFor([{ name: "find", type: "web_search" }]).findings;
  expect(foreign).toMatchObject({ rule: "not-kept", path: "tools[0].type" });
  expect(foreign.rewrites).toBeUndefined();
});

test("of a tool with several errors each is told, at its own place, and none that follows from another", () => {
  const paths = (tool: Json) =>
    pathsOf(reportFor([{ name: "ok" }, tool]), "unreadable").map((path) => path.replace("tools[1].", ""));
  const $defs = { when: { type: "strng" } };
  const properties = {
    ...{ a: { type: "aray" }, b: { type: "integer", enum: ["1", "2"] }, c: { type: "integer", minimum: "1" } },
    ...{ d: { $ref: "#/$defs/when" }, e: { $ref: "#/$defs/then" }, f: 5, g: { type: "array", items: { anyOf: [] } } },
  };
  const at = (...rest: string[]) => rest.map((path) => `inputSchema.properties.${path}`);
  expect(
    paths({
      name: 5,
      description: 5,
      risk: "big",
      inputSchema: { properties, required: ["a", "y", "z", "f"], $defs },
    }).sort(),
  ).toEqual([
    ...["description", "inputSchema.$defs.when.type"],
    ...at("a.type", "b.enum[0]", "c.minimum", "e.$ref", "f", "g.items.anyOf"),
    ...["inputSchema.required", "inputSchema.required", "name", "risk"],
  ]);
  expect(paths({ name: "f", inputSchema: { type: "object", properties: "a", required: ["a"] } })).toEqual([
    "inputSchema.properties",
  ]);
  expect(paths({ name: "f", parameters: { a: { type: "strng" }, b: "string" } })).toEqual([
    "parameters.a.type",
    "parameters.b",
  ]);
  expect(paths("f")).toEqual(["tools[1]"]);
});

test("a long place hides nothing of what is wrong there", () => {
  const name = "n".repeat(200);
  const [{ message }] = reportFor([{ name: "f", parameters: { [name]: { type: "strng" } } }]).findings;
  expect(message).toStartWith("expected one of string, ");
});

test("every message reads: expected one thing, got another", () => {
  for (const { reject, prompt } of Object.values(cases)) {
    for (const { message, rewrites: [rewrite, ...more] = [] } of reportFor(reject, prompt).findings) {
      expect(message).toMatch(/^expected .+/);
      const told = rewrite?.key ?? rewrite?.value;
      if (typeof told === "string" && !more.length) expect(message).toEndWith(`${JSON.stringify(told)}`);
    }
  }
});

test.each([
  ["text that is no JSON", '[{"name":', "tools"],
  ["no list", '{"name":"x"}', "tools"],
  ["a tool that is no object", '["x"]', "tools[0]"],
])("%s is one error, no crash", (_, text, path) => {
  const { findings, errors, tools } = reportOf("x", readSheet(text, tokenizer, 384));
  expect(findings).toMatchObject([{ rule: "unreadable", severity: "error", path }]);
  expect({ errors, tools }).toEqual({ errors: 1, tools: [] });
});

test("a tool that cannot be read hides no finding of the others, at their own places", () => {
  const report = reportFor({ tools: [{ name: 1 }, { name: "setAlarm" }] });
  expect(pathsOf(report, "unreadable")).toEqual(["tools[0].name"]);
  expect(pathsOf(report, "name-snake-case")).toEqual(["tools[1].name"]);
});

test("a list in any form is read, each finding and rewrite at the tool's own place", () => {
  const parameters = { type: "OBJECT", properties: { roomName: { type: "STRING", enum: ["Küche"] } } };
  const tool = { name: "setAlarm", parameters };
  const forms: [given: unknown, at: string][] = [
    [{ jsonrpc: "2.0", id: 1, result: { tools: [tool] } }, "tools[0]"],
    [{ functions: [tool] }, "tools[0]"],
    [{ setAlarm: { parameters } }, "tools.setAlarm"],
    [{ functionDeclarations: [tool] }, "tools[0]"],
    [{ tools: [{ functionDeclarations: [{ name: "ping" }, tool] }] }, "tools[0].functionDeclarations[1]"],
    [[{ type: "function", function: tool }], "tools[0].function"],
  ];
  for (const [given, at] of forms) {
    const { tools, findings } = reportFor(given);
    expect(tools.at(-1)).toMatchObject({ path: at, name: "setAlarm" });
    expect(findings.find(({ rule }) => rule === "name-snake-case")?.path).toBe(`${at}.name`);
    const [foreign] = findings.filter(({ rule }) => rule === "non-ascii");
    expect(foreign.path).toBe(`${at}.parameters.properties.roomName.enum[0]`);
  }
  const bedrock = [{ toolSpec: { name: "setAlarm", inputSchema: { json: parameters } } }];
  const [foreign] = reportFor(bedrock).findings.filter(({ rule }) => rule === "non-ascii");
  expect(foreign.path).toBe("tools[0].toolSpec.inputSchema.json.properties.roomName.enum[0]");
  const plain = [{ name: "f", args: { room: { type: "string", enum: ["Küche"] } } }];
  expect(pathsOf(reportFor(plain), "non-ascii")).toEqual(["tools[0].args.room.enum[0]"]);
});

test("eight tools in the prompt are no finding and nine are; read apart thirty and thirty-one", () => {
  const findings = (way: "joint" | "apart", n: number) => {
    const list = JSON.stringify(Array.from({ length: n }, (_, i) => ({ name: `tool_${i}` })));
    return pathsOf(reportOf("tools.json", readSheet(list, tokenizer, 384, way)), "too-many-tools").length;
  };
  expect([findings("joint", 8), findings("joint", 9), findings("apart", 30), findings("apart", 31)]).toEqual([
    0, 1, 0, 1,
  ]);
});

test("a reference with a percent sign that encodes nothing is followed", () => {
  const properties = { a: { $ref: "#/$defs/100%" } };
  const $defs = { "100%": { enum: ["Küche"] } };
  const [foreign] = reportFor([{ name: "f", inputSchema: { properties, $defs } }]).findings.filter(
    ({ rule }) => rule === "non-ascii",
  );
  expect(foreign.path).toBe("tools[0].inputSchema.$defs.100%.enum[0]");
});

/** Tokens as a call counts them, as the sum of the tools, and each tool's as of its text alone but for its ends. */
function expectTokens(text: string): void {
  const report = reportOf("x", readSheet(text, tokenizer, 384));
  const set = ToolSet.from(text);
  expect(report.promptTokens).toBe(tokenizer.tokenize(set.prompt).length);
  expect(report.tools.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(report.promptTokens);
  expect(report.requestRoom).toBe(384 - 1 - report.promptTokens);
  for (const [i, { tokens }] of report.tools.entries()) {
    expect(Math.abs(tokens - tokenizer.tokenize(set.texts[i]).length)).toBeLessThanOrEqual(3);
  }
}

test("tools' tokens add up to the prompt's, with spaces that collapse, marks and escapes", async () => {
  expectTokens(await Bun.file(watch).text());
  const odd = [`two${"  spaces".repeat(20)}`, "<tools>".repeat(20), "Köln ".repeat(20)];
  expectTokens(JSON.stringify(odd.map((description, i) => ({ name: `f${i}`, description }))));
});

for (const name of ["watch", "home", "calendar-mcp", "travel-openai", "nested-jsonschema"]) {
  testWith(
    `data/tools/${name}.json`,
    `${name}.json: lint counts what a call counts, and every place exists`,
    async (file) => {
      const text = await Bun.file(file).text();
      expectTokens(text);
      const { findings } = reportFor(JSON.parse(text), 1024);
      expect(findings.length).toBeGreaterThan(0);
      const read = JSON.parse(text);
      for (const { path } of findings) expect(path).not.toContain("undefined");
      const list = read.tools ?? read;
      expect(
        suggested(
          applied(
            list,
            findings.flatMap(({ rewrites = [] }) => rewrites),
          ),
          1024,
        ),
      ).toEqual([]);
    },
  );
}

const command = (args: string[], stdin = "") => thimble(["lint", ...args], stdin);

test("prints tokens, findings and their number; the exit code is 0 without an error", async () => {
  const { code, out, err } = await command([watch]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/: 7 tools, \d+ of 1024 rows\n/);
  expect(out).toMatch(/\n {2}set_timer +\d+ +\d+%\n/);
  expect(out).toMatch(/\nhint required-first\n {2}tools\[5\].parameters: expected required parameters first, got .*\n/);
  expect(out).toMatch(/\n0 errors, \d+ warnings?, \d+ hints?\n$/);
});

test("exit code 1 for an error; for a warning with --strict; --rows sets the limit; - is standard input", async () => {
  const tools = JSON.stringify([{ name: "tools", description: "Show tools." }]);
  expect((await command(["-"], tools)).code).toBe(0);
  expect((await command(["-", "--strict"], tools)).code).toBe(1);
  const { code, out } = await command(["-", "--rows", "8", "--json"], tools);
  expect(code).toBe(1);
  const report: Report = JSON.parse(out);
  expect(Object.keys(report)).toEqual([
    ...["path", "way", "promptLimit", "promptTokens", "share", "requestRoom", "tools", "descriptions", "findings"],
    ...["errors", "warnings", "hints"],
  ]);
  expect(report.promptLimit).toBe(8);
  expect(pathsOf(report, "prompt-over")).toEqual(["tools[0]"]);
  const two = JSON.stringify([{ name: "open_door" }, { name: "close_door" }]);
  const tight: Report = JSON.parse((await command(["-", "--rows", "16", "--json"], two)).out);
  expect(tight.tools.map(({ tokens }) => tokens)).toEqual([16, 16]);
  expect(pathsOf(tight, "prompt-tight")).toEqual(["tools"]);
  expect(await command(["-", "--prompt", "12"], tools)).toMatchObject({ code: 2 });
});

test("more rows than any session has are no remedy", async () => {
  const messages = async (words: number, count: number) => {
    const tools = Array.from({ length: count }, (_, i) => ({ name: `say_${i}`, description: "word ".repeat(words) }));
    const report: Report = JSON.parse((await command(["-", "--json"], JSON.stringify(tools))).out);
    const found = report.findings.filter(({ rule }) => ["prompt-over", "prompt-tight"].includes(rule));
    return [...new Set(found.map(({ message }) => message.replace(/^.*; /, "").replace(/\d+/, "N")))];
  };
  expect(await messages(1200, 1)).toEqual([
    "shorten it or load with toolRows: N",
    "shorten descriptions or load with toolRows: N",
  ]);
  expect(await messages(17_000, 1)).toEqual(["shorten it", "shorten descriptions"]);
  expect(await messages(600, 2)).toEqual(["shorten descriptions or load with toolRows: N"]);
  // Of so many a request sees the likeliest few.
  expect(await messages(600, 9)).toEqual([]);
});

test("where tools are part of the prompt, tokens, and what they leave for the request", async () => {
  const joint = join(folder, "joint.thimble");
  writeFileSync(joint, await jointPack());
  const { out } = await command([watch, "--model", joint]);
  expect((await command(["-", "--model", joint, "--prompt", "8"], "[]")).out).toContain("load with promptTokens: ");
  expect(out).toMatch(/: 7 tools, \d+ of 1024 prompt tokens, \d+ left for the request\n/);
  const tools = JSON.stringify([{ name: "tools", description: "Show tools." }]);
  const report: Report = JSON.parse((await command(["-", "--model", joint, "--prompt", "12", "--json"], tools)).out);
  expect(pathsOf(report, "prompt-over")).toEqual(["tools"]);
});

test("the five dearest descriptions are shown, the dearest first", async () => {
  const { descriptions } = reportFor(await Bun.file(watch).json());
  expect(descriptions).toHaveLength(5);
  const tokens = descriptions.map((one) => one.tokens);
  expect(tokens).toEqual([...tokens].sort((a, b) => b - a));
  expect(descriptions[0].text).toBe('Kind of workout, e.g. "running".');
});

test("--help ends with a real example", () => {
  expect(lint.help).toStartWith("thimble lint");
  expect(lint.help.split("\n").at(-1)).toStartWith("  thimble lint ");
});

test.each([
  [{ name: "f", parameters: { type: "object", properties: { é: { type: "string" }, è: { type: "string" } } } }],
  [
    { name: "größe", parameters: {} },
    { name: "große", parameters: {} },
    { name: "grosse", parameters: {} },
  ],
  [{ name: "f", parameters: { a: { type: "string", enum: ["Zürich", "Zurich"] } } }],
  [{ name: "f", parameters: { a: { type: "integer", minimum: 1, mimimum: 2 } } }],
  [{ name: "f", inputSchema: { type: "object", properties: { a: true, b: { type: "string" } } } }],
  [{ name: "f", parameters: { a: { type: "integer", minimun: "1" } } }],
  [{ name: "f", parameters: { a: { type: "integer", min: 5, max: 1 } } }],
  [{ name: "f", parameters: { a: { type: "string", enmu: "a,b" } } }],
  [{ name: "f", parameters: { a: { type: "string", choices: [] } }, disk: "sda" }],
])("no rewrite loses a parameter, a value or a name, nor leaves a tool to be refused: %j", (...tools) => {
  const before = ToolSet.from(tools as never);
  const after = ToolSet.from(applied(tools as never, allOf(reportFor(tools))) as never);
  const valuesOf = (schema: Schema) => (schema.kind === "enum" ? new Set(schema.values).size : 0);
  const parts = ({ tools: read }: ToolSet) =>
    read.map(({ parameters }) => parameters.map(({ schema }) => valuesOf(schema)));
  expect(parts(after)).toEqual(parts(before));
  expect(JSON.stringify(after.tools)).not.toContain('"most":2');
});

test("of a tool that cannot be read no part is to go", () => {
  const tools = [{ type: "function", functoin: { name: "f", parameters: {} } }];
  expect(JSON.stringify(applied(tools, allOf(reportFor(tools))))).toContain("parameters");
});
