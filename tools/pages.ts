/** What pages are served from: the built package's files, and their media types. */
import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".png": "image/png",
  ".wasm": "application/wasm",
};

export const mediaType = (path: string): string => types[extname(path)] ?? "application/octet-stream";

/** The built package: this file's own, or of the tree it stands in. Throws: Error where a part of it is not built. */
export function builtFolder(part: string): string {
  const up = fileURLToPath(new URL("../", import.meta.url));
  const built = [up, join(up, "dist")].find((folder) => existsSync(join(folder, part)));
  if (built) return built;
  throw new Error(`${up}: expected a built ${part}, got none; run npm run build`);
}
