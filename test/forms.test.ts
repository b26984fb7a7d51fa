/** Tools as other libraries and servers write them: read, or warned of by path, and held to by the grammar. */
import { expect, test } from "bun:test";
import { Rules, type Stand } from "../runtime/answer/rules.ts";
import { Grammar } from "../runtime/grammar/grammar.ts";
import {
  load,
  packCall,
  packTools,
  ToolError,
  type ToolInput,
  ToolSet,
  unpackCall,
  unpackTools,
} from "../runtime/index.ts";
import { Tokenizer } from "../runtime/text/tokenizer.ts";
import { TokenTrie } from "../runtime/text/trie.ts";
import { fixture, somePieces } from "./support.ts";

interface FormCase {
  about: string;
  tool: ToolInput;
  /** Each parameter's kind of schema, with an exclamation mark if it is required. */
  reads: Record<string, string>;
  accepts?: string[];
  rejects?: string[];
  warns?: string[];
}
const cases: FormCase[] = await Bun.file(fixture("tool-forms.json")).json();
const tokenizer = new Tokenizer(await somePieces(4096));
const trie = new TokenTrie(tokenizer);

/** Whether an answer of one call with such arguments can be written. */
function takes(set: ToolSet, args: string): boolean {
  const rules = new Rules(new Grammar(set, trie), null);
  const text = ` [{"name":"${set.tools[0].promptName}","arguments":${args}}]`;
  let stand: Stand | null = rules.start;
  for (const byte of new TextEncoder().encode(text)) stand = stand?.step(byte) ?? null;
  return stand?.atEnd ?? false;
}

test.each(cases.map((item) => [item.about, item] as const))(
  "%s",
  (_, { tool, reads, accepts = [], rejects = [], warns = [] }) => {
    const set = ToolSet.from([tool]);
    const read = set.tools[0].parameters.map(({ name, schema, required }) => [
      name,
      schema.kind + (required ? "!" : ""),
    ]);
    expect(Object.fromEntries(read)).toEqual(reads);
    expect(set.warnings.map(({ path }) => path)).toEqual(warns);
    const over = unpackTools(packTools(set));
    expect(over.tools).toEqual(set.tools);
    expect(over.prompt).toBe(set.prompt);
    for (const args of accepts) {
      expect([args, takes(set, args)]).toEqual([args, true]);
      expect([args, takes(over, args)]).toEqual([args, true]);
      const call = { name: set.tools[0].name, arguments: JSON.parse(args) };
      expect(unpackCall(over, packCall(set, call))).toEqual(call);
    }
    for (const args of rejects) expect([args, takes(set, args)]).toEqual([args, false]);
  },
);

test.each<[string, unknown]>([
  ["an array", [{ name: "ping" }]],
  ["an MCP result", { tools: [{ name: "ping", inputSchema: { type: "object" } }] }],
  [
    "a JSON-RPC answer",
    { jsonrpc: "2.0", id: 1, result: { tools: [{ name: "ping", inputSchema: { type: "object" } }] } },
  ],
  ["OpenAI's functions", { functions: [{ name: "ping", parameters: { type: "object" } }] }],
  ["Bedrock's configuration", { toolConfig: { tools: [{ toolSpec: { name: "ping", inputSchema: { json: {} } } }] } }],
  ["Gemini's declarations", { functionDeclarations: [{ name: "ping" }] }],
  ["an object by names", { ping: { description: "Ping.", inputSchema: { type: "object" } } }],
  ["tools by names", { tools: { ping: { parameters: {} } } }],
])("the list is found in %s", (_, given) => {
  const set = ToolSet.from(given as ToolInput[]);
  expect(set.tools.map(({ name }) => name)).toEqual(["ping"]);
  expect(set.warnings).toEqual([]);
});

test("a tool a line is a list", () => {
  const set = ToolSet.from('{"name":"a"}\r\n{"type":"function","function":{"name":"b"}}\n\n');
  expect(set.tools.map(({ name }) => name)).toEqual(["a", "b"]);
});

