/** Types as Python writes them → JSON Schema: `List[str]`, `Dict[str, int]`, `Optional[float]`, `str | None`. Source: docs.python.org, typing. */
import type { JsonObject } from "../json.ts";

/** What is no such type stays as it is. */
export function pythonSchema(type: string): JsonObject {
  // As the data set xLAM says that a parameter may be missing.
  const text = type.replace(/, *optional$/i, "").trim();
  const options = split(text, "|");
  if (options.length > 1) return union(options);
  const [, outer, inner = ""] = text.match(/^(?:typing\.)?(\w+)\[(.+)\]$/s) ?? [];
  const parts = split(inner, ",");
  const [first, second] = parts;
  switch (outer?.toLowerCase()) {
    case "list":
    case "set":
    case "sequence":
      return { type: "array", items: pythonSchema(first) };
    case "tuple":
      if (second === "...") return { type: "array", items: pythonSchema(first) };
      return { type: "array", prefixItems: parts.map(pythonSchema), items: false };
    case "dict":
    case "mapping":
      return { type: "object", additionalProperties: pythonSchema(second ?? first) };
    case "optional":
      return union([inner, "None"]);
    case "union":
      return union(parts);
    case "literal":
      return { enum: parts.map(literal) };
    default:
      return text.toLowerCase() === "any" ? {} : { type: text };
  }
}

function union(types: readonly string[]): JsonObject {
  const options = types.filter((type) => type.toLowerCase() !== "none");
  const schema = options.length === 1 ? pythonSchema(options[0]) : { anyOf: options.map(pythonSchema) };
  return options.length < types.length ? { ...schema, nullable: true } : schema;
}

function literal(text: string): unknown {
  const [, , quoted] = text.match(/^(["'])(.*)\1$/s) ?? [];
  if (quoted !== undefined) return quoted;
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  return text === "None" ? null : Number(text);
}

/** Splits where neither brackets nor quotes are open. */
function split(text: string, by: string): string[] {
  const parts = [""];
  let [depth, quote] = [0, ""];
  for (const c of text) {
    if (quote) quote = c === quote ? "" : quote;
    else if (c === '"' || c === "'") quote = c;
    else if (c === "[") depth++;
    else if (c === "]") depth--;
    if (c === by && !depth && !quote) parts.push("");
    else parts[parts.length - 1] += c;
  }
  return parts.map((part) => part.trim());
}
