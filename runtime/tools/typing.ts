/** Types as Python writes them → JSON Schema: `List[str]`, `Dict[str, int]`, `Optional[float]`, `str | None`. Source: docs.python.org, typing. */
import type { JsonObject } from "../json.ts";
import { mostLevels } from "./bounds.ts";

/** What is no such type stays as it is, and so does what lies too deep, which is refused when it is read. */
export function pythonSchema(type: string, level = 0): JsonObject {
  if (level > mostLevels) return { type };
  const inside = (part: string) => pythonSchema(part, level + 1);
  // As the data set xLAM says that a parameter may be missing.
  const text = type.replace(/, *optional$/i, "").trim();
  const options = split(text, "|");
  if (options.length > 1) return union(options, inside);
  const [, outer, inner = ""] = text.match(/^(?:typing\.)?(\w+)\[(.+)\]$/s) ?? [];
  const parts = split(inner, ",");
  const [first, second] = parts;
  switch (outer?.toLowerCase()) {
    case "list":
    case "set":
    case "sequence":
      return { type: "array", items: inside(first) };
    case "tuple":
      if (second === "...") return { type: "array", items: inside(first) };
      return { type: "array", prefixItems: parts.map(inside), items: false };
    case "dict":
    case "mapping":
      return { type: "object", additionalProperties: inside(second ?? first) };
    case "optional":
      return union([inner, "None"], inside);
    case "union":
      return union(parts, inside);
    case "literal":
      return { enum: parts.map(literal) };
    default:
      return text.toLowerCase() === "any" ? {} : { type: text };
  }
}

function union(types: readonly string[], inside: (part: string) => JsonObject): JsonObject {
  const options = types.filter((type) => type.toLowerCase() !== "none");
  const schema = options.length === 1 ? inside(options[0]) : { anyOf: options.map(inside) };
  return options.length < types.length ? { ...schema, nullable: true } : schema;
}

function literal(text: string): unknown {
  const [, , quoted] = text.match(/^(["'])(.*)\1$/s) ?? [];
  if (quoted !== undefined) return quoted;
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  if (text === "None") return null;
  const number = Number(text);
  // A member of an enum, `Color.RED`, by its own name.
  return Number.isFinite(number) ? number : text.replace(/^.*\./s, "");
}

/** Splits where neither brackets nor quotes are open. */
function split(text: string, by: string): string[] {
  const parts: string[] = [];
  let [depth, quote, start] = [0, "", 0];
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (quote) quote = c === quote ? "" : quote;
    else if (c === '"' || c === "'") quote = c;
    else if (c === "[") depth++;
    else if (c === "]") depth--;
    else if (c === by && !depth) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)].map((part) => part.trim());
}
