/** Where packs from the web are kept: the user's cache folder under Node and Bun, the origin's private files in browsers. */
import { fileSystem, hasFiles } from "./files.ts";
import type { Source } from "./source.ts";

/** Files by name. A name has one whole file, seen by all processes or tabs at once, and unfinished ones that nobody shares. */
export interface Store {
  /** What a name's whole file is for `load`; null if there is none. */
  find(name: string): Promise<Source | null>;
  /** An unfinished file: what somebody left, or an empty one. */
  begin(name: string): Promise<Unfinished>;
  remove(name: string): Promise<void>;
}

export interface Unfinished {
  /** What has been written, for `openRandom`. */
  content(): Promise<Source>;
  write(offsetBytes: number, bytes: Uint8Array): Promise<void>;
  /** Makes it the name's whole file, of this length. */
  finish(fileBytes: number): Promise<void>;
  /** Keeps it for whoever begins next. */
  leave(): Promise<void>;
}

/** Throws: Error where the host has no place to keep files. */
export async function openStore(): Promise<Store> {
  return hasFiles() ? folderStore(cacheFolder()) : privateStore();
}

/** Throws: Error if the environment names no home. Source: XDG Base Directory Specification, and each system's habit. */
export function cacheFolder(
  env: Record<string, string | undefined> = process.env,
  platform: string = process.platform,
): string {
  const home = env.HOME ?? env.USERPROFILE;
  const usual = { darwin: `${home}/Library/Caches`, win32: env.LOCALAPPDATA ?? `${home}/AppData/Local` }[platform];
  // The specification: a path that is not absolute is ignored.
  const named = env.XDG_CACHE_HOME?.startsWith("/") ? env.XDG_CACHE_HOME : undefined;
  if (!named && !home) throw new Error("cache: expected HOME or XDG_CACHE_HOME in the environment, got neither");
  return `${named ?? usual ?? `${home}/.cache`}/thimble`;
}

/**
 * Unfinished files are `NAME.OWNER.part`, where the owner is a process and a number in it, or `free`. Taking one over is
 * renaming it, which one taker alone can do; finishing one is renaming it to NAME, over whatever another has finished.
 */
async function folderStore(folder: string): Promise<Store> {
  const { promises: fs } = await fileSystem();
  await fs.mkdir(folder, { recursive: true });
  const path = (file: string) => `${folder}/${file}`;
  const orNull = (error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  };
  return {
    async find(name) {
      return (await fs.stat(path(name)).catch(orNull)) && path(name);
    },
    async begin(name) {
      const own = path(`${name}.${process.pid}-${++begun}.part`);
      for (const file of await fs.readdir(folder)) {
        const owner = file.startsWith(`${name}.`) && file.match(/\.(free|(\d+)-\d+)\.part$/);
        if (!owner || (owner[2] && isAlive(Number(owner[2])))) continue;
        const taken = await fs.rename(path(file), own).then(() => true, orNull);
        if (taken) break;
      }
      const file = await fs
        .open(own, "a")
        .then((made) => made.close())
        .then(() => fs.open(own, "r+"));
      return {
        content: async () => own,
        async write(offsetBytes, bytes) {
          await file.write(bytes, 0, bytes.length, offsetBytes);
        },
        async finish(fileBytes) {
          await file.truncate(fileBytes);
          await file.sync();
          await file.close();
          await fs.rename(own, path(name));
        },
        async leave() {
          await file.close();
          await fs.rename(own, path(`${name}.free.part`)).catch(orNull);
        },
      };
    },
    async remove(name) {
      await fs.rm(path(name), { force: true });
    },
  };
}

let begun = 0;

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
  const root = await globalThis.navigator?.storage?.getDirectory?.();
  if (!root) throw new Error("cache: expected a browser with private files (OPFS) and a secure page, got none");
  const folder = await root.getDirectoryHandle("thimble", { create: true });
  const orNull = (error: DOMException) => {
    if (error.name === "NotFoundError") return null;
    throw error;
  };
  return {
    async find(name) {
      const handle = await folder.getFileHandle(name).catch(orNull);
      return handle ? handle.getFile() : null;
    },
    async begin(name) {
      const handle = (await folder.getFileHandle(`${name}.part`, { create: true })) as Movable;
      let open: FileSystemWritableFileStream | null = null;
      let unsaved = 0;
      const close = async () => {
        await open?.close();
        [open, unsaved] = [null, 0];
      };
      return {
        content: () => handle.getFile(),
        async write(position, bytes) {
          open ??= await handle.createWritable({ keepExistingData: true });
          await open.write({ type: "write", position, data: bytes as Uint8Array<ArrayBuffer> });
          unsaved += bytes.length;
          if (unsaved >= flushBytes) await close();
        },
        async finish(fileBytes) {
          open ??= await handle.createWritable({ keepExistingData: true });
          await open.truncate(fileBytes);
          await close();
          await handle.move(name);
        },
        leave: close,
      };
    },
    async remove(name) {
      await folder.removeEntry(name).catch(orNull);
    },
  };
}
