/** Files of Node and Bun: the one place of the runtime that knows a built-in module. */

/** Browsers and workers have none. */
export function hasFiles(): boolean {
  return typeof process !== "undefined" && typeof process.versions?.node === "string";
}

/**
 * Hosts of today hand a built-in module out at once, which saves a fresh process some milliseconds. For others the name
 * stands in a variable so that bundlers for the web leave this import alone; only who has files comes here.
 */
export async function fileSystem(): Promise<typeof import("node:fs")> {
  const name = "node:fs";
  return process.getBuiltinModule?.(name) ?? import(name);
}
