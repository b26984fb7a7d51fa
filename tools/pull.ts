import { pull as pullPack } from "../runtime/load/cache.ts";
import type { Progress } from "../runtime/load/loader.ts";
import { type Command, print, UsageError } from "./command.ts";
import { published, pullPublished } from "./published.ts";

const names = Object.entries(published).map(
  ([name, { about, repository }]) => `  ${name.padEnd(14)} ${about} (${repository})`,
);

export const pull: Command = {
  help: `thimble pull URL|NAME [--refresh] [--quiet]

Fetches a pack from the web into the cache folder (XDG_CACHE_HOME, or the system's own) and prints where it is. A
download that broke off goes on where it stopped: sections whose checksums are right are kept. What is in the cache
already is checked and not fetched again. --model takes the same URL or NAME from then on, without the network.

Published checkpoints are converted on arrival:
${names.join("\n")}

  --refresh   fetch it again
  --quiet     no progress bar

  thimble pull needle`,
  options: { refresh: { type: "boolean" }, quiet: { type: "boolean" } },
  async run(input) {
    const [what, ...more] = input.words;
    if (!what || more.length) throw new UsageError(`pull: expected one URL or name, got ${input.words.length}`);
    const isName = Object.hasOwn(published, what);
    if (!isName && !/^https?:/.test(what)) {
      const known = Object.keys(published).join(", ");
      throw new UsageError(`pull: expected an http(s) URL or one of ${known}, got ${JSON.stringify(what)}`);
    }
    const bar = input.flag("quiet") || !process.stderr.isTTY ? undefined : progressBar();
    const options = { refresh: input.flag("refresh"), ...(bar && { onProgress: bar }) };
    const path = await (isName ? pullPublished(what, options) : pullPack(what, options));
    if (bar) process.stderr.write("\r\x1b[K");
    print(String(path));
  },
};

/** A line that says how far it is and how fast, drawn again at most every 100 ms. */
function progressBar(): (progress: Progress) => void {
  const startMs = performance.now();
  let [drawnMs, startBytes] = [Number.NEGATIVE_INFINITY, -1];
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  return ({ loadedBytes, totalBytes }) => {
    // What an earlier download left counts as loaded, not as speed.
    if (startBytes < 0) startBytes = loadedBytes;
    const nowMs = performance.now();
    if (nowMs - drawnMs < 100 && loadedBytes < totalBytes) return;
    drawnMs = nowMs;
    const done = Math.round((30 * loadedBytes) / totalBytes);
    const rate = megabytes(((loadedBytes - startBytes) / Math.max(1, nowMs - startMs)) * 1000);
    const line = `${"█".repeat(done)}${"░".repeat(30 - done)} ${megabytes(loadedBytes)} of ${megabytes(totalBytes)} MB, ${rate} MB/s`;
    process.stderr.write(`\r\x1b[K${line}`);
  };
}
