/** Packs from the web, fetched once: what a broken download left is kept as far as the sections' checksums say so. */
import { CacheError, FormatError } from "../errors.ts";
import { checkLength, checkSection, type PackHeader, type SectionEntry } from "../pack/pack.ts";
import { xxh32 } from "../pack/xxh32.ts";
import { checkIntegrity, readDigests } from "./integrity.ts";
import { PackStream, type StreamOptions } from "./loader.ts";
import { mostEndMs, within } from "./patience.ts";
import { bytesOf, openRandom, type Source } from "./source.ts";
import { openStore, type Store, type Unfinished } from "./store.ts";
import { WebFile } from "./web.ts";

export interface PullOptions extends StreamOptions {
  /** Fetch it even if the cache holds it. */
  refresh?: boolean;
  /** What the file must be: `load`'s option. */
  integrity?: string;
}

/**
 * Brings a pack from the web into the user's cache folder, or the origin's private files (OPFS) in browsers, unless it is
 * there; of a damaged one, what is damaged is fetched again. Returns where it is, for `load`. Threads, processes and
 * tabs may pull at once.
 * Throws: FormatError for a bad file, CacheError where none can be kept, Error for a server that fails, TypeError for an
 * `integrity` that is none, the signal's reason on abort.
 */
export function pull(address: string | URL, options: PullOptions = {}): Promise<Source> {
  const url = new URL(address, globalThis.location?.href);
  return keep(url, options, (store, name) => download(url, store, name, options));
}

/** `pull` of a pack that is made from what the address holds. Throws: what `make` throws besides. */
export function pullMade(address: URL, options: PullOptions, make: () => Promise<Uint8Array>): Promise<Source> {
  return keep(address, options, async (store, name) => {
    const pack = await make();
    return finishing(store, name, pack.length, checks(options), (unfinished) => unfinished.write(0, pack));
  });
}

/** `pull`; the address itself, and a warning, where nothing can be kept. */
export async function pullOrPass(
  address: string | URL,
  options: PullOptions & { onWarning?: (message: string) => void },
): Promise<Source> {
  try {
    return await pull(address, options);
  } catch (error) {
    if (!(error instanceof CacheError)) throw error;
    const { onWarning = console.warn } = options;
    onWarning(`${error.message}; loaded from the web instead`);
    return address;
  }
}

/** The pack that the cache holds for an address, or what `bring` puts there. */
async function keep(
  url: URL,
  { refresh, integrity, signal }: PullOptions,
  bring: (store: Store, name: string) => Promise<boolean>,
): Promise<Source> {
  if (integrity !== undefined) readDigests(integrity);
  const store = await openStore();
  const name = await cacheName(url);
  return takingTurns(name, signal, async () => {
    const found = refresh ? null : await intact(store, name, integrity);
    // Another process may take a file over whose owner looks dead to it: in another container, say.
    for (let tries = 0; !found && !(await bring(store, name)); tries++) {
      if (tries === mostTakenOver) throw new CacheError(store.place, `expected a file of its own in ${store.place}`);
    }
    await store.sweep(name);
    return found ?? ((await store.find(name)) as Source);
  });
}

const mostTakenOver = 3;

