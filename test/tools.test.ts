import { expect, test } from "bun:test";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import * as z from "zod";
import { ToolError, type ToolInput, ToolSet } from "../runtime/index.ts";
import { pythonJson, snakeCase } from "../runtime/tools/prompt.ts";
import { fixture, testWith } from "./support.ts";

const weather = {
  description: "Get the weather.",
  properties: {
    city: { type: "string", description: 'City, e.g. "Köln".' },
    days: { type: "integer", minimum: 1 },
    unit: { type: "string", enum: ["c", "f"] },
  },
  required: ["city"],
};

test.each([
  ["Seconds, negative goes back.", {}, -999_999_999],
  ["Minus is left", {}, -999_999_999],
  ["Degrees; below 0 cools", { maximum: 50 }, -999_999_999],
  ["Seconds, negative goes back.", { minimum: -60 }, -60],
  ["negative is back", { exclusiveMinimum: 5 }, 5],
  ["negative is back", { maximum: -1, multipleOf: 1_000_000 }, Number.NEGATIVE_INFINITY],
  ["Seconds.", {}, Number.NEGATIVE_INFINITY],
  ["A non-negative count, never below zero and not negative", {}, Number.NEGATIVE_INFINITY],
  ["Percent off; can't be negative", {}, Number.NEGATIVE_INFINITY],
  ["Percent off (total minus discount)", {}, Number.NEGATIVE_INFINITY],
  ["How many negative reviews to show", {}, Number.NEGATIVE_INFINITY],
  ["Points, negative to take away", {}, -999_999_999],
])("%s, %j: the least number of a property", (description, limits, least) => {
  const by = { type: "number", description, ...limits };
  for (const list of [[{ name: "f", parameters: { by } }], [{ name: "f", inputSchema: { properties: { by } } }]])
    expect(ToolSet.from(list).tools[0].parameters[0].schema).toMatchObject({ kind: "number", least: { value: least } });
});

test("native, JSON Schema, OpenAI (both shapes) and MCP give the same prompt and the same tools", () => {
  const { description, properties, required } = weather;
  const schema = { type: "object", properties, required };
  const native = {
    name: "getWeather",
    description,
    parameters: {
      city: { type: "string", description: properties.city.description, required: true },
      days: { type: "integer", required: false },
      unit: { type: "string", enum: ["c", "f"], required: false },
    },
  };
  const forms: Parameters<typeof ToolSet.from>[0][] = [
    [native],
    [{ name: "getWeather", description, parameters: schema }],
    [{ type: "function", function: { name: "getWeather", description, parameters: schema } }],
    [{ type: "function", name: "getWeather", description, parameters: schema }],
    [{ name: "getWeather", title: "Weather", description, inputSchema: schema, annotations: { readOnlyHint: true } }],
    { tools: [{ name: "getWeather", description, inputSchema: schema }] },
    JSON.stringify([native], null, 2),
  ];
  const sets = forms.map((form) => ToolSet.from(form));
  for (const set of sets) {
    expect(set.prompt).toBe(
      '[{"name":"get_weather","description":"Get the weather.","parameters":{"city":{"type":"string","description":"City, e.g. \\"K\\u00f6ln\\".","required":true},"days":{"type":"integer","required":false},"unit":{"type":"string","enum":["c","f"],"required":false}}}]',
    );
    expect(set.tools[0].parameters.map(({ name, required }) => [name, required])).toEqual([
      ["city", true],
      ["days", false],
      ["unit", false],
    ]);
    expect(set.tools[0].name).toBe("getWeather");
  }
  expect(ToolSet.from(sets[0])).toBe(sets[0]);
});

