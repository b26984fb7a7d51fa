/** Packs from the web, fetched once: what a broken download left is kept as far as the sections' checksums say so. */
import { FormatError } from "../errors.ts";
import { checkSection, type SectionEntry } from "../pack/pack.ts";
import { xxh32 } from "../pack/xxh32.ts";
import { PackStream, type StreamOptions } from "./loader.ts";
import { openRandom, type Source, WebFile } from "./source.ts";
import { openStore, type Store } from "./store.ts";

export interface PullOptions extends StreamOptions {
  /** Fetch it even if the cache holds it. */
  refresh?: boolean;
}

/**
 * Brings a pack from the web into the user's cache folder, or the origin's private files (OPFS) in browsers, unless it is
 * there; a damaged one is thrown away first. Returns where it is, for `load`. Processes and tabs may pull at once.
 * Throws: FormatError for a bad file, Error for a server that fails, the signal's reason on abort.
 */
export function pull(address: string | URL, options: PullOptions = {}): Promise<Source> {
  const url = new URL(address, globalThis.location?.href);
  return keep(url, options, (store, name) => download(url, store, name, options));
}

/** `pull` of a pack that is made from what the address holds. Throws: what `make` throws besides. */
export function pullMade(address: URL, options: PullOptions, make: () => Promise<Uint8Array>): Promise<Source> {
  return keep(address, options, async (store, name) => {
    const pack = await make();
    const unfinished = await store.begin(name);
    await unfinished.write(0, pack);
    await unfinished.finish(pack.length);
  });
}

/** The pack that the cache holds for an address, or what `bring` puts there. */
async function keep(
  url: URL,
  { refresh }: PullOptions,
  bring: (store: Store, name: string) => Promise<void>,
): Promise<Source> {
  const store = await openStore();
  const name = await cacheName(url);
  return takingTurns(name, async () => {
    const found = refresh ? null : await intact(store, name);
    if (found) return found;
    await bring(store, name);
    return (await store.find(name)) as Source;
  });
}

/** The file's own name, and enough of the address's SHA-256 to tell it from others. */
async function cacheName(url: URL): Promise<string> {
  const own =
    url.pathname
      .split("/")
      .pop()
      ?.replace(/\.thimble$/, "") || "pack";
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(url.href)));
  const hex = [...hash.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${own.replace(/[^\w.-]/g, "_")}-${hex}.thimble`;
}

/** A name's whole file if every byte of it is right; a damaged one is removed. */
async function intact(store: Store, name: string): Promise<Source | null> {
  const found = await store.find(name);
  if (!found) return null;
  try {
    const stream = await PackStream.open(found);
    await stream.close();
    const { sections } = stream.header;
    if ((await rightSections(found, sections)).size === sections.length) return found;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  await store.remove(name);
  return null;
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

async function download(url: URL, store: Store, name: string, options: PullOptions): Promise<void> {
  const { onProgress, signal } = options;
  const stream = await PackStream.open(url, { signal });
  await stream.close();
  const { header, head } = stream;
  const { sections, fileBytes } = header;
  const unfinished = await store.begin(name);
  try {
    const right = await rightSections(await unfinished.content(), sections);
    let loadedBytes = head.length;
    for (const { bytes } of right) loadedBytes += bytes;
    onProgress?.({ loadedBytes, totalBytes: fileBytes });
    await unfinished.write(0, head);
    const missing = sections.filter((section) => !right.has(section));
    for await (const { section, bytes } of fetchSections(url, missing, signal)) {
      const isWhole = bytes.length === section.bytes;
      if (isWhole) await unfinished.write(section.offsetBytes, bytes);
      onProgress?.({ loadedBytes: loadedBytes + bytes.length, totalBytes: fileBytes });
      if (isWhole) loadedBytes += bytes.length;
      signal?.throwIfAborted();
    }
  } catch (error) {
    await unfinished.leave();
    throw error;
  }
  await unfinished.finish(fileBytes);
}

/** Fetches runs of sections; yields each as far as it has come, and last whole and checked. */
async function* fetchSections(url: URL, sections: SectionEntry[], signal?: AbortSignal) {
  const file = new WebFile(url, signal);
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

/** One tab after another; processes need no turns (store.ts). */
export function takingTurns<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = typeof navigator === "undefined" ? undefined : navigator.locks;
  return locks ? (locks.request(`thimble ${name}`, work) as Promise<T>) : work();
}
