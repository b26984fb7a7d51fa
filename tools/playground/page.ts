/** The playground's files: what a path of the page is, for a server or a folder. */
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { builtFolder, mediaType } from "../pages.ts";

/** The page reaches its own server and, to compare, others of this machine; nothing else. */
const policy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  // The editor writes its own rules.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self' http://127.0.0.1:* http://localhost:*",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const headers = {
  "content-security-policy": policy,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
};

/** The generator's data, which the package keeps for Node, as a module of any host. */
const tablesPath = "/tools/data/tables.js";
const tablesScript = (built: string) =>
  `export const tables=${brotliDecompressSync(readFileSync(join(built, "tools/data/tables.br")))}`;

/** What a page is made of beside its own files. */
export interface PageParts {
  /** Where the pack lies. */
  pack: string;
  /** Tools to begin with; none for the page's own. */
  tools: unknown[];
}

/** Answers GET of a page's path; null for a path that is none of its own. Throws: Error where nothing is built. */
export function pageOf({ pack, tools }: PageParts): (path: string) => Promise<Response | null> {
  const built = builtFolder("tools/playground/web/main.js.br");
  return async (path) => {
    if (path === "/tools.json") return Response.json(tools, { headers });
    if (path === tablesPath)
      return new Response(tablesScript(built), { headers: { ...headers, "content-type": mediaType(tablesPath) } });
    const file = path === "/model.thimble" ? pack : fileOf(path, built);
    if (!file) return null;
    try {
      const read = await readFile(file);
      const bytes = file.endsWith(".br") ? brotliDecompressSync(read) : read;
      const type = mediaType(file.replace(/\.br$/, ""));
      return new Response(bytes, {
        headers: { ...headers, "content-type": type, "content-length": String(bytes.length) },
      });
    } catch {
      return null;
    }
  };
}

/** Folders of the package that the page loads from as they are. */
const shared = ["runtime", "wasm", "tools/finetune", "tools/data", "tools/eval", "tools/calibrate"];
/** And those whose files are packed. */
const packed: Readonly<Record<string, string>> = {
  "tools/playground/web": ".",
  "tools/profile/uplot": "tools/profile/uplot",
};
const isShared = new RegExp(`^/(${shared.join("|")})/.*\\.(js|wasm|css)$`);

function fileOf(path: string, built: string): string | null {
  // A URL has resolved its own, and what is escaped in it stays so.
  if (path.includes("..")) return null;
  if (isShared.test(path)) return join(built, path);
  if (path.startsWith("/tools/profile/uplot/")) return join(built, `${path}.br`);
  return join(built, "tools/playground/web", `${path === "/" ? "index.html" : path}.br`);
}

/** Writes the page as a folder that any web server can hold. Throws: Error where nothing is built, or other files lie there. */
export function exportPage(folder: string, { pack, tools }: PageParts): void {
  const built = builtFolder("tools/playground/web/main.js.br");
  const tables = join(folder, tablesPath);
  const there = namesIn(folder);
  if (!there || (there.length && !existsSync(tables))) {
    const message = `expected a new folder, an empty one or one that it wrote before, got ${folder}; name another`;
    throw new Error(`--export: ${message}`);
  }
  // First, since it says whose the folder is.
  mkdirSync(dirname(tables), { recursive: true });
  writeFileSync(tables, tablesScript(built));
  for (const [from, to] of Object.entries(packed)) {
    mkdirSync(join(folder, to), { recursive: true });
    for (const name of readdirSync(join(built, from)))
      writeFileSync(
        join(folder, to, name.replace(/\.br$/, "")),
        brotliDecompressSync(readFileSync(join(built, from, name))),
      );
  }
  // Types, the model inside and Node's way to the tables stay: the page fetches the pack from beside itself.
  const isNeeded = (from: string) => !/\.(d\.ts|md|thimble|br)$/.test(from) && !from.endsWith(tablesPath);
  for (const part of shared) cpSync(join(built, part), join(folder, part), { recursive: true, filter: isNeeded });
  cpSync(pack, join(folder, "model.thimble"));
  writeFileSync(join(folder, "tools.json"), JSON.stringify(tools));
}

/** What a folder holds, hidden files left out; nothing where there is none, null where something else stands there, or a link to nothing. */
function namesIn(folder: string): string[] | null {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith("."));
  } catch {
    return lstatSync(folder, { throwIfNoEntry: false }) ? null : [];
  }
}