const fields = {
  city: 'City, e.g. "Köln".',
  unit: ["c", "f"],
} as const;
const zod = z.strictObject({
  city: z.string().min(1).describe(fields.city),
  days: z.int().min(1).max(7).optional(),
  unit: z.enum(fields.unit).default("c"),
  stops: z
    .array(z.union([z.string(), z.object({ lat: z.number(), lon: z.number() })]))
    .max(3)
    .optional(),
});
const valibot = toStandardJsonSchema(
  v.strictObject({
    city: v.pipe(v.string(), v.minLength(1), v.description(fields.city)),
    days: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(7))),
    unit: v.optional(v.picklist(fields.unit), "c"),
    stops: v.optional(
      v.pipe(v.array(v.union([v.string(), v.object({ lat: v.number(), lon: v.number() })])), v.maxLength(3)),
    ),
  }),
);
const written = {
  type: "object",
  properties: {
    city: { type: "string", minLength: 1, description: fields.city },
    days: { type: "integer", minimum: 1, maximum: 7 },
    unit: { enum: fields.unit, default: "c" },
    stops: {
      type: "array",
      maxItems: 3,
      items: {
        anyOf: [
          { type: "string" },
          {
            type: "object",
            properties: { lat: { type: "number" }, lon: { type: "number" } },
            required: ["lat", "lon"],
          },
        ],
      },
    },
  },
  required: ["city"],
  additionalProperties: false,
};

test.each([
  ["Zod 4", zod],
  ["Valibot", valibot],
])("a schema of %s is the JSON Schema that it yields, wherever a tool has its schema", (_, schema) => {
  const name = "getWeather";
  const want = ToolSet.from([{ name, inputSchema: written }], { strict: true });
  for (const tool of [
    { name, inputSchema: schema },
    { name, parameters: schema },
    { type: "function", function: { name, parameters: schema } },
  ]) {
    const set = ToolSet.from([tool], { strict: true });
    expect(set.tools).toEqual(want.tools);
    expect(set.prompt).toBe(want.prompt);
  }
});

test("a schema that yields no JSON Schema, or of one parameter alone, is refused, saying what to do", () => {
  const read = (tool: ToolInput) => () => ToolSet.from([{ name: "f", ...tool }]);
  expect(read({ inputSchema: v.object({}) })).toThrow(
    "inputSchema: expected a schema that yields JSON Schema, got valibot's",
  );
  expect(read({ inputSchema: z.object({ n: z.bigint() }) })).toThrow(
    "inputSchema: expected what JSON Schema can say, got from zod",
  );
  expect(read({ parameters: { n: z.string() } })).toThrow("n: expected a schema of all parameters at inputSchema");
  for (const tool of [{ inputSchema: v.object({}) }, { parameters: { n: z.string() } }])
    expect(read(tool)).toThrow(ToolError);
});

test("native tools keep their keys and their order in the prompt", () => {
  const tool = { description: "d", icon: "x", name: "X", parameters: { type: { required: true, type: "string" } } };
  expect(ToolSet.from([tool]).prompt).toBe(
    '[{"description":"d","icon":"x","name":"x","parameters":{"type":{"required":true,"type":"string"}}}]',
  );
});

test("pythonJson writes what Python's json.dumps(ensure_ascii, compact) writes", async () => {
  // Made with CPython 3.11: json.dumps(value, separators=(",", ":")).
  for (const { value, python } of await Bun.file(fixture("python-json.json")).json())
    expect(pythonJson(value)).toBe(python);
});

test.each([
  ["setAlarm", "set_alarm"],
  ["HTTPServerError", "http_server_error"],
  ["calendar.create-event", "calendar_create_event"],
  ["  __Weird--Name!! ", "weird_name"],
  ["getURL2Text", "get_url2_text"],
  ["already_snake", "already_snake"],
  ["A", "a"],
  ["größe", "gr_e"],
])("snake_case of %s is %s", (name, want) => {
  expect(snakeCase(name)).toBe(want);
});

test("snake_case takes each letter a constant number of times", () => {
  const name = `${"A".repeat(2_000_000)}b`;
  expect(snakeCase(name)).toBe(`${"a".repeat(1_999_999)}_ab`);
});

test("a property named __proto__ is one like any other, also where schemas merge", () => {
  const part = JSON.parse('{"properties":{"__proto__":{"type":"string"}},"required":["__proto__"]}');
  const inputSchema = { type: "object", allOf: [{ properties: { a: { type: "string" } } }, part, part] };
  const [tool] = ToolSet.from([{ name: "pick", inputSchema }]).tools;
  expect(tool.parameters.map(({ name, required }) => [name, required])).toEqual([
    ["a", false],
    ["__proto__", true],
  ]);
});

