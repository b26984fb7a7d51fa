/** Values within one another, on their way to a watch and back: how each ends. A bundle of this runs in every host. */
import type * as thimble from "../runtime/index.ts";

type Api = Pick<typeof thimble, "ToolSet" | "packTools" | "unpackTools" | "packCall" | "unpackCall">;

/** What is put around a value, so many times over. */
const around: Record<string, (inner: unknown) => unknown> = {
  object: (inner) => ({ type: "object", properties: { a: inner } }),
  array: (items) => ({ type: "array", items }),
  tuple: (inner) => ({ type: "array", prefixItems: [inner], items: false }),
  map: (additionalProperties) => ({ type: "object", additionalProperties }),
  union: (inner) => ({ anyOf: [inner, { type: "null" }] }),
  parts: (inner) => ({ allOf: [inner] }),
};
export const depths = [100, 127, 128, 500, 1000, 1500, 5000];

/** Whether all went well, or the class and the beginning of what was thrown. */
function endOf(run: () => unknown): string {
  try {
    run();
    return "well";
  } catch (error) {
    const { name, message } = error as Error;
    return `${name}: ${message.replace(/^[^ ]*: /, "").slice(0, 40)}`;
  }
}

function nested(depth: number, wrap: (inner: unknown) => unknown, leaf: unknown): unknown {
  let value = leaf;
  for (let i = 0; i < depth; i++) value = wrap(value);
  return value;
}

/** Ends by what was nested, how deep, and how. */
export function endsOf({ ToolSet, packTools, unpackTools, packCall, unpackCall }: Api): Record<string, string> {
  const there = (properties: object) => () => {
    const set = ToolSet.from([{ name: "f", inputSchema: { type: "object", properties } }]);
    if (unpackTools(packTools(set)).prompt !== set.prompt) throw new Error("comes back as something else");
  };
  const ends: Record<string, string> = {};
  const $defs = { list: { type: "array", items: { anyOf: [{ $ref: "#/$defs/list" }, { type: "integer" }] } } };
  const lists = ToolSet.from([
    { name: "f", inputSchema: { type: "object", properties: { x: { $ref: "#/$defs/list" } }, $defs } },
  ]);
  for (const depth of depths) {
    for (const [name, wrap] of Object.entries(around))
      ends[`${name} ${depth}`] = endOf(there({ x: nested(depth, wrap, { type: "string" }) }));
    const list = nested(depth, (inner) => [inner], 1) as thimble.Json;
    const map = nested(depth, (a) => ({ a }), 1) as thimble.Json;
    ends[`value ${depth}`] = endOf(there({ x: { enum: [list] } }));
    ends[`default ${depth}`] = endOf(there({ x: { type: "object", default: map } }));
    ends[`arguments ${depth}`] = endOf(() => unpackCall(lists, packCall(lists, { name: "f", arguments: { x: list } })));
    const bytes = Uint8Array.from([0x95, 0xfe, 0xa1, 0x61, 0xa0, 0xc0, ...new Array(depth).fill(0x91), 0]);
    ends[`set's bytes ${depth}`] = endOf(() => unpackTools(bytes));
    ends[`call's bytes ${depth}`] = endOf(() => unpackCall(lists, bytes.subarray(6)));
    // The first option of an item is a list of items.
    const fitting = [0x92, 0, ...Array.from({ length: depth }, () => [0x91, 0x92, 0]).flat(), 0x90];
    ends[`call's fitting bytes ${depth}`] = endOf(() => unpackCall(lists, Uint8Array.from(fitting)));
  }
  return ends;
}