test("a mark of the byte order before a list of tools is no part of it", () => {
  expect(ToolSet.from('\ufeff[{"name":"f"}]').tools).toHaveLength(1);
});

test("what stands beside a list that is read, or within its entries, is warned of", () => {
  const paths = (given: ToolInput) => ToolSet.from(given).warnings.map(({ path }) => path);
  expect(paths({ tools: [{ name: "a" }], functions: [{ name: "b" }] })).toEqual(["functions"]);
  expect(paths({ tools: [{ functionDeclarations: [{ name: "a" }], googleSearch: {} }] })).toEqual([
    "tools[0].googleSearch",
  ]);
});

test("a list of which there is more says so", () => {
  expect(ToolSet.from({ tools: [{ name: "a" }], nextCursor: "x" }).warnings).toMatchObject([{ path: "nextCursor" }]);
});

test("a risk is read from around a function too, and a tool that changes things destroys some unless it says not", () => {
  const parameters = { type: "object" };
  const riskOf = (tool: ToolInput) => ToolSet.from([tool]).tools[0].risk;
  expect(riskOf({ type: "function", risk: "confirm", function: { name: "f", parameters } })).toBe("confirm");
  expect(riskOf({ name: "f", inputSchema: parameters, annotations: { readOnlyHint: false } })).toBe("danger");
  expect(riskOf({ name: "f", inputSchema: parameters, annotations: { title: "F" } })).toBe("safe");
});

const nested = (depth: number) => Array.from({ length: depth }).reduce<unknown>((inner) => [inner], 1);
const cyclic: Record<string, unknown> = { name: "f" };
cyclic.self = cyclic;
test.each<[about: string, tools: () => unknown, message: string]>([
  ["a lone tool", () => ({ name: "f" }), 'tools: expected a list of tools, got {"name":"f"}; wrap it in [ ]'],
  ["another object", () => ({ result: 1 }), "give the list of tools itself"],
  ["lines that are not all tools", () => '{"name":"a"}\n5\n', "tools: expected JSON, got"],
  ["what a provider runs", () => [{ type: "web_search" }], "tools[0].name: expected a string, got nothing; leave out"],
  ["what marks a cache", () => [{ cachePoint: { type: "default" } }], "leave out what a provider runs itself"],
  ["a tool without a name", () => [{ parameters: { a: {} } }], "every tool needs a name"],
  ["a function without one", () => [{ function: { parameters: {} } }], "every tool needs a name"],
  ["an empty tool", () => [{}], "every tool needs a name"],
  ["parameters as text", () => [{ name: "f", parameters: "{}" }], "give what its JSON says"],
  [
    "a required key that nothing tells of",
    () => [{ name: "f", inputSchema: { required: ["a"] } }],
    "tools[0].inputSchema.required: expected names of properties",
  ],
  [
    "two parameters of one name",
    () => [{ name: "f", parameters: [{ name: "a" }, { name: "a" }] }],
    "tools[0].parameters[1].name: expected a name of its own",
  ],
  [
    "20,000 tools",
    () => Array.from({ length: 20_000 }, (_, i) => ({ name: `t${i}` })),
    "tools: expected at most 4096, got 20000",
  ],
  [
    "a description of 60 MB",
    () => [{ name: "f", description: "x".repeat(60e6) }],
    "tools: expected at most 4194304 characters",
  ],
  ["JSON text of 60 MB", () => `[${" ".repeat(60e6)}]`, "tools: expected at most 4194304 characters"],
  ["a name of a million letters", () => [{ name: "x".repeat(1e6) }], "tools[0].name: expected at most 1024 characters"],
  [
    "two million values",
    () => [{ name: "f", parameters: { a: { enum: new Array(2e6).fill(0) } } }],
    "tools: expected at most 1048576 values",
  ],
  [
    "lists 100,000 deep",
    () => [{ name: "f", x: nested(100_000) }],
    "tools: expected at most 1024 values within one another",
  ],
  [
    "Python's lists 20,000 deep",
    () => [{ name: "f", parameters: { a: { type: `${"list[".repeat(20_000)}int${"]".repeat(20_000)}` } } }],
    "expected at most 128 schemas within one another; flatten them",
  ],
  ["a tool that holds itself", () => [cyclic], "tools: expected at most 1024 values within one another"],
  [
    "a type that is an object",
    () => [{ name: "f", parameters: { a: { type: { toString: true } } } }],
    "tools[0].parameters.a.type: expected one of",
  ],
  [
    "a name of what is required that is an object",
    () => [{ name: "f", parameters: { required: [{ toString: true }], a: { type: "string" } } }],
    'tools[0].parameters.required: expected names of properties, got {"toString":true}',
  ],
  [
    "a tool's type that is an object, beside parameters of an odd one",
    () => [{ name: "f", type: { toString: true }, parameters: { type: { type: { toString: true } } } }],
    "tools[0].parameters.type.type: expected one of",
  ],
  [
    "such a type beside an enum",
    () => [{ name: "f", parameters: { a: { type: {}, enum: [1] } } }],
    "tools[0].parameters.a.type: expected one of",
  ],
  [
    "a required property that never fits",
    () => [{ name: "f", inputSchema: { properties: { a: false }, required: ["a"] } }],
    "properties.a: expected a schema that some value fits",
  ],
  [
    "a root of lists",
    () => [{ name: "f", inputSchema: { anyOf: [{ type: "object" }, { type: "array" }], type: ["object", "array"] } }],
    "of type array; remove that option",
  ],
  ["a root that is a list", () => [{ name: "f", inputSchema: { type: "array" } }], "of type array; name it"],
  ["a root that is a constant", () => [{ name: "f", inputSchema: { const: { a: 1 } } }], "of type enum; name it"],
  [
    "more distinct items than there are",
    () => [
      {
        name: "f",
        inputSchema: { properties: { a: { type: "array", items: { enum: [1, 2] }, uniqueItems: true, minItems: 3 } } },
      },
    ],
    "expected a schema that some finite value fits",
  ],
  [
    "a number of 16 digits",
    () => [{ name: "f", parameters: { a: { type: "integer", minimum: 1e15 } } }],
    "expected a schema that some finite value fits, numbers of at most 15 digits, got one that none does",
  ],
  [
    "more keys than there are",
    () => [
      {
        name: "f",
        inputSchema: { properties: { a: { type: "object", minProperties: 1, additionalProperties: false } } },
      },
    ],
    "expected a schema that some finite value fits",
  ],
])("%s is refused, saying why", (_, tools, message) => {
  const given = tools() as ToolInput[];
  expect(() => ToolSet.from(given)).toThrow(ToolError);
  expect(() => ToolSet.from(given)).toThrow(message);
});

