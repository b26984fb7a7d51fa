import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack as msgpack, unpack as msgunpack } from "msgpackr";
import { CapacityError, FormatError, ToolError } from "../runtime/errors.ts";
import type { Json } from "../runtime/json.ts";
import type { Schema } from "../runtime/tools/schema.ts";
import { type ToolInput, ToolSet } from "../runtime/tools/tools.ts";
import { hashTools } from "../runtime/wire/hash.ts";
import { packTools } from "../runtime/wire/wire.ts";
import { packCall, packCalls, unpackCall, unpackCalls, type WireCall } from "../runtime/wire/wirecall.ts";
import { unpackTools } from "../runtime/wire/wireread.ts";
import { Input } from "../tools/command.ts";
import { tools as command } from "../tools/tools.ts";
import { fixture, randomObject, randomRefs, seeded } from "./support.ts";

/** Shared with firmware. `read` is what wire-decoder.js gives; THIMBLE_WRITE=1 writes bytes, hash and read anew. */
interface Fixture {
  about: string;
  /** A file beside this one, or the tools themselves. */
  tools: string | ToolInput[];
  bytes: string;
  hash: string;
  read: Json[];
  calls: { call: WireCall; bytes: string }[];
}
const fixtures: Fixture[] = await Bun.file(fixture("wire.json")).json();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
const jsonOf = ({ tools }: Fixture): string =>
  JSON.stringify(typeof tools === "string" ? JSON.parse(readFileSync(fixture(tools), "utf8")) : tools);
const setOf = (item: Fixture) => ToolSet.from(jsonOf(item));
const files = fixtures.filter(({ tools }) => typeof tools === "string");

const decoderText = await Bun.file(fixture("wire-decoder.js")).text();
const decode: (bytes: ArrayLike<number>) => Json[] = new Function(`${decoderText}; return readTools;`)();

if (process.env.THIMBLE_WRITE) {
  for (const item of fixtures) {
    const set = setOf(item);
    const bytes = packTools(set);
    Object.assign(item, { bytes: hex(bytes), hash: hashTools(bytes), read: pageForm(set) });
    for (const entry of item.calls) entry.bytes = hex(packCall(set, entry.call));
  }
  await Bun.write(fixture("wire.json"), `${JSON.stringify(fixtures, null, 1)}\n`);
}

/** Everything a set keeps but its key. References become numbers, so that a recursive set can be compared. */
function contents(set: ToolSet): unknown {
  const refs: Schema[] = [];
  const plain = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if ("kind" in value && value.kind === "ref") {
      const known = refs.indexOf(value as Schema);
      if (known >= 0) return { known };
      refs.push(value as Schema);
    }
    if (Array.isArray(value)) return value.map(plain);
    return Object.entries(value).map(([key, inner]) => [key, plain(inner)]);
  };
  return plain([set.tools, set.prompt, set.warnings]);
}

function randomTools(random: () => number): ToolInput[] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  return Array.from({ length: Math.floor(random() * 4) }, (_, i) => ({
    name: `${pick(["turnOn", "x", "get-it"])}${i}`,
    ...(random() < 0.5 && {
      description: pick(["", "Do it.", "Größe 🙂 \u0000\u0001$&", "as spoken, as spoken, as spoken"]),
    }),
    ...(random() < 0.3 && { risk: pick(["safe", "confirm", "danger"]) }),
    ...(random() < 0.5
      ? { inputSchema: { ...randomObject(random, 3), $defs: randomRefs } }
      : {
          parameters: randomNative(random),
          ...(random() < 0.3 && { category: [1.5, -3, null, { "1": "a", b: [] }] }),
        }),
  }));
}

function randomNative(random: () => number): Record<string, unknown> {
  const { properties } = randomObject(random, 0) as { properties: Record<string, Record<string, unknown>> };
  const entries = Object.entries(properties).filter(([, { $ref, allOf }]) => !$ref && !allOf);
  return Object.fromEntries(
    entries.map(([name, schema]) => [
      name,
      {
        ...schema,
        ...(random() < 0.5 && { description: "Name of it." }),
        ...(random() < 0.5 && { required: random() < 0.5 }),
        ...(random() < 0.3 && { default: [null, "on", -0.5, 3e9, [], { a: null }, false][Math.floor(random() * 7)] }),
      },
    ]),
  );
}