test.each([
  ["tools that are not JSON", '[{"name":', "tools: expected JSON"],
  ["no list", { name: "x" }, "tools: expected a list of tools"],
  ["a tool that is no object", ["x"], 'tools[0]: expected an object, got "x"'],
  ["no name", [{ description: "x" }], "tools[0].name: expected a string, got nothing; every tool needs a name"],
  ["an empty name", [{ name: "日本" }], "tools[0].name: expected letters or digits"],
  [
    "names equal after snake_case",
    [{ name: "setAlarm" }, { name: "set-alarm" }],
    'tools[1].name: expected a name unlike tools[0]: "setAlarm" and "set-alarm" both become "set_alarm"',
  ],
  [
    "an unknown type",
    [{ name: "f", parameters: { city: { type: "strng" } } }],
    'tools[0].parameters.city.type: expected one of string, number, integer, boolean, null, array, object, got "strng"; did you mean "string"?',
  ],
  [
    "a schema that must hold itself",
    [
      {
        name: "f",
        inputSchema: {
          properties: { a: { $ref: "#/$defs/a" } },
          required: ["a"],
          $defs: { a: { type: "object", properties: { a: { $ref: "#/$defs/a" } }, required: ["a"] } },
        },
      },
    ],
    "tools[0].inputSchema.properties.a: expected a schema that some finite value fits",
  ],
  [
    "a schema defined by itself through allOf",
    [
      {
        name: "f",
        inputSchema: { properties: { a: { $ref: "#/$defs/a" } }, $defs: { a: { allOf: [{ $ref: "#/$defs/a" }] } } },
      },
    ],
    "that is defined by itself",
  ],
  [
    "options that the rest excludes",
    [{ name: "f", inputSchema: { properties: { a: { type: "integer", anyOf: [{ type: "string" }] } } } }],
    "tools[0].inputSchema.properties.a.anyOf: expected an option that the rest of the schema allows",
  ],
  [
    "limits that no number keeps",
    [{ name: "f", inputSchema: { properties: { a: { type: "integer", minimum: 1, maximum: 9, multipleOf: 10 } } } }],
    "tools[0].inputSchema.properties.a: expected a schema that some finite value fits, numbers of at most 15 digits, " +
      "got one that none does; minimum 1, maximum 9, multipleOf 10 leave none",
  ],
  ["a type that Object knows", [{ name: "f", parameters: { a: { type: "constructor" } } }], "say what the value is"],
  [
    "a risk that is none",
    [{ name: "f", risk: "low" }],
    'tools[0].risk: expected one of safe, confirm, danger, got "low"',
  ],
  [
    "NaN in an enum",
    [{ name: "f", parameters: { a: { type: "number", enum: [Number.NaN] } } }],
    "expected a value of type number, got null",
  ],
  [
    "a reference to nowhere",
    [{ name: "f", inputSchema: { properties: { a: { $ref: "#/$defs/b" } } } }],
    'tools[0].inputSchema.properties.a.$ref: expected a definition within this tool\'s schema, got "#/$defs/b"',
  ],
  [
    "a parameter that is no object",
    [{ name: "f", parameters: { city: "string" } }],
    'tools[0].parameters.city: expected an object, got "string"',
  ],
  [
    "an empty enum",
    [{ name: "f", parameters: { a: { type: "string", enum: [] } } }],
    "tools[0].parameters.a.enum: expected a list of values",
  ],
  [
    "an enum value of another type",
    [{ name: "f", parameters: { a: { type: "integer", enum: [1, 1.5] } } }],
    "tools[0].parameters.a.enum[1]: expected a value of type integer, got 1.5",
  ],
  [
    "a required key that is not there",
    [{ name: "f", inputSchema: { type: "object", properties: {}, required: ["x"] } }],
    'tools[0].inputSchema.required: expected names of properties, got "x"',
  ],
])("refuses %s, saying where", (_, tools, message) => {
  const read = () => ToolSet.from(tools as readonly ToolInput[]);
  expect(read).toThrow(ToolError);
  expect(read).toThrow(message);
});

testWith("data/tools/watch.json", "our native tool lists render unchanged, as training saw them", async (file) => {
  for (const name of ["watch.json", "home.json"]) {
    const tools = await Bun.file(new URL(name, file)).json();
    expect(ToolSet.from(tools).prompt).toBe(pythonJson(tools));
  }
});

