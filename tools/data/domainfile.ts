/** Further domains, one to a JSON file: what tool.ts says of a domain, how often it is asked for, and words of its own. */
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { readText } from "../command.ts";
import { addDomain } from "./catalogue.ts";
import { readTemplate, slotsOf } from "./template.ts";
import type { Domain } from "./tool.ts";
import { isSlot } from "./values.ts";
import { pools } from "./words.ts";

/**
 * tools, chat and asides as in `Domain`, and
 *
 *     weight  how often it is asked for, beside 4 to 19 of the generator's own domains; 8 if absent
 *     kin     domains whose tools might answer its requests: they are never offered together
 *     pools   slots of its own, each a list of values: words, or words with slots ("{city} Runners")
 */
export interface DomainFile extends Domain {
  weight?: number;
  kin?: string[];
  pools?: Record<string, string[]>;
}

/** Adds every NAME.json of a folder as domain NAME. Throws: Error naming the file that cannot be read as one. */
export function addDomains(folder: string): string[] {
  const paths = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => join(folder, name));
  if (!paths.length) throw new Error(`${folder}: expected NAME.json files of domains, got none`);
  for (const path of paths) addDomainFile(path);
  return paths;
}

const isTexts = (value: unknown, least = 0) =>
  Array.isArray(value) && value.length >= least && value.every((text) => typeof text === "string" && text.trim());
const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown) => typeof value === "string" && value.trim() !== "";

/** Throws: Error naming the first part that is of another form than a `DomainFile` has. */
function checkShape(file: unknown): void {
  const expect = (isRight: boolean, place: string, form: string, value: unknown) => {
    if (!isRight)
      throw new Error(`${place}: expected ${form}, got ${JSON.stringify(value)?.slice(0, 40) ?? "nothing"}`);
  };
  expect(isTable(file), "file", "an object with tools and chat", file);
  const { tools, chat, asides = [], pools = {}, weight = 8, kin = [] } = file as Record<string, unknown>;
  expect(isTable(tools) && Object.keys(tools).length > 0, "tools", "at least one, by name", tools);
  expect(isTexts(chat, 1), "chat", "a list of sentences", chat);
  expect(isTexts(asides), "asides", "a list of sentences", asides);
  expect(isTexts(kin), "kin", "a list of domains", kin);
  expect(typeof weight === "number" && weight > 0 && weight <= 1000, "weight", "a number from 0 to 1,000", weight);
  expect(isTable(pools), "pools", "lists of words by name", pools);
  for (const [name, words] of Object.entries(pools as object))
    expect(isTexts(words, 1), `pool ${name}`, "words", words);
  for (const [name, tool] of Object.entries(tools as object)) {
    expect(isTable(tool), name, "a tool", tool);
    expect(isText(tool.names), `${name}.names`, "other names", tool.names);
    expect(isText(tool.about), `${name}.about`, "a description", tool.about);
    expect(isTexts(tool.say, 1), `${name}.say`, "a list of phrases", tool.say);
    expect(isTexts(tool.hint ?? []), `${name}.hint`, "a list of phrases", tool.hint);
    const takes = tool.takes ?? {};
    expect(isTable(takes) && Object.values(takes).every(isText), `${name}.takes`, "a line for each parameter", takes);
  }
}

/** Throws: Error for a pool whose words come to be made of itself. */
function refuseCycle(slot: string, own: Record<string, string[]>, above: readonly string[]): void {
  if (above.includes(slot))
    throw new Error(`pool ${slot}: expected words, got itself by ${[...above, slot].join(", ")}`);
  for (const text of own[slot] ?? [])
    for (const inner of slotsOf(readTemplate(text))) refuseCycle(inner, own, [...above, slot]);
}

function addDomainFile(path: string): void {
  try {
    const file = JSON.parse(readText(path)) as DomainFile;
    checkShape(file);
    for (const [slot, values] of Object.entries(file.pools ?? {})) {
      if (isSlot(slot)) throw new Error(`pool ${slot}: expected a name of its own, got one that is taken`);
      pools[slot] = values;
    }
    const own = file.pools ?? {};
    for (const text of [...Object.values(own).flat(), ...file.chat])
      for (const slot of slotsOf(readTemplate(text)))
        if (!isSlot(slot))
          throw new Error(`${JSON.stringify(text)}: expected slots of values.ts or of pools, got ${slot}`);
    for (const slot of Object.keys(own)) refuseCycle(slot, own, []);
    const filled = file.asides?.find((aside) => /[{}[\]|]/.test(aside));
    if (filled) throw new Error(`aside ${JSON.stringify(filled)}: expected words as they are said, got a template`);
    addDomain(basename(path, ".json"), file, file.weight ?? 8, file.kin ?? []);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}
