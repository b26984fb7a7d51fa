/** The course that was left, so that a page that is loaded anew can go on with it: one of all pages of this origin. */
import type { Asked, Left } from "../../finetune/teacher.ts";
import type { Point } from "./course.ts";

/** What is said of it before it is read: its weights are some 19 MB. */
export interface Facts {
  /** Milliseconds since 1970. */
  began: number;
  examples: number;
}

export interface Kept {
  began: number;
  asked: Asked;
  base: { source: string | Blob; name: string };
  points: Point[];
  left: Left;
}

const name = "thimble-course";

/** Resolves once the transaction is through: a full disk shows itself there. */
async function inStore<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(name);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  try {
    const transaction = database.transaction(name, mode);
    return await new Promise((resolve, reject) => {
      const request = work(transaction.objectStore(name));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

export const keep = (course: Kept) =>
  inStore("readwrite", (store) => {
    store.put({ began: course.began, examples: course.left.saved.state.examples } satisfies Facts, "facts");
    return store.put(course, "course");
  });

export const forget = () => inStore("readwrite", (store) => store.clear());

export const leftCourse = () => read<Kept>("course");
export const leftFacts = () => read<Facts>("facts");

/** Of the course that was left; null for none, for one that a page still gives, and where nothing is kept. */
async function read<T>(key: string): Promise<T | null> {
  try {
    const held = (await navigator.locks?.query())?.held ?? [];
    if (held.some((lock) => lock.name === name)) return null;
    return (await inStore<T | undefined>("readonly", (store) => store.get(key))) ?? null;
  } catch {
    return null;
  }
}

/** The right to be the course that is kept: how to give it back, or null where another page has it. */
export function hold(): Promise<(() => Promise<void>) | null> {
  const { locks } = navigator;
  // A page from another machine without TLS has none.
  if (!locks) return Promise.resolve(async () => {});
  return new Promise((resolve) => {
    const over = locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) return resolve(null);
      return new Promise<void>((release) =>
        resolve(() => {
          release();
          return over;
        }),
      );
    }) as Promise<void>;
  });
}
