/** A packed tool set as a module for Espruino: its bytes as they stand, its hash, and what each call is checked against. */
import { ToolError } from "../runtime/errors.ts";
import type { Property, Schema } from "../runtime/tools/schema.ts";
import { hashTools } from "../runtime/wire/hash.ts";
import { unpackTools } from "../runtime/wire/wireread.ts";

/** As in runtime/wire/WIRE.md: kind, + 16 if required. */
type Checked = [kind: number, body: unknown[]];

/**
 * Writes `thimble.tools.js`: exports.hash, exports.bytes, and exports.tools, a list of [name, risk, properties] where a
 * property is [name, kind + 16 if it is required, body], kind and body as the wire form has them.
 * Throws: ToolError for schemas that the watch's library does not check: objects within a call, anyOf, $ref.
 */
export function watchModule(packed: Uint8Array): string {
  const { tools } = unpackTools(packed);
  const rows = tools.map(({ name, risk, parameters }, i) => {
    const path = `tools[${i}].parameters`;
    const properties = parameters.map((property) => checkedProperty(property, path));
    return ` ${asciiJson([name, ["safe", "confirm", "danger"].indexOf(risk), properties])}`;
  });
  const base64 = Buffer.from(packed).toString("base64");
  return `/* Written by: thimble tools pack. ${tools.length} tools, ${packed.length} bytes. */
exports.hash = "${hashTools(packed)}";
exports.bytes = atob("${base64}");
exports.tools = [
${rows.join(",\n")}
];
`;
}

function checkedProperty({ name, schema, required }: Property, path: string): unknown {
  const [kind, body] = checked(schema, `${path}.${name}`);
  return [name, kind + (required ? 16 : 0), body];
}

function checked(schema: Schema, path: string): Checked {
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  switch (schema.kind) {
    case "string":
      return [1, [schema.minLength, finite(schema.maxLength)]];
    case "number": {
      const { integer, least, most, multipleOf } = schema;
      const open = Number(least.exclusive) + 2 * Number(most.exclusive);
      return [integer ? 4 : 5, [finite(least.value), finite(most.value), multipleOf, open]];
    }
    case "enum":
      return schema.values.length === 2 && schema.values[0] === true && schema.values[1] === false
        ? [6, []]
        : [9, [...schema.values]];
    case "array":
      return [11, [checked(schema.items, `${path}.items`), schema.minItems, finite(schema.maxItems)]];
    default:
      throw new ToolError(
        path,
        `expected a string, number, boolean, enum or list, got ${schema.kind}; flatten the tool`,
      );
  }
}

/** JSON of bytes: text in UTF-8, a character for each byte, as Espruino reads a file. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/gu, (c) =>
    [...new TextEncoder().encode(c)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join(""),
  );
}
