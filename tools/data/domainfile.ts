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

function addDomainFile(path: string): void {
  try {
    const file = JSON.parse(readText(path)) as DomainFile;
    for (const [slot, values] of Object.entries(file.pools ?? {})) {
      if (isSlot(slot)) throw new Error(`pool ${slot}: expected a name of its own, got one that is taken`);
      pools[slot] = values;
    }
    for (const value of Object.values(file.pools ?? {}).flat())
      for (const slot of slotsOf(readTemplate(value)))
        if (!isSlot(slot))
          throw new Error(`${JSON.stringify(value)}: expected slots of values.ts or of pools, got ${slot}`);
    const filled = file.asides?.find((aside) => /[{}[\]|]/.test(aside));
    if (filled) throw new Error(`aside ${JSON.stringify(filled)}: expected words as they are said, got a template`);
    addDomain(basename(path, ".json"), file, file.weight ?? 8, file.kin ?? []);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}
