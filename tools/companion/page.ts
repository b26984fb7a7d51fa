/** Serves firmware/companion with the runtime beside it: on this machine a page may use Bluetooth without a certificate. */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { builtFolder, mediaType } from "../pages.ts";

/** Where a path of the page lies; null outside of what it needs. */
function fileOf(path: string, built: string): string | null {
  if (path.includes("..")) return null;
  if (path.startsWith("/runtime/") || path.startsWith("/wasm/")) return join(built, path);
  return join(built, "firmware/companion", path === "/" ? "index.html" : path);
}

/** Listens. Throws: Error if the port is taken, or where nothing is built. */
export function servePage(port: number, host: string): Promise<Server> {
  const built = builtFolder("runtime/companion.js");
  const server = createServer(async ({ url = "/", method }, response) => {
    try {
      // A path that is no UTF-8 is no file either.
      const path = decodeURIComponent(new URL(url, "http://page").pathname);
      const file = method === "GET" || method === "HEAD" ? fileOf(path, built) : null;
      if (!file) throw new Error("none");
      const bytes = await readFile(file);
      response.writeHead(200, {
        "content-type": mediaType(file),
        "content-length": bytes.length,
      });
      response.end(method === "HEAD" ? undefined : bytes);
    } catch {
      response.writeHead(404, { "content-type": "text/plain" });
      response.end("no such file\n");
    }
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server));
  });
}
