/** A tool → one of its many dresses: names, descriptions, parameter names and order, types, enums, required. */
import type { FlatParam, FlatTool } from "./ground.ts";
import type { Random } from "./random.ts";
import type { Argument, Ask } from "./request.ts";
import type { BaseTool, Param } from "./tool.ts";
import { isLength, typeOfSlot } from "./values.ts";

type Shape = "text" | "number" | "choice" | "boolean" | "onOff" | "list";

interface Worn {
  param: Param;
  key: string;
  shape: Shape;
  upper: boolean;
  /** The object it stands in, if not at the top. */
  within?: string;
}

export interface Dressed {
  flat: FlatTool;
  /** Parameter, its key and its shape, in the order of the schema. */
  worn: Worn[];
}

/** Optional parameters that a request leaves alone. */
const spare: [string, FlatParam][] = [
  ["device", { type: "string", description: "Device to use." }],
  ["priority", { type: "string", description: "Priority.", enum: ["low", "normal", "high"] }],
  ["silent", { type: "boolean", description: "Do it without a sound." }],
  ["confirm", { type: "boolean", description: "Ask before doing it." }],
  ["comment", { type: "string", description: "Free comment." }],
  ["user", { type: "string", description: "Which user." }],
  ["retries", { type: "integer", description: "How often to try again." }],
  ["timezone", { type: "string", description: "Time zone, if not the local one." }],
  ["page_token", { type: "string", description: "Token of the next page of results." }],
  ["dry_run", { type: "boolean", description: "Only tell what would be done." }],
  ["verbose", { type: "boolean", description: "Return all fields." }],
  ["locale", { type: "string", description: "BCP 47 tag of the language of the answer." }],
  ["request_id", { type: "string", description: "Identifier for tracing; generated if absent." }],
  ["timeout_ms", { type: "integer", description: "Milliseconds to wait for an answer." }],
  ["format", { type: "string", description: "Format of the answer.", enum: ["json", "text", "markdown"] }],
  ["account_id", { type: "string", description: "Account to act for; the default account if left out." }],
  ["include_archived", { type: "boolean", description: "Also consider what is archived." }],
  ["fields", { type: "array", description: "Names of the fields to return.", items: { type: "string" } }],
  ["callback_url", { type: "string", description: "Address to call when it is done." }],
  ["api_version", { type: "string", description: "Version of the interface." }],
];

const opaqueKeys = ["arg", "value_", "p", "param_", "field", "x", "input_", "slot"];

const camel = (name: string) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const nameStyles: Record<string, (name: string) => string> = {
  snake: (name) => name,
  camel,
  pascal: (name) => camel(`_${name}`),
  kebab: (name) => name.replaceAll("_", "-"),
  dotted: (name) => name.replace("_", "."),
};
const nameWeights = { snake: 74, camel: 17, pascal: 4, kebab: 3, dotted: 2 };

/**
 * Dresses a tool so that the asks about it can be answered: what they leave out is not required, unless `strict`
 * keeps what the tool requires; what they only mean stays an enum or a boolean.
 */
export function dress(tool: BaseTool, asks: readonly Ask[], random: Random, strict = false): Dressed {
  const style = random.weighted(nameWeights);
  const base = random.chance(0.5) ? tool.names[0] : random.pick(tool.names);
  const name = nameStyles[style](random.chance(0.03) ? `${tool.domain}_${base}` : base);
  const keysCamel = style === "camel" ? random.chance(0.8) : random.chance(0.06);
  const [told, keysTold, requiredTold] = [
    tool.opaque || random.chance(0.92),
    random.chance(0.86),
    strict || random.chance(0.92),
  ];

  // Keys that say nothing: the descriptions must do.
  const opaque = keysTold && tool.params.length > 1 && random.chance(0.05) ? random.pick(opaqueKeys) : "";

  const worn: Dressed["worn"] = [];
  const parameters: [string, FlatParam][] = [];
  for (const param of random.chance(0.3) ? random.shuffled(tool.params) : tool.params) {
    const said = asks.map(({ args }) => args.get(param));
    // A schema may lack what nobody asks for.
    if (!param.required && said.every((arg) => !arg) && random.chance(0.3)) continue;
    let key = random.chance(0.45) ? param.names[0] : random.pick(param.names);
    if (opaque) key = `${opaque}${parameters.length + 1}`;
    if (keysCamel) key = camel(key);
    if (parameters.some(([taken]) => taken === key)) key = param.name;
    const shape = shapeFor(param, said, random);
    const upper = shape === "choice" && random.chance(0.06);
    const about = random.pick(param.about);
    const given = said.length > 0 && said.every((arg) => arg);
    const required = asks.length
      ? (given || strict) && (param.required || (given && random.chance(0.12)))
      : param.required;
    parameters.push([
      key,
      {
        type: typeFor(shape, param, random),
        ...(keysTold && { description: about }),
        ...(shape === "choice" && { enum: param.choices.map(({ value }) => (upper ? value.toUpperCase() : value)) }),
        ...(shape === "onOff" && { enum: ["on", "off"] }),
        ...(shape === "list" && { items: { type: "string" } }),
        ...(requiredTold && { required }),
      },
    ]);
    worn.push({ param, key, shape, upper });
  }
  // Some are written as services declare themselves: at length, and with parameters that nobody ever says.
  const official = random.chance(0.12);
  for (const [key, extra] of random.some(spare, official ? random.between(1, 5) : random.chance(0.1) ? 1 : 0)) {
    if (parameters.some(([taken]) => taken.toLowerCase() === key)) continue;
    parameters.push([key, { ...extra, ...(requiredTold && { required: false }) }]);
  }
  const nested = random.chance(official ? 0.15 : 0.02) ? nest(parameters, worn, random) : parameters;
  const about = random.pick(tool.about);
  const flat: FlatTool = {
    name,
    ...(told && { description: official ? atLength(about, random) : about }),
    parameters: Object.fromEntries(nested),
  };
  return { flat, worn };
}

