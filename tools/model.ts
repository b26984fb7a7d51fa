/** The pack that --model names. */
import { existsSync, statSync } from "node:fs";
import type { Source } from "../runtime/load/source.ts";

/**
 * A path or URL as it is, or a published checkpoint, from the cache or fetched into it; undefined as it is.
 * Throws: Error for a folder.
 */
export async function modelOf(name: string | undefined): Promise<Source | undefined> {
  if (name === undefined) return undefined;
  if (statSync(name, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`model: expected a pack, got the folder ${name}; give the path of a .thimble file in it`);
  if (!/^[\w-]+$/.test(name) || existsSync(name)) return name;
  // The readers of checkpoints come with it: only for who names one.
  const { published, pullPublished } = await import("./published.ts");
  return Object.hasOwn(published, name) ? pullPublished(name) : name;
}
