/** Where packs from the web are kept: the user's cache folder under Node and Bun, the origin's private files in browsers. */
import { CacheError } from "../errors.ts";
import { fileSystem, hasFiles } from "./files.ts";
import type { Source } from "./source.ts";

/** Files by name. A name has one whole file, seen by all processes or tabs at once, and unfinished ones that nobody shares. */
export interface Store {
  /** What errors call it. */
  readonly place: string;
  /** What a name's whole file is for `load`; null if there is none. */
  find(name: string): Promise<Source | null>;
  /** An unfinished file: what somebody left, or an empty one. */
  begin(name: string): Promise<Unfinished>;
  /** Makes an unfinished file of a whole one that turned out not to be. */
  distrust(name: string): Promise<void>;
  /** Removes what was left of a name that has its whole file, and of others long ago; as far as that can be done. */
  sweep(name: string): Promise<void>;
  /** Removes whole files whose names begin so, which can be made anew: old ones, and all but the newest. As far as that can be done. */
  thin(beginning: string): Promise<void>;
}

export interface Unfinished {
  /** What has been written, for `openRandom`. */
  content(): Promise<Source>;
  write(offsetBytes: number, bytes: Uint8Array): Promise<void>;
  /** Cuts it to a length and brings it to the disk. */
  settle(fileBytes: number): Promise<void>;
  /** Makes it the name's whole file; false if somebody has taken it over, who believed this owner dead. */
  publish(): Promise<boolean>;
  /** Keeps it for whoever begins next. */
  leave(): Promise<void>;
}

/** Throws: CacheError where the host has no place to keep files. */
export async function openStore(): Promise<Store> {
  return hasFiles() ? folderStore(cacheFolder()) : privateStore();
}

/** The same methods, with errors that name the place. */
function telling<T>(place: string, methods: T): T {
  const told = (error: Error & { code?: string }) => {
    const why = error.code ?? (error.name === "Error" ? error.message : error.name);
    const remedy = hasFiles() ? "make room, let it be written, or name another by XDG_CACHE_HOME" : "make room";
    throw new CacheError(place, `expected ${place} to keep packs, got ${why}; ${remedy}`, { cause: error });
  };
  type Method = (...args: unknown[]) => Promise<unknown>;
  const entries = Object.entries(methods as Record<string, Method>).map(([name, method]): [string, Method] => [
    name,
    (...args) => method(...args).catch(told),
  ]);
  return Object.fromEntries(entries) as T;
}

/** Throws: CacheError if the environment names no home. Source: XDG Base Directory Specification, and each system's habit. */
export function cacheFolder(
  env: Record<string, string | undefined> = process.env,
  platform: string = process.platform,
): string {
  const home = env.HOME ?? env.USERPROFILE;
  const usual = { darwin: `${home}/Library/Caches`, win32: env.LOCALAPPDATA ?? `${home}/AppData/Local` }[platform];
  // The specification: a path that is not absolute is ignored.
  const named = env.XDG_CACHE_HOME?.startsWith("/") ? env.XDG_CACHE_HOME : undefined;
  if (!named && !home) throw new CacheError("", "expected HOME or XDG_CACHE_HOME in the environment, got neither");
  return `${named ?? usual ?? `${home}/.cache`}/thimble`;
}

/**
 * Unfinished files are `NAME.OWNER.part`, where the owner is a process and a number of its own, or `free`. Taking one over
 * is renaming it, which one taker alone can do; finishing one is renaming it to NAME, over whatever another has finished.
 */
async function folderStore(folder: string): Promise<Store> {
  const { promises: fs } = await fileSystem();
  const path = (file: string) => `${folder}/${file}`;
  const orNull = (error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  };
  /** Host's own `recursive` looks for ever for a parent that can be made below /proc. */
  const make = async (wanted: string): Promise<void> => {
    const isThere = () => fs.stat(wanted).then((stats) => stats.isDirectory(), orNull);
    if (await isThere()) return;
    const parent = wanted.slice(0, Math.max(1, wanted.lastIndexOf("/")));
    if (parent !== wanted && parent.includes("/")) await make(parent);
    await fs.mkdir(wanted).catch(async (error) => {
      if (!(await isThere())) throw error;
    });
  };
  /** Parts that nobody writes any more, with the time since somebody did; of one name, or of all. */
  const abandoned = async (name = "") => {
    const parts: { file: string; ageMs: number }[] = [];
    for (const file of await fs.readdir(folder)) {
      const owner = file.startsWith(name && `${name}.`) && file.match(/\.(free|(\d+)-[\w-]+)\.part$/);
      const stats = owner && (await fs.stat(path(file)).catch(orNull));
      if (!stats) continue;
      const ageMs = Date.now() - stats.mtimeMs;
      if (!owner[2] || ageMs > longSilentMs || !isAlive(Number(owner[2]))) parts.push({ file, ageMs });
    }
    return parts;
  };
  const begin = async (name: string): Promise<Unfinished> => {
    const own = path(`${name}.${process.pid}-${crypto.randomUUID()}.part`);
    let isTaken = false;
    for (const { file } of await abandoned(name)) {
      isTaken = (await fs.rename(path(file), own).then(() => true, orNull)) === true;
      if (isTaken) break;
    }
    const file = await fs.open(own, isTaken ? "r+" : "wx+");
    return telling(folder, {
      content: async () => own,
      async write(offsetBytes: number, bytes: Uint8Array) {
        let done = 0;
        // A disk that fills takes a part of the bytes first, and refuses the next.
        while (done < bytes.length) {
          const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offsetBytes + done);
          if (!bytesWritten) throw new Error(`${bytes.length - done} bytes that could not be written`);
          done += bytesWritten;
        }
      },
      async settle(fileBytes: number) {
        await file.truncate(fileBytes);
        await file.sync();
      },
      async publish() {
        await file.close();
        return (await fs.rename(own, path(name)).then(() => true, orNull)) === true;
      },
      async leave() {
        await file.close();
        await fs.rename(own, path(`${name}.free.part`)).catch(orNull);
      },
    });
  };
  await telling(folder, { make: () => make(folder) }).make();
  return {
    place: folder,
    ...telling(folder, {
      begin,
      find: async (name: string) => (await fs.stat(path(name)).catch(orNull)) && path(name),
      async distrust(name: string) {
        await fs.rename(path(name), path(`${name}.free.part`)).catch(orNull);
      },
      async sweep(name: string) {
        const parts = await abandoned().catch(() => []);
        const useless = parts.filter(({ file, ageMs }) => file.startsWith(`${name}.`) || ageMs > uselessMs);
        for (const { file } of useless) await fs.rm(path(file), { force: true }).catch(() => {});
      },
      async thin(beginning: string) {
        const names = await fs.readdir(folder).catch(() => []);
        const files: Dated[] = [];
        for (const name of names.filter((one) => isOf(one, beginning))) {
          const stats = await fs.stat(path(name)).catch(orNull);
          if (stats) files.push({ name, writtenMs: stats.mtimeMs });
        }
        for (const { name } of surplus(files)) await fs.rm(path(name), { force: true }).catch(() => {});
      },
    }),
  };
}