const groupKeys = ["options", "params", "details", "request", "filters", "input", "settings", "data", "query_params"];

/** Puts some of the parameters into an object of their own. */
function nest(parameters: [string, FlatParam][], worn: Worn[], random: Random): [string, FlatParam][] {
  const group = random.pick(groupKeys.filter((key) => !parameters.some(([taken]) => taken === key)));
  const from = random.between(0, Math.max(0, parameters.length - 2));
  const inner = parameters.slice(from, from + random.between(2, 4));
  if (inner.length < 2) return parameters;
  for (const one of worn) if (inner.some(([key]) => key === one.key)) one.within = group;
  const told = inner.some(([, { required }]) => required !== undefined);
  const object: FlatParam = {
    type: "object",
    ...(random.chance(0.5) && { description: `The ${group.replaceAll("_", " ")}.` }),
    properties: Object.fromEntries(inner),
    ...(told && { required: inner.some(([, { required }]) => required) }),
  };
  return [...parameters.slice(0, from), [group, object], ...parameters.slice(from + inner.length)];
}

/** A description as long as services write them. */
function atLength(about: string, random: Random): string {
  const plain = about.replace(/\.$/, "");
  const wish = plain[0].toLowerCase() + plain.slice(1);
  return random.pick([
    `${about} Use this tool when the user wants to ${wish}.`,
    `${about} Returns a JSON object with the result or an error message.`,
    `Tool to ${wish}. Only the parameters that the user mentions should be set.`,
    `${about}\n\nArgs: see the schema. Returns: the status of the operation.`,
    `[v2] ${about} Requires the user to be signed in.`,
    `${about} Do not call it for anything else.`,
    `This function can be used to ${wish}. Optional parameters default to the settings of the user.`,
    `${about} Idempotent; may take a few seconds.`,
  ]);
}

function typeFor(shape: Shape, param: Param, random: Random): string {
  if (shape === "list") return "array";
  return shape === "number" ? typeOf(param, random) : shape === "boolean" ? "boolean" : "string";
}

function shapeFor(param: Param, said: (Argument | undefined)[], random: Random): Shape {
  if (param.list) return "list";
  if (param.slot === "truth") return "boolean";
  if (param.slot === "flag") return random.chance(0.65) ? "boolean" : "onOff";
  if (param.slot === "choice") {
    // Without its enum, a value has to be copied: only where it is said as it is written.
    const verbatim = said.every((arg) => !arg || (arg.piece && arg.piece.text === arg.value));
    return verbatim && random.chance(0.15) ? "text" : "choice";
  }
  if (typeOfSlot(param.slot) === "string") return "text";
  // A number that is meant, or said in other words, cannot be copied.
  const copied = said.every((arg) => !arg || (arg.piece && !isLength(param.slot)));
  return copied && random.chance(0.1) ? "text" : "number";
}

function typeOf(param: Param, random: Random): string {
  const type = typeOfSlot(param.slot);
  return type === "integer" && random.chance(0.15) ? "number" : type;
}

/** The arguments of an ask under the dress's keys, with the texts that the pieces now hold. */
export function answer({ worn }: Dressed, { args }: Ask): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const { param, key, shape, upper, within } of worn) {
    const arg = args.get(param);
    if (!arg) continue;
    if (within) out[within] ??= {};
    const place = within ? (out[within] as Record<string, unknown>) : out;
    place[key] = valueAs(arg, shape, upper);
  }
  return out;
}

function valueAs({ value, piece, pieces }: Argument, shape: Shape, upper: boolean): unknown {
  switch (shape) {
    case "list":
      return Array.isArray(value) ? value : pieces?.map(({ text }) => text);
    case "text":
      return piece?.text;
    case "onOff":
      return value ? "on" : "off";
    case "choice":
      return upper ? String(value).toUpperCase() : value;
    default:
      return value;
  }
}
