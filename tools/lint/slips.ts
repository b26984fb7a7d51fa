/** Keys that mean another one: of another language, "min", or with a slip or two, "paramters", "enmu". */
import type { JsonObject } from "../../runtime/json.ts";
import { kinds, schemaParts } from "../../runtime/tools/forms.ts";
import { keywords, silent, typeNames } from "../../runtime/tools/keywords.ts";

const least = { integer: "minimum", number: "minimum", string: "minLength", array: "minItems" };
const most = { integer: "maximum", number: "maximum", string: "maxLength", array: "maxItems" };
const listed = { integer: "enum", number: "enum", string: "enum" };
/** Keywords of other schema languages, and JSON Schema's for the same, by type. */
const misnamed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ...Object.fromEntries(["min", "minValue", "min_value", "gte", "ge"].map((keyword) => [keyword, least])),
  ...Object.fromEntries(["max", "maxValue", "max_value", "lte", "le"].map((keyword) => [keyword, most])),
  gt: { integer: "exclusiveMinimum", number: "exclusiveMinimum" },
  lt: { integer: "exclusiveMaximum", number: "exclusiveMaximum" },
  step: { integer: "multipleOf", number: "multipleOf" },
  ...Object.fromEntries(["values", "options", "choices"].map((keyword) => [keyword, listed])),
};

/** Keys with fewer letters have one slip, others two. */
const leastLetters = 6;

const known = new WeakMap<JsonObject, Map<string, string>>();

/** The key that was meant for one of a tool's, or of a schema's; undefined where none is near, or it is there too. */
export function meantFor(key: string, holder: JsonObject, isTool: boolean): string | undefined {
  const meant = known.get(holder) ?? meanings(holder, isTool);
  known.set(holder, meant);
  return meant.get(key);
}

/** By the keys that stand for others. */
function meanings(holder: JsonObject, isTool: boolean): Map<string, string> {
  // Of two that mean the same the first.
  const first = new Map(
    Object.keys(holder)
      .reverse()
      .map((key) => [meaning(key, holder, isTool) ?? "", key]),
  );
  // Beside a list of values no limits are read.
  const isListed = ["enum", "const"].some((key) => first.has(key) || key in holder);
  return new Map([...first].filter(([meant]) => meant && !(isListed && limits.has(meant))).map(([a, b]) => [b, a]));
}

const limits = new Set(
  Object.values(keywords)
    .flat()
    .filter((key) => key !== "required"),
);

function meaning(key: string, holder: JsonObject, isTool: boolean): string | undefined {
  const all = isTool ? toolKeys(holder) : schemaKeys(holder);
  if (all.includes(key)) return undefined;
  const free = all.filter((one) => !Object.hasOwn(holder, one));
  const isMisnamed = !isTool && typeof holder.type === "string" && Object.hasOwn(misnamed, key);
  const other = isMisnamed ? misnamed[key][holder.type as string] : undefined;
  if (other && free.includes(other) && Array.isArray(holder[key]) === (other === "enum")) return other;
  const near = (most: number) => all.find((one) => isNear(key, one, most));
  const nearest = near(1) ?? (key.length < leastLetters ? undefined : near(2));
  return nearest && free.includes(nearest) ? nearest : undefined;
}

/** Of the keys that say parameters a tool has one. */
function toolKeys(tool: JsonObject): string[] {
  const isSaid = Object.keys(kinds).some((key) => Object.hasOwn(tool, key));
  return ["name", "description", "risk", "annotations", ...(isSaid ? [] : [...Object.keys(kinds), ...schemaParts])];
}

/** Those that are read at the schema's type, which may be none. */
function schemaKeys({ type }: JsonObject): string[] {
  const names = JSON.stringify(type ?? Object.keys(keywords)).toLowerCase();
  const read = typeNames.filter((name) => names.includes(`"${name}"`));
  const limits = read.flatMap((name) => keywords[name === "integer" ? "number" : name] ?? []);
  return [..."type enum const anyOf oneOf allOf $ref nullable required".split(" "), ...silent, ...limits];
}

/** Whether at most so many letters are other, missing, too many, or exchanged with their neighbour. */
function isNear(a: string, b: string, most: number): boolean {
  if (a === b) return true;
  if (a[0] === b[0]) return isNear(a.slice(1), b.slice(1), most);
  if (!most) return false;
  const isSwapped = a[0] === b[1] && a[1] === b[0];
  const ways = [[1, 1], [1, 0], [0, 1], ...(isSwapped ? [[2, 2]] : [])];
  return ways.some(([i, j]) => isNear(a.slice(i), b.slice(j), most - 1));
}
