/** Files of Node and Bun: the one place of the runtime that knows a built-in module. */

/** Browsers and workers have none. */
export function hasFiles(): boolean {
  return typeof process !== "undefined" && typeof process.versions?.node === "string";
}

/** The name stands in a variable so that bundlers for the web leave this import alone; only who has files comes here. */
export function fileSystem(): Promise<typeof import("node:fs")> {
  const name = "node:fs";
  return import(name);
}