test("what the grammar does not hold to is listed by path, and refused when strict", () => {
  const properties = {
    email: { type: "string", format: "email", pattern: "@" },
    both: { allOf: [{ type: "string", pattern: "a" }, { pattern: "b" }] },
    any: {},
    one: { oneOf: [{ type: "integer" }, { type: "number" }] },
    map: { type: "object", additionalProperties: {} },
  };
  const tools = [{ name: "f", inputSchema: { type: "object", properties } }];
  const { warnings } = ToolSet.from(tools);
  const path = "tools[0].inputSchema.properties";
  expect(warnings.map((warning) => `${warning.path} ${warning.keyword}`)).toEqual([
    `${path}.email.format format`,
    `${path}.email.pattern pattern`,
    `${path}.both.pattern allOf`,
    `${path}.both.pattern pattern`,
    `${path}.any type`,
    `${path}.one oneOf`,
    `${path}.map.additionalProperties additionalProperties`,
  ]);
  expect(() => ToolSet.from(tools, { strict: true })).toThrow(
    "tools[0].inputSchema.properties.email.format: expected what the grammar can hold to",
  );
  expect(
    ToolSet.from([{ name: "f", inputSchema: { type: "object", properties: { a: { type: "string", minLength: 1 } } } }])
      .warnings,
  ).toEqual([]);
});

test("equal schemas at two places warn at both", () => {
  const both = { allOf: [{ type: "string", pattern: "a" }, { minLength: 1 }] };
  const { warnings } = ToolSet.from([{ name: "f", inputSchema: { properties: { a: both, b: both } } }]);
  expect(warnings.map(({ path }) => path)).toEqual([
    "tools[0].inputSchema.properties.a.pattern",
    "tools[0].inputSchema.properties.b.pattern",
  ]);
});

test("definitions that use each other many times over neither hang nor fill the prompt", () => {
  const $defs: Record<string, unknown> = { d0: { type: "string" } };
  for (let i = 1; i < 40; i++) {
    const $ref = `#/$defs/d${i - 1}`;
    $defs[`d${i}`] = { type: "object", properties: { a: { $ref }, b: { $ref } }, required: ["a", "b"] };
  }
  const set = ToolSet.from([
    { name: "f", inputSchema: { type: "object", properties: { v: { $ref: "#/$defs/d39" } }, $defs } },
  ]);
  expect(set.prompt.length).toBeLessThan(10_000);
});

test("cyclic tools and big integers are refused, and later changes to a tool change nothing", () => {
  const cyclic: ToolInput = { name: "f" };
  cyclic.self = cyclic;
  expect(() => ToolSet.from([cyclic])).toThrow(ToolError);
  expect(() => ToolSet.from([{ name: "f", x: 1n }])).toThrow(ToolError);
  const tool = { name: "f", parameters: { a: { type: "string" } } };
  const set = ToolSet.from([tool]);
  tool.parameters.a.type = "integer";
  expect(set.prompt).toContain('"string"');
});

test("MCP annotations: a destructive tool is dangerous, unless its own risk says otherwise, and the prompt shows neither", () => {
  const riskOf = (tool: ToolInput) =>
    ToolSet.from([{ name: "f", inputSchema: { type: "object" }, ...tool }]).tools[0].risk;
  expect(riskOf({})).toBe("safe");
  expect(riskOf({ annotations: { readOnlyHint: true, destructiveHint: false } })).toBe("safe");
  expect(riskOf({ annotations: { destructiveHint: true } })).toBe("danger");
  expect(riskOf({ annotations: { destructiveHint: true }, risk: "confirm" })).toBe("confirm");
  const native = { name: "f", parameters: {}, risk: "danger", annotations: { title: "F" } };
  expect(ToolSet.from([native]).prompt).toBe('[{"name":"f","parameters":{}}]');
});

test("Anthropic's input_schema and schemas without a type are schemas too", () => {
  const properties = { a: { type: "integer" } };
  for (const tool of [
    { name: "f", input_schema: { type: "object", properties } },
    { name: "f", parameters: { properties, required: ["a"] } },
  ]) {
    expect(ToolSet.from([tool]).tools[0].parameters.map(({ name }) => name)).toEqual(["a"]);
  }
});