test("the path of a deep part is shortened in the message, and whole in the error", () => {
  const items = Array.from({ length: 600 }).reduce<unknown>((inner) => ({ type: "array", items: inner }), {});
  try {
    ToolSet.from([{ name: "f", inputSchema: { type: "object", properties: { a: items } } }]);
    throw new Error("read");
  } catch (error) {
    expect((error as ToolError).path.length).toBeGreaterThan(700);
    expect((error as ToolError).message).toMatch(/^tools\[0\]\.inputSchema.{1,200}: expected at most 128 schemas/);
  }
});

const model = load();
test.each<[request: string, tool: ToolInput, args: unknown[]]>([
  [
    "set a timer for 5 minutes",
    { name: "set_timer", description: "Set a timer", inputs: { minutes: { type: "integer" } } },
    [{ minutes: 5 }],
  ],
  [
    "set the light color to green",
    {
      name: "set_light",
      description: "Set the light's color.",
      inputSchema: {
        type: "object",
        properties: {
          mode: {
            enum: [
              { r: 1, g: 0 },
              { r: 0, g: 1 },
            ],
          },
        },
        required: ["mode"],
      },
    },
    [{ mode: expect.any(Object) }],
  ],
])("%s: the model that ships calls each once", async (request, tool, args) => {
  const { calls, cutShort } = await (await model).call(request, [tool]);
  expect(calls.map((call) => call.arguments)).toEqual(args as (typeof calls)[number]["arguments"][]);
  expect(cutShort).toBe(false);
});