describe("a set", () => {
  test.each(fixtures.map((item) => [item.about, item] as const))("%s: comes back whole, prompt and all", (_, item) => {
    const set = setOf(item);
    const back = unpackTools(packTools(set));
    expect(contents(back)).toEqual(contents(set));
    expect(back.prompt).toBe(set.prompt);
  });

  test.each(fixtures.map((item) => [item.about, item] as const))("%s: has the fixture's bytes and hash", (_, item) => {
    const bytes = packTools(setOf(item));
    expect(hex(bytes)).toBe(item.bytes);
    expect(hashTools(bytes)).toBe(item.hash);
  });

  test("is written of a list too; what is no list and no bytes is refused, and told what it takes", () => {
    const list = [{ name: "find_phone", description: "Ring the phone.", parameters: {} }];
    const bytes = packTools(list);
    expect(hex(bytes)).toBe(hex(packTools(ToolSet.from(list))));
    expect(() => packTools(null as never)).toThrow(ToolError);
    expect(() => ToolSet.from(bytes as never)).toThrow(
      "tools: expected a list of tools, got bytes; read packed tools with unpackTools",
    );
    expect(() => hashTools(list as never)).toThrow("pack the tools first");
  });

  test("of random tools comes back whole, and packs to the same bytes again", () => {
    const random = seeded(7);
    for (let run = 0; run < 500; run++) {
      const set = ToolSet.from(randomTools(random));
      const bytes = packTools(set);
      const back = unpackTools(bytes);
      expect(contents(back)).toEqual(contents(set));
      expect(hex(packTools(back))).toBe(hex(bytes));
    }
  });

  test("with enums that are nearly booleans comes back whole", () => {
    for (const values of [[true, null], [1, false], [false, true], [true], [true, false, null]]) {
      const set = ToolSet.from([{ name: "f", inputSchema: { type: "object", properties: { v: { enum: values } } } }]);
      expect(contents(unpackTools(packTools(set)))).toEqual(contents(set));
    }
  });

  test("that holds itself comes back holding itself, each reference one object", () => {
    const back = unpackTools(packTools(setOf(fixtures.find(({ about }) => about.includes("recursive")) as Fixture)));
    const root = back.tools[1].parameters[0].schema;
    if (root.kind !== "ref" || root.target?.kind !== "object") throw new Error("expected a reference to an object");
    const children = root.target.properties[1].schema;
    expect(children.kind === "array" && children.items).toBe(root);
  });

  test("may be part of another, and has a key of its own", () => {
    const set = setOf(files[0]);
    const part = set.only([0]);
    expect(contents(unpackTools(packTools(part)))).toEqual(contents(part));
    expect(unpackTools(packTools(part)).key).not.toBe(unpackTools(packTools(set)).key);
  });

  test("of definitions that use each other many times over packs in their number, not in their paths", () => {
    const $defs: Record<string, unknown> = { d0: { type: "string" } };
    for (let i = 1; i < 40; i++) {
      const $ref = `#/$defs/d${i - 1}`;
      $defs[`d${i}`] = { type: "object", properties: { a: { $ref }, b: { $ref } }, required: ["a", "b"] };
    }
    const set = ToolSet.from([
      { name: "f", inputSchema: { type: "object", properties: { v: { $ref: "#/$defs/d39" } }, $defs } },
    ]);
    const bytes = packTools(set);
    expect(bytes.length).toBeLessThan(500);
    expect(unpackTools(bytes).prompt).toBe(set.prompt);
  });

  test("is plain msgpack: another reader reads it, and finds nothing but nil, booleans, integers, strings, lists", () => {
    const check = (value: unknown): void => {
      if (Array.isArray(value)) value.forEach(check);
      else expect(value === null || ["boolean", "string"].includes(typeof value) || Number.isInteger(value)).toBe(true);
    };
    for (const item of fixtures) check(msgunpack(bytesOf(item.bytes)));
  });

  test("whose characters share halves of surrogate pairs comes back whole", () => {
    const words = Array.from({ length: 60 }, (_, i) => `as spoken ${String.fromCodePoint(0x1f600 + i)} as spoken`);
    const set = ToolSet.from([{ name: "f", parameters: { mood: { type: "string", enum: words } } }]);
    expect(contents(unpackTools(packTools(set)))).toEqual(contents(set));
  });

  test("with half a surrogate pair is refused, saying where", () => {
    const set = ToolSet.from([{ name: "f", description: "\ud83d" }]);
    expect(() => packTools(set)).toThrow(ToolError);
    expect(() => packTools(set)).toThrow("tools[0]: expected well-formed text");
  });

  test("with a value deeper than 128 levels is refused", () => {
    const value = Array.from({ length: 130 }).reduce<Json>((inner) => [inner], 1);
    const set = ToolSet.from([{ name: "f", parameters: { a: { type: "string", default: value } } }]);
    expect(() => packTools(set)).toThrow(CapacityError);
  });
});