/** The file's own name, and enough of the address's SHA-256 to tell it from others. */
async function cacheName(url: URL): Promise<string> {
  const own =
    url.pathname
      .split("/")
      .pop()
      ?.replace(/\.thimble$/, "") || "pack";
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(url.href)));
  const hex = [...hash.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${own.replace(/[^\w.-]/g, "_").slice(0, 100)}-${hex}.thimble`;
}

/** A name's whole file if every byte of it is right; of a damaged one what is right goes on as an unfinished file. */
async function intact(store: Store, name: string, integrity?: string): Promise<Source | null> {
  const found = await store.find(name);
  if (!found) return null;
  try {
    if (await isWhole(found)) {
      if (integrity !== undefined) await checkIntegrity(found, integrity);
      return found;
    }
  } catch (error) {
    if (!(error instanceof FormatError)) {
      const { message } = error as Error;
      throw new CacheError(store.place, `expected a file that can be read, got ${message}`, { cause: error });
    }
  }
  await store.distrust(name);
  return null;
}

/** Throws: FormatError for a bad header or another length. */
async function isWhole(source: Source): Promise<boolean> {
  const stream = await PackStream.open(source);
  await stream.close();
  const { sections } = stream.header;
  return (await rightSections(source, sections)).size === sections.length;
}

/** Sections that a file holds at their places with the right checksums. */
async function rightSections(source: Source, sections: SectionEntry[]): Promise<Set<SectionEntry>> {
  const file = await openRandom(source);
  const right = new Set<SectionEntry>();
  try {
    const buffer = new Uint8Array(Math.max(...sections.map(({ bytes }) => bytes)));
    for (const section of sections) {
      const bytes = buffer.subarray(0, section.bytes);
      const isThere = await file.read(section.offsetBytes, bytes).then(
        () => true,
        () => false,
      );
      if (isThere && xxh32(bytes) === section.checksum) right.add(section);
    }
  } finally {
    file.close();
  }
  return right;
}

async function download(url: URL, store: Store, name: string, options: PullOptions): Promise<boolean> {
  const { onProgress, signal, timeoutMs } = options;
  const stream = await PackStream.open(url, { signal, timeoutMs });
  await stream.close();
  const { header, head } = stream;
  const { sections, fileBytes } = header;
  return finishing(store, name, fileBytes, checks(options), async (unfinished) => {
    const right = await rightSections(await unfinished.content(), sections);
    let loadedBytes = head.length;
    for (const { bytes } of right) loadedBytes += bytes;
    onProgress?.({ loadedBytes, totalBytes: fileBytes });
    await unfinished.write(0, head);
    const missing = sections.filter((section) => !right.has(section));
    const file = new WebFile(url, { signal, timeoutMs });
    for await (const { section, bytes } of fetchSections(file, missing)) {
      const isWhole = bytes.length === section.bytes;
      if (isWhole) await unfinished.write(section.offsetBytes, bytes);
      onProgress?.({ loadedBytes: loadedBytes + bytes.length, totalBytes: fileBytes });
      if (isWhole) loadedBytes += bytes.length;
      signal?.throwIfAborted();
    }
    if (missing.length) await checkEnd(file, header);
  });
}

/** What a file must be before it gets its name. Throws: for one that is another. */
type Check = (content: Source) => Promise<boolean>;

function checks({ integrity }: PullOptions): Check {
  return async (content) => {
    const isRight = await isWhole(content).catch(() => false);
    if (isRight && integrity !== undefined) await checkIntegrity(content, integrity);
    return isRight;
  };
}

/** Keeps bytes that nothing but themselves can check. Throws: CacheError. */
export async function keepBytes(store: Store, name: string, bytes: Uint8Array): Promise<void> {
  const isSame: Check = async (content) => {
    const got = await bytesOf(content);
    return got.length === bytes.length && got.every((byte, i) => byte === bytes[i]);
  };
  await finishing(store, name, bytes.length, isSame, (unfinished) => unfinished.write(0, bytes));
}

/** Writes an unfinished file, brings it to the disk, checks what came to lie there, and only then gives it its name. */
async function finishing(
  store: Store,
  name: string,
  fileBytes: number,
  isRight: Check,
  write: (unfinished: Unfinished) => Promise<void>,
): Promise<boolean> {
  const unfinished = await store.begin(name);
  try {
    await write(unfinished);
    await unfinished.settle(fileBytes);
    if (!(await isRight(await unfinished.content())))
      throw new CacheError(store.place, `expected ${store.place} to keep what was written, got other bytes`);
  } catch (error) {
    // The first error is the one to tell.
    await unfinished.leave().catch(() => {});
    throw error;
  }
  return unfinished.publish();
}

/** Fetches runs of sections; yields each as far as it has come, and last whole and checked. */
async function* fetchSections(file: WebFile, sections: SectionEntry[]) {
  let first = 0;
  while (first < sections.length) {
    let last = first;
    const endOf = ({ offsetBytes, bytes }: SectionEntry) => offsetBytes + bytes;
    while (sections[last + 1]?.offsetBytes === endOf(sections[last])) last++;
    let got = 0;
    let buffer = new Uint8Array(sections[first].bytes);
    for await (let chunk of file.chunks(sections[first].offsetBytes, endOf(sections[last]))) {
      while (chunk.length) {
        const section = sections[first];
        const part = chunk.subarray(0, section.bytes - got);
        buffer.set(part, got);
        got += part.length;
        chunk = chunk.subarray(part.length);
        if (got === section.bytes) checkSection(section, xxh32(buffer));
        yield { section, bytes: buffer.subarray(0, got) };
        if (got < section.bytes) continue;
        first++;
        got = 0;
        buffer = new Uint8Array(sections[first]?.bytes ?? 0);
      }
    }
    if (first <= last) {
      const { name, offsetBytes } = sections[first];
      throw new FormatError(
        name,
        offsetBytes + got,
        "expected the rest of the section, got the end: the file is cut short",
      );
    }
  }
}

/** Throws: FormatError if the server's file goes on after the last section. */
async function checkEnd(file: WebFile, header: PackHeader): Promise<void> {
  const { fileBytes } = header;
  if (file.totalBytes !== undefined) return checkLength(header, file.totalBytes);
  const after = file.chunks(fileBytes, fileBytes + 1);
  const more = await within(mostEndMs, after.next());
  void after.return(undefined).catch(() => {});
  if (more?.value) checkLength(header, fileBytes + more.value.length);
}

/** One tab after another; processes need no turns (store.ts). */
export function takingTurns<T>(name: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const locks = typeof navigator === "undefined" ? undefined : navigator.locks;
  return locks ? (locks.request(`thimble ${name}`, signal ? { signal } : {}, work) as Promise<T>) : work();
}
