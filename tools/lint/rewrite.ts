/** What rewrites make of tools: applied, and those left out that would lose a part of them. */
import { isObject, type Json } from "../../runtime/json.ts";
import { snakeCase } from "../../runtime/tools/prompt.ts";
import { ToolSet } from "../../runtime/tools/tools.ts";
import type { Found, Rewrite } from "./remedies.ts";
import { type Entry, type Keys, pathOf, type Sheet, valueAt } from "./sheet.ts";

/** Findings of a tool that are tried one by one where not all of them can be written. */
const mostTried = 64;

type Holder = Record<string | number, Json>;

/** JSON after some rewrites, the deepest first. */
export function applied<T>(given: T, rewrites: readonly Rewrite[]): T {
  const root = { root: structuredClone(given) as Json };
  for (const { at, value, key, order } of [...rewrites].sort((a, b) => b.at.length - a.at.length)) {
    const path = ["root", ...at];
    const last = path.pop() as string | number;
    const holder = valueAt(root, path) as Holder;
    if (key !== undefined) {
      const entries = Object.entries(holder).map(([name, old]) => [name === last ? key : name, old]);
      for (const name of Object.keys(holder)) delete holder[name];
      Object.assign(holder, Object.fromEntries(entries));
    } else if (order) {
      const { ...rest } = holder[last] as Record<string, Json>;
      const first = order.filter((name) => name in rest).map((name) => [name, rest[name]]);
      holder[last] = Object.assign(Object.fromEntries(first), rest);
    } else if (value === undefined) delete holder[last];
    else holder[last] = value;
  }
  return root.root as T;
}

/** Findings without those rewrites that would lose a parameter, a value, a tool or its name, or leave it to be refused. */
export function sound<F extends Found>({ list, entries }: Sheet, findings: readonly F[]): F[] {
  const names = new Set(entries.map(({ tool }) => tool.promptName));
  const tools = new Map(entries.map((entry) => [pathOf(entry.keys), entry]));
  const toolOf = (at: Keys) => at.map((_, i) => tools.get(pathOf(at.slice(0, i)))).find((entry) => entry);
  const byTool = new Map<Entry, F[]>();
  const unsound = new Set<F>();
  for (const finding of findings) {
    const [first] = finding.rewrites ?? [];
    const entry = first && toolOf(first.at);
    if (entry) {
      const own = byTool.get(entry) ?? [];
      own.push(finding);
      byTool.set(entry, own);
    } else if (first && isPartGone(list, first)) unsound.add(finding);
  }
  for (const [entry, own] of byTool) {
    const { keys } = entry;
    const tool = valueAt(list, keys);
    const least = partsOf(tool);
    const isSound = (some: readonly F[]) => {
      const rewrites = some.flatMap(({ rewrites = [] }) => rewrites);
      const inside = rewrites.map((one) => ({ ...one, at: one.at.slice(keys.length) }));
      try {
        return partsOf(applied(tool, inside)) >= least;
      } catch {
        return false; // Of "a": true no key can be written.
      }
    };
    const free = own.filter(({ rewrites = [] }) => rewrites.every((one) => isNew(one, entry, names)));
    const kept = new Set(isSound(free) ? free : []);
    if (!kept.size) for (const one of free.slice(0, mostTried)) if (isSound([...kept, one])) kept.add(one);
    for (const one of own) if (!kept.has(one)) unsound.add(one);
  }
  return findings.map((one) => {
    if (!unsound.has(one)) return one;
    const { rewrites, ...rest } = one;
    return rest as F;
  });
}

/** Whether a tool's new name is no other's; it is taken then. */
function isNew({ at, value }: Rewrite, { keys, tool }: Entry, names: Set<string>): boolean {
  if (at.length !== keys.length + 1 || at.at(-1) !== "name" || typeof value !== "string") return true;
  const name = snakeCase(value);
  const isFree = tool.promptName === name || !names.has(name);
  names.add(name);
  return isFree;
}

/** Of a tool that cannot be read nobody knows what of it was meant. */
const isPartGone = (list: unknown, { at, value, key, order }: Rewrite) =>
  value === undefined && key === undefined && !order && isObject(valueAt(list, at));

/** How many parameters and values of enums a tool has; -1 where it cannot be read. */
function partsOf(tool: unknown): number {
  const seen = new Set<unknown>();
  const count = (one: unknown): number => {
    if (typeof one !== "object" || one === null || seen.has(one)) return 0;
    seen.add(one);
    const inner = Object.values(one).reduce((sum: number, part) => sum + count(part), 0);
    const { properties, values } = one as { properties?: unknown[]; values?: Json[] };
    const own = new Set(Array.isArray(values) ? values.filter((value) => typeof value !== "boolean") : []);
    return inner + own.size + (Array.isArray(properties) ? properties.length : 0);
  };
  try {
    return count({ properties: ToolSet.from([tool] as never).tools[0].parameters });
  } catch {
    return -1;
  }
}
