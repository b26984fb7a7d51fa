/** How much of a tool list is read: what no model for this runtime could use is refused before work is done on it. */
import { ToolError } from "../errors.ts";

/** Tools of one list. */
export const mostTools = 4096;

/** Characters of a list's strings and keys together, as JavaScript counts them. */
export const mostCharacters = 1 << 22;

/** Characters of a tool's or a parameter's name. */
export const mostNameCharacters = 1024;

/** Lists and objects within one another. A worker of Chromium, of the hosts the one with the smallest stack, goes a third deeper. */
export const mostDepth = 1024;

/**
 * Schemas within one another, and schemas of one tool, merged ones included: no tool for this model needs a tenth. A worker of
 * Chromium goes twice as deep.
 */
export const mostLevels = 128;
export const mostSchemas = 4096;

/** Lists, objects and other values of one list. */
const mostValues = 1 << 20;

/** Throws: ToolError for more tools than a list may have. */
export function checkCount(tools: number): void {
  if (tools > mostTools)
    throw new ToolError("tools", `expected at most ${mostTools}, got ${tools}; give those of use here`);
}

/**
 * Counts what a list holds, without recursion and no further than the bounds.
 * Throws: ToolError for a list that is too long, too deep, or holds itself.
 */
export function checkSize(list: unknown): void {
  let [characters, values] = [0, 0];
  const count = (text: string) => {
    characters += text.length;
    if (characters <= mostCharacters) return;
    throw new ToolError("tools", `expected at most ${mostCharacters} characters, got more; leave out texts or tools`);
  };
  const open: [value: unknown, depth: number][] = [[list, 0]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [value, depth] = next;
    if (typeof value === "string") count(value);
    if (typeof value !== "object" || value === null || hasForm(value)) continue;
    if (depth > mostDepth)
      throw new ToolError("tools", `expected at most ${mostDepth} values within one another, got more; flatten them`);
    const keys = Array.isArray(value) ? [] : Object.keys(value);
    const inside: unknown[] = Array.isArray(value) ? value : Object.values(value);
    values += inside.length;
    if (values > mostValues)
      throw new ToolError("tools", `expected at most ${mostValues} values, got more; offer fewer tools`);
    for (const key of keys) count(key);
    for (const one of inside) if (typeof one === "string" || typeof one === "object") open.push([one, depth + 1]);
  }
}

/** Whether JSON.stringify writes something else in a value's place: what that is gets counted when it is there. */
function hasForm(value: object): boolean {
  return "~standard" in value || typeof (value as { toJSON?: unknown }).toJSON === "function";
}
