/** JSON values, and how errors show them. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What JSON.parse may give for an object. */
export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = written(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function written(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return `a ${typeof value} that JSON cannot write`;
  }
}