test("the page's drawing is what packTools and packCall write, and its hash", async () => {
  const page = await Bun.file(new URL("../runtime/wire/WIRE.md", import.meta.url)).text();
  const [, json] = page.match(/```json\n(.*)\n```/) ?? [];
  const set = ToolSet.from(json);
  const call = { name: "set_timer", arguments: { duration: "10 min", repeat: 3 } };
  const drawn = [...page.matchAll(/```text\n((?:[0-9a-f]{2} .*\n)+)```/g)].map(([, lines]) =>
    lines.replace(/^((?:[0-9a-f]{2} )+) .*$/gm, "$1").replace(/\s/g, ""),
  );
  expect(drawn).toEqual([hex(packTools(set)), hex(packCall(set, call))]);
  expect(page).toContain(`\`${hashTools(packTools(set))}\``);
  expect(page).toContain(`${json.length} bytes of JSON, ${packTools(set).length} on the wire`);
});

describe("size", () => {
  test.each(files.map((item) => [item.about, item] as const))("%s takes at most 45% of its compact JSON", (_, item) => {
    expect(item.bytes.length / 2).toBeLessThanOrEqual(0.45 * Buffer.byteLength(jsonOf(item)));
  });

  test("the watch's decoder is less than 1 KB minified", async () => {
    const folder = mkdtempSync(join(tmpdir(), "thimble-wire-"));
    writeFileSync(join(folder, "entry.js"), `${decoderText}\nexports.readTools = readTools;`);
    const { outputs } = await Bun.build({ entrypoints: [join(folder, "entry.js")], minify: true, format: "cjs" });
    rmSync(folder, { recursive: true });
    const text = await outputs[0].text();
    expect(text.length).toBeLessThan(1024);
    const module = { exports: {} as { readTools?: typeof decode } };
    new Function("exports", "module", text)(module.exports, module);
    expect(module.exports.readTools?.(bytesOf(fixtures[0].bytes))).toEqual(fixtures[0].read);
  });

  test("the watch's decoder is plain ES5 of what Espruino has", () => {
    expect(decoderText).not.toMatch(/=>|\b(let|const|class|Map|Set|BigInt|TextDecoder|RegExp|DataView)\b|`|\*\*|\?\?/);
  });
});

/** What the page says that a decoder gives, made from the set itself: numbers and strings in their places. */
function pageForm(set: ToolSet): Json[] {
  const trim = (list: Json[]): Json[] =>
    list.length && list[list.length - 1] === null ? trim(list.slice(0, -1)) : list;
  const limit = (value: number | null) => (value !== null && Number.isFinite(value) ? value : null);
  let refs: Schema[] = [];
  const property = (p: ToolSet["tools"][number]["parameters"][number]): Json => {
    const code = codeOf(p.schema);
    const head = code + (code < 16 ? 0 : 48) + (p.required ? 16 : 0) + (p.default === undefined ? 0 : 32);
    const fallback = p.default === undefined ? [] : [p.default];
    return trim([p.name, head, p.description ?? null, ...fallback, ...body(p.schema)]);
  };
  const codeOf = (s: Schema): number => {
    switch (s.kind) {
      case "string":
        return s.minLength > 0 || s.maxLength < Number.POSITIVE_INFINITY ? 1 : 0;
      case "number": {
        const free = s.multipleOf === null && !s.least.exclusive && !s.most.exclusive;
        const limited = !free || Number.isFinite(s.least.value) || Number.isFinite(s.most.value);
        return (limited ? 4 : 2) + (s.integer ? 0 : 1);
      }
      case "enum": {
        const text = JSON.stringify(s.values);
        if (text === "[true,false]") return 6;
        if (text === "[null]") return 7;
        return s.values.every((value) => typeof value === "string") ? 8 : 9;
      }
      case "array":
        if (s.first || s.unique) return 16;
        return s.minItems > 0 || s.maxItems < Number.POSITIVE_INFINITY ? 11 : 10;
      case "object":
        return s.more || s.minProperties || s.maxProperties !== undefined ? 17 : 12;
      case "anyOf":
        return 13;
      case "ref":
        return refs.includes(s) ? 14 : 15;
    }
  };
  const inner = (s: Schema): Json => {
    const code = codeOf(s);
    const rest = trim(body(s));
    return rest.length ? [code, ...rest] : code;
  };
  const body = (s: Schema): Json[] => {
    switch (s.kind) {
      case "string":
        return [s.minLength || null, limit(s.maxLength)];
      case "number":
        return [
          limit(s.least.value),
          limit(s.most.value),
          s.multipleOf,
          Number(s.least.exclusive) + 2 * Number(s.most.exclusive) || null,
        ];
      case "enum":
        return codeOf(s) === 8 ? s.values : codeOf(s) === 9 ? [s.values] : [];
      case "array":
        return [
          inner(s.items),
          s.minItems || null,
          limit(s.maxItems),
          ...(codeOf(s) === 16 ? [s.unique ?? null, ...(s.first ?? []).map(inner)] : []),
        ];
      case "object":
        return [
          ...(codeOf(s) === 17
            ? [s.more ? inner(s.more) : null, s.minProperties || null, s.maxProperties ?? null]
            : []),
          ...s.properties.map(property),
        ];
      case "anyOf":
        return s.options.map(inner);
      case "ref":
        if (refs.includes(s)) return [refs.indexOf(s)];
        refs.push(s);
        return [inner(s.target as Schema)];
    }
  };
  const warnings = set.warnings.flatMap(({ path, keyword, message }) => [path, keyword, message]);
  const tools = set.tools.map((tool, i): Json => {
    refs = [];
    // Which form the prompt takes is the encoder's choice: read from the bytes.
    const head = (decode(packTools(set))[1 + i] as Json[])[1] as number;
    const shown = (head >> 2) % 4 === 2 ? [JSON.parse(set.texts[i])] : [];
    const body = tool.shapes ? tool.shapes.map(inner) : tool.parameters.map(property);
    return trim([tool.name, head, tool.description || null, ...shown, ...body]);
  });
  return trim([warnings.length ? warnings : null, ...tools]);
}

describe("the watch's decoder", () => {
  test.each(fixtures.map((item) => [item.about, item] as const))("%s: reads what the page says", (_, item) => {
    expect(decode([...bytesOf(item.bytes)])).toEqual(item.read);
    expect(item.read).toEqual(pageForm(setOf(item)));
  });

  test("reads random sets as the page says", () => {
    const random = seeded(11);
    for (let run = 0; run < 200; run++) {
      const set = ToolSet.from(randomTools(random));
      expect(decode(packTools(set))).toEqual(pageForm(set));
    }
  });
});

describe("a hash", () => {
  test("is FNV-1a of 64 bits: the published vectors, and BigInt arithmetic over random bytes", () => {
    const utf8 = new TextEncoder();
    // draft-eastlake-fnv-21, "FNV-1a 64-bit".
    expect(hashTools(utf8.encode(""))).toBe("cbf29ce484222325");
    expect(hashTools(utf8.encode("a"))).toBe("af63dc4c8601ec8c");
    expect(hashTools(utf8.encode("foobar"))).toBe("85944171f73967e8");
    const random = seeded(5);
    for (let run = 0; run < 100; run++) {
      const bytes = Uint8Array.from({ length: Math.floor(random() * 200) }, () => random() * 256);
      const hash = bytes.reduce(
        (h, byte) => BigInt.asUintN(64, (h ^ BigInt(byte)) * 0x100000001b3n),
        0xcbf29ce484222325n,
      );
      expect(hashTools(bytes)).toBe(hash.toString(16).padStart(16, "0"));
    }
  });

  test("is equal for equal sets, whatever form they came in", () => {
    const description = "Switch a light.";
    const properties = { room: { type: "string" } };
    const forms: ToolInput[] = [
      { name: "light", description, parameters: { type: "object", properties, required: ["room"] } },
      { name: "light", description, inputSchema: { type: "object", properties, required: ["room"] } },
      { name: "light", description, parameters: { room: { type: "string", required: true } } },
      { type: "function", function: { name: "light", description, parameters: { properties, required: ["room"] } } },
    ];
    expect(new Set(forms.map((tool) => hashTools(packTools(ToolSet.from([tool]))))).size).toBe(1);
  });

  test("differs after any change of the tools", () => {
    const text = jsonOf(files.find(({ about }) => about.includes("travel")) as Fixture);
    const hashes = new Set([hashTools(packTools(ToolSet.from(text)))]);
    // Each string, key, number and boolean in turn.
    const changes = [...text.matchAll(/(?<=")[^"]*(?=")|\d+|true|false/g)].map(({ 0: value, index }) => {
      const other = /\d/.test(value) ? `${Number(value) + 1}` : { true: "false", false: "true" }[value];
      return `${text.slice(0, index)}${other ?? `${value}x`}${text.slice(index + value.length)}`;
    });
    let changed = 0;
    for (const change of changes) {
      let set: ToolSet;
      try {
        set = ToolSet.from(change);
      } catch {
        continue;
      }
      if (JSON.stringify(contents(set)) === JSON.stringify(contents(ToolSet.from(text)))) continue;
      hashes.add(hashTools(packTools(set)));
      changed++;
    }
    expect(changed).toBeGreaterThan(40);
    expect(hashes.size).toBe(changed + 1);
  });
});

describe("other bytes", () => {
  const read = (bytes: Uint8Array): ToolSet | null => {
    try {
      return unpackTools(bytes);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return null;
    }
  };

  test("cut anywhere, and with a byte more, are refused with FormatError", () => {
    for (const { bytes } of fixtures) {
      const whole = bytesOf(bytes);
      for (let end = 0; end < whole.length; end++)
        expect(() => unpackTools(whole.subarray(0, end))).toThrow(FormatError);
      expect(() => unpackTools(Uint8Array.from([...whole, 0xc0]))).toThrow(FormatError);
    }
  });

  test("flipped at random are refused with FormatError, or are another valid set with another hash", () => {
    const random = seeded(13);
    let refused = 0;
    for (const { bytes, hash } of fixtures) {
      for (let run = 0; run < 400; run++) {
        const flipped = bytesOf(bytes);
        for (let n = 1 + Math.floor(random() * 3); n > 0; n--)
          flipped[Math.floor(random() * flipped.length)] ^= 1 << Math.floor(random() * 8);
        if (hex(flipped) === bytes) continue;
        const set = read(flipped);
        if (!set) refused++;
        else {
          expect(hashTools(flipped)).not.toBe(hash);
          if (run % 10 === 0) expect(contents(unpackTools(packTools(set)))).toEqual(contents(set));
        }
      }
    }
    expect(refused).toBeGreaterThan(1000);
  });

  test("of a newer version are refused, saying so", () => {
    expect(() => unpackTools(msgpack([-3, "", ""]))).toThrow("version: expected 1, got 2; update thimble (at byte 1)");
  });

  const place = (n: number) => n;
  /** Each code ten times the next: a billion characters. */
  const codes = "abcdefghi";
  const endless = {
    codes,
    text: [...codes].reduceRight(
      (text, c, i) => `${text}${c}${(codes[i + 1] ?? "-").repeat(10)}`,
      `\0${"a".repeat(10)}`,
    ),
  };
  test.each<[string, unknown]>([
    ["no list", "tools"],
    ["a map", { 0: 1 }],
    ["a code that the text lacks", [-2, "\0f", "x"]],
    ["a text that grows without end", [-2, endless.text, endless.codes]],
    ["a string's place beyond the text", [-2, "\0f", "", null, [place(1), -1]]],
    ["a name without ASCII letters", [-2, "\0é", "", null, [place(0), -1]]],
    ["a name twice", [-2, "\0f", "", null, [place(0), -1], [place(0), -1]]],
    ["a property twice", [-2, "\0f", "", null, [place(0), -1, null, [0, -1], [0, -1]]]],
    ["a risk that is none", [-2, "\0f", "", null, [place(0), -4]]],
    ["an empty enum", [-2, "\0f", "", null, [place(0), -1, null, [0, -9]]]],
    ["anyOf of nothing", [-2, "\0f", "", null, [place(0), -1, null, [0, -14]]]],
    ["a reference never met", [-2, "\0f", "", null, [place(0), -1, null, [0, -15, null, -1]]]],
    ["a reference to itself alone", [-2, "\0f", "", null, [place(0), -1, null, [0, -16, null, [-15, -1]]]]],
    ["a number that is a word", [-2, "\0f", "", null, [place(0), -1, null, [0, -4, null, [0]]]]],
    ["half a warning", [-2, "\0f", "", [0, 0, 0, 0]]],
    [
      "more schemas than a tool may have",
      [-2, "\0f", "", null, [0, -1, null, [0, -14, null, ...Array(4097).fill(-1)]]],
    ],
    [
      "a long string that many tools name",
      [-2, `\0a\0b\0c\0d\0${"e".repeat(300_000)}`, "", null, ...[0, 1, 2, 3].map((name) => [name, -1, 4])],
    ],
    ["a prompt that is no object", [-2, "\0f", "", null, [place(0), -9, null, 0]]],
  ])("%s is refused with FormatError", (_, values) => {
    expect(() => unpackTools(msgpack(values))).toThrow(FormatError);
  });

  test("extensions of msgpack, non-finite numbers and foreign text are refused with FormatError", () => {
    for (const text of [
      "d40000",
      "91c70162",
      "91cb7ff8000000000000",
      "93fea2c328a0",
      "ddffffffff",
      `9${"1".repeat(4001)}`,
    ])
      expect(() => unpackTools(bytesOf(text))).toThrow(FormatError);
  });
});

describe("a call", () => {
  test.each(fixtures.flatMap((item) => item.calls.map((entry) => [JSON.stringify(entry.call), item, entry] as const)))(
    "%s comes back whole and has the fixture's bytes",
    (_, item, { call, bytes }) => {
      const set = setOf(item);
      expect(unpackCall(set, packCall(set, call))).toEqual(call);
      expect(hex(packCall(set, call))).toBe(bytes);
    },
  );

  test("of several is a list of them", () => {
    for (const item of fixtures) {
      const set = setOf(item);
      const calls = item.calls.map(({ call }) => call);
      expect(unpackCalls(set, packCalls(set, calls))).toEqual(calls);
    }
  });

  test("tells an absent argument from null, and keeps neither after the last", () => {
    const parameters = {
      a: { type: "string", nullable: true },
      b: { type: "string", nullable: true },
      c: { type: "null" },
    };
    const set = ToolSet.from([{ name: "f", parameters }]);
    const given: WireCall["arguments"][] = [{}, { a: null }, { b: null }, { c: null }, { a: "x", b: null, c: null }];
    const sizes = given.map((args) => {
      const bytes = packCall(set, { name: "f", arguments: args });
      expect(unpackCall(set, bytes).arguments).toEqual(args);
      return bytes.length;
    });
    expect(sizes).toEqual([2, 5, 6, 5, 10]);
  });

  test("of a map carries its other keys, and of a union one option's value and no more", () => {
    const map = { type: "object", properties: { a: { type: "integer" } }, additionalProperties: { type: "string" } };
    const union = { anyOf: [{ type: "integer" }, { type: "string" }] };
    const set = ToolSet.from([{ name: "f", inputSchema: { type: "object", properties: { map, union } } }]);
    for (const args of [
      { map: { b: "x", c: "y" } },
      { map: { a: 3, b: "x" } },
      { map: { a: 3 } },
      { union: "x" },
    ] as WireCall["arguments"][])
      expect(unpackCall(set, packCall(set, { name: "f", arguments: args })).arguments).toEqual(args);
    expect(unpackCall(set, msgpack([0, null, [1, "x"]])).arguments).toEqual({ union: "x" });
    for (const value of [[1, "x", "y"], [1], "1x"] as Json[])
      expect(() => unpackCall(set, msgpack([0, null, value]))).toThrow(FormatError);
  });

  test("that its schema does not allow is refused, naming the argument", () => {
    const set = setOf(fixtures.find(({ about }) => about.includes("travel")) as Fixture);
    const pack = (name: string, args: WireCall["arguments"]) => () => packCall(set, { name, arguments: args });
    expect(pack("fly", {})).toThrow("call.name: expected a tool of the set");
    expect(pack("bookHotel", { city: "Rome" })).toThrow(
      "call.arguments.nights: expected a value of its schema, got nothing",
    );
    expect(pack("bookHotel", { city: "Rome", nights: 1.5 })).toThrow("call.arguments.nights: expected");
    expect(pack("bookHotel", { city: "Rome", nights: 1, stars: 5 })).toThrow("call.arguments.stars: expected");
    expect(pack("bookHotel", { city: "\ud800", nights: 1 })).toThrow(ToolError);
  });

  test("of a reference that leads nowhere is refused, not followed for ever", () => {
    const $defs = { a: { anyOf: [{ $ref: "#/$defs/a" }, { type: "string" }] } };
    const set = ToolSet.from([{ name: "f", inputSchema: { properties: { v: { $ref: "#/$defs/a" } }, $defs } }]);
    expect(() => packCall(set, { name: "f", arguments: { v: 5 } })).toThrow(ToolError);
    expect(unpackCall(set, packCall(set, { name: "f", arguments: { v: "x" } })).arguments).toEqual({ v: "x" });
    // Bytes may hold what no list of tools does: an option that is itself and nothing else.
    const itself = [-16, [-15, -1]];
    const crafted = unpackTools(msgpack([-2, "\0f\0v", "", null, [0, -1, null, [1, -14, null, -1, itself]]]));
    expect(unpackCall(crafted, msgpack([0, [0, "x"]])).arguments).toEqual({ v: "x" });
    expect(() => unpackCall(crafted, msgpack([0, [1, "x"]]))).toThrow(FormatError);
  });

  test("cut or flipped is refused with FormatError, or is another call that packs", () => {
    const random = seeded(17);
    for (const item of fixtures) {
      const set = setOf(item);
      for (const { bytes } of item.calls) {
        const whole = bytesOf(bytes);
        for (let end = 0; end < whole.length; end++)
          expect(() => unpackCall(set, whole.subarray(0, end))).toThrow(FormatError);
        for (let run = 0; run < 300; run++) {
          const flipped = bytesOf(bytes);
          flipped[Math.floor(random() * flipped.length)] ^= 1 << Math.floor(random() * 8);
          try {
            packCall(set, unpackCall(set, flipped));
          } catch (error) {
            if (!(error instanceof FormatError)) throw error;
          }
        }
      }
    }
  });
});

test("thimble tools: pack writes the fixture's bytes, hash names list and pack alike, show prints the prompt's tools", async () => {
  const folder = mkdtempSync(join(tmpdir(), "thimble-tools-"));
  const [item] = files;
  const list = join(folder, "tools.json");
  const packed = join(folder, "tools.bin");
  writeFileSync(list, jsonOf(item));
  const write = process.stdout.write;
  let printed = "";
  process.stdout.write = (text) => {
    printed += text;
    return true;
  };
  try {
    await command.run(new Input(["pack", list], { out: packed }));
    await command.run(new Input(["hash", list], {}));
    await command.run(new Input(["hash", packed], {}));
    await command.run(new Input(["show", packed], {}));
    await command.run(new Input(["show", list], {}));
  } finally {
    process.stdout.write = write;
  }
  expect(hex(readFileSync(packed))).toBe(item.bytes);
  const { texts, prompt } = setOf(item);
  const bytes = item.bytes.length / 2;
  const share = `${((100 * bytes) / Buffer.byteLength(jsonOf(item))).toFixed(1)}%`;
  expect(printed.split("\n")).toEqual([
    `${packed} ${bytes} bytes, ${share} of its compact JSON ${item.hash}`,
    item.hash,
    item.hash,
    `${item.hash} ${texts.length} tools, ${bytes} bytes, ${prompt.length} in the prompt`,
    ...texts,
    `${item.hash} ${texts.length} tools, ${bytes} bytes, ${share} of its compact JSON, ${prompt.length} in the prompt`,
    ...texts,
    "",
  ]);
  await expect(command.run(new Input(["pack", list], {}))).rejects.toThrow("expected -o FILE");
  await expect(command.run(new Input(["unpack", list], {}))).rejects.toThrow("expected one of pack, show, hash");
  rmSync(folder, { recursive: true });
});

test("20,000 words pack: phrases are looked for among the first of them", () => {
  const words = Array.from({ length: 20_000 }, (_, i) => `word ${i}`);
  const set = ToolSet.from([{ name: "f", parameters: { v: { type: "string", enum: words } } }]);
  const bytes = packTools(set);
  expect(unpackTools(bytes).tools).toEqual(set.tools);
  expect(bytes.length).toBeLessThan(200_000);
});