/** A part that was not written for so long is nobody's, whatever process has its owner's number today. */
const longSilentMs = 24 * 60 * 60 * 1000;
/** And nobody comes back for one of so long ago. */
const uselessMs = 7 * longSilentMs;

/** Files that can be made anew stay so long, and so many of them: what one app's lists of tools take in a month, some 10 MB. */
const keptMs = 30 * longSilentMs;
const mostKept = 64;

interface Dated {
  name: string;
  writtenMs: number;
}

const isOf = (name: string, beginning: string) => name.startsWith(beginning) && !name.endsWith(".part");

/** All but the newest, and what is old of those. */
function surplus(files: readonly Dated[]): Dated[] {
  const newest = [...files].sort((a, b) => b.writtenMs - a.writtenMs);
  return newest.filter(({ writtenMs }, i) => i >= mostKept || Date.now() - writtenMs > keptMs);
}

/** One that is another user's counts as alive. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** What lib.dom does not know yet; Chromium, Firefox and Safari have it for private files. */
type Movable = FileSystemFileHandle & { move(name: string): Promise<void> };

/** Bytes that a closed tab may lose: a browser keeps what is written when the file is closed, not before. */
const flushBytes = 4 << 20;

/** Tabs take turns by a lock (cache.ts), so that a name has one unfinished file at most. */
async function privateStore(): Promise<Store> {
  const place = "the browser's private files (OPFS)";
  const root = await globalThis.navigator?.storage?.getDirectory?.();
  if (!root) throw new CacheError(place, "expected a browser with private files (OPFS) and a secure page, got none");
  const opened = telling(place, { open: () => root.getDirectoryHandle("thimble", { create: true }) });
  const folder = await opened.open();
  const orNull = (error: DOMException) => {
    if (error.name === "NotFoundError") return null;
    throw error;
  };
  const begin = async (name: string): Promise<Unfinished> => {
    const handle = (await folder.getFileHandle(`${name}.part`, { create: true })) as Movable;
    let open: FileSystemWritableFileStream | null = null;
    let unsaved = 0;
    const close = async () => {
      await open?.close();
      [open, unsaved] = [null, 0];
    };
    return telling(place, {
      content: () => handle.getFile(),
      async write(position: number, bytes: Uint8Array) {
        open ??= await handle.createWritable({ keepExistingData: true });
        await open.write({ type: "write", position, data: bytes as Uint8Array<ArrayBuffer> });
        unsaved += bytes.length;
        if (unsaved >= flushBytes) await close();
      },
      async settle(fileBytes: number) {
        open ??= await handle.createWritable({ keepExistingData: true });
        await open.truncate(fileBytes);
        await close();
      },
      async publish() {
        await handle.move(name);
        return true;
      },
      leave: close,
    });
  };
  return {
    place,
    ...telling(place, {
      begin,
      async find(name: string) {
        const handle = await folder.getFileHandle(name).catch(orNull);
        return handle ? handle.getFile() : null;
      },
      async distrust(name: string) {
        const handle = (await folder.getFileHandle(name).catch(orNull)) as Movable | null;
        await handle?.move(`${name}.part`);
      },
      async sweep() {
        for await (const entry of folder.values()) {
          if (entry.kind !== "file" || !entry.name.endsWith(".part")) continue;
          const { lastModified } = await (entry as FileSystemFileHandle).getFile();
          if (Date.now() - lastModified > uselessMs) await folder.removeEntry(entry.name).catch(orNull);
        }
      },
      async thin(beginning: string) {
        const files: Dated[] = [];
        for await (const entry of folder.values()) {
          if (entry.kind !== "file" || !isOf(entry.name, beginning)) continue;
          const { lastModified } = await (entry as FileSystemFileHandle).getFile();
          files.push({ name: entry.name, writtenMs: lastModified });
        }
        for (const { name } of surplus(files)) await folder.removeEntry(name).catch(() => {});
      },
    }),
  };
}
