/** The examples that the model shall learn: rows, where they come from, and what is wrong with them. */
import { batch, computed, effect, signal } from "@preact/signals";
import type { Call } from "../../data/ground.ts";
import type { Fault, Given, Order, Said } from "../../finetune/teacher.ts";
import { readCalls, writeCalls } from "./calls.ts";
import { download } from "./file.tsx";
import { usable } from "./state.ts";

export interface Row {
  id: number;
  query: string;
  /** As `readCalls` takes them. */
  calls: string;
  /** Place of its tools among the lists. */
  tools: number;
  fault: Fault | null;
}

/** More than a course shows in half an hour. */
export const mostRows = 10_000;

export const rows = signal<Row[]>([]);
export const problem = signal("");
export const isMaking = signal(false);
/** Tool lists that rows came with; the first is the editor's. */
const others: string[] = [];
export const lists = (): string[] => [usable.value, ...others];

export const faulty = computed(() => rows.value.filter(({ fault }) => fault && !fault.isOut).length);
export const left = computed(() => rows.value.filter(({ fault }) => fault?.isOut).length);

let lastId = 0;
let seed = 1000;
const waiting = new Map<number, { resolve: (said: Said) => void; reject: (error: Error) => void }>();
let helper: Worker | null = null;

/** A thread that teaches, as the package has it. */
export const openTeacher = (): Worker =>
  new Worker(new URL("./tools/finetune/teacher.js", document.baseURI), { type: "module" });

function ask(order: Extract<Order, { id: number }>): Promise<Said> {
  if (!helper) {
    helper = openTeacher();
    helper.onmessage = ({ data }: MessageEvent<Said>) => {
      if (!("id" in data)) return;
      const asked = waiting.get(data.id);
      waiting.delete(data.id);
      if (data.event === "refused") asked?.reject(new Error(data.message));
      else asked?.resolve(data);
    };
    helper.onerror = ({ message }) => {
      helper = null;
      for (const { reject } of waiting.values()) reject(new Error(message || "the generator did not load"));
      waiting.clear();
    };
  }
  helper.postMessage(order);
  return new Promise((resolve, reject) => waiting.set(order.id, { resolve, reject }));
}

/** Makes examples for the tools in force, and puts them behind those that are there. */
export async function makeRows(count: number): Promise<void> {
  batch(() => {
    problem.value = "";
    isMaking.value = true;
  });
  try {
    const said = await ask({ do: "make", id: ++lastId, tools: usable.value, count, seed: seed++ });
    if (said.event === "made") add(said.examples);
  } catch (error) {
    problem.value = (error as Error).message;
  } finally {
    isMaking.value = false;
  }
}

function add(given: readonly Given[]): number {
  const known = new Set(rows.value.map(({ query, calls }) => `${query}\n${calls}`));
  const fresh = given
    .map(({ query, answers, tools }) => ({ id: ++lastId, query, calls: writeCalls(answers), tools, fault: null }))
    .filter(({ query, calls }) => !known.has(`${query}\n${calls}`));
  const room = Math.max(0, mostRows - rows.value.length);
  if (fresh.length > room)
    problem.value = `${mostRows.toLocaleString("en")} examples are the most: the last ${fresh.length - room} are left out`;
  const taken = fresh.slice(0, room);
  rows.value = [...rows.value, ...taken];
  void check(taken.map(({ id }) => id));
  return taken.length;
}

/** Takes JSON lines of {query, tools?, answers}, or a JSON list of them; what is none of them is named. */
export function paste(text: string, place = ""): number {
  problem.value = "";
  const faults: string[] = [];
  const given: Given[] = [];
  const read = (value: Record<string, unknown>) => {
    const unpacked = (one: unknown) => (typeof one === "string" ? JSON.parse(one) : one);
    const answers = unpacked(value?.answers);
    if (typeof value?.query !== "string" || !Array.isArray(answers))
      throw new Error("expected {query, answers}, with tools or for those in the editor");
    const calls = answers.map((call: Call | null) => {
      if (typeof call?.name !== "string") throw new Error("expected answers of {name, arguments}");
      return { name: call.name, arguments: call.arguments ?? {} };
    });
    given.push({ query: value.query, answers: calls, tools: placeOf(unpacked(value.tools)) });
  };
  const whole = /^\s*\[/.test(text) ? listOf(text) : null;
  const parts: (() => unknown)[] = whole
    ? whole.map((one) => () => one)
    : text.split("\n").map((line) => () => (line.trim() ? JSON.parse(line) : null));
  for (const [i, part] of parts.entries()) {
    try {
      const value = part();
      if (value !== null) read(value as Record<string, unknown>);
    } catch (error) {
      faults.push(`${place}${whole ? "example" : "line"} ${i + 1}: ${(error as Error).message}`);
    }
  }
  const count = add(given);
  if (faults.length) problem.value = `${faults[0]}${faults.length > 1 ? `; ${faults.length} are none in all` : ""}`;
  return count;
}

function listOf(text: string): unknown[] | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The place of a row's own tools among the lists. */
function placeOf(tools: unknown): number {
  if (tools === undefined) return 0;
  const text = JSON.stringify(tools);
  if (!others.includes(text) && text !== sameText(usable.value)) others.push(text);
  return others.indexOf(text) + 1;
}

/** A list's text without its blanks. */
function sameText(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}

/** Puts the examples of a course back, each with the tools that it had. */
export function putBack(all: readonly string[], given: readonly Given[]): void {
  const places = all.map((text) => placeOf(JSON.parse(text)));
  add(given.map((one) => ({ ...one, tools: places[one.tools] })));
}

export function edit(id: number, change: Partial<Pick<Row, "query" | "calls">>): void {
  rows.value = rows.value.map((row) => (row.id === id ? { ...row, ...change } : row));
  void check([id]);
}

export function addRow(): number {
  const id = ++lastId;
  rows.value = [...rows.value, { id, query: "", calls: "", tools: 0, fault: null }];
  return id;
}

export function remove(id: number): void {
  rows.value = rows.value.filter((row) => row.id !== id);
}

export function clear(): void {
  batch(() => {
    rows.value = [];
    problem.value = "";
  });
}

/** What a row is as an example; its fault where its calls cannot be read. */
function givenOf({ query, calls, tools }: Row): Given | Fault {
  try {
    return { query, answers: readCalls(calls), tools };
  } catch (error) {
    return { field: "calls", message: (error as Error).message };
  }
}

/** Finds what is wrong with some rows; a row that was edited meanwhile is left to its own check. */
async function check(ids: readonly number[]): Promise<void> {
  const some = new Set(ids);
  const asked = rows.value.filter(({ id }) => some.has(id));
  const read = asked.map(givenOf);
  const examples = read.filter((one): one is Given => "query" in one);
  const said = examples.length
    ? await ask({ do: "check", id: ++lastId, lists: lists(), examples }).catch((error: Error) => {
        problem.value = error.message;
        return null;
      })
    : { event: "checked" as const, faults: [] };
  if (said?.event !== "checked") return;
  let at = 0;
  const faults = new Map(
    asked.map((row, i): [number, { row: Row; fault: Fault | null }] => {
      const one = read[i];
      return [row.id, { row, fault: "query" in one ? said.faults[at++] : one }];
    }),
  );
  rows.value = rows.value.map((row) => {
    const found = faults.get(row.id);
    const isSame = found && found.row.query === row.query && found.row.calls === row.calls;
    return isSame ? { ...row, fault: found.fault } : row;
  });
}

/** Other tools in the editor: its rows may fit no more. */
let checking: ReturnType<typeof setTimeout> | undefined;
effect(() => {
  void usable.value;
  clearTimeout(checking);
  checking = setTimeout(() => void check(rows.peek().flatMap(({ id, tools }) => (tools === 0 ? [id] : []))), 300);
});

/** All rows as examples, those that are left out too: what is wrong with them is said where they are learned. */
export function givenRows(): Given[] {
  return rows.value.map(givenOf).filter((one): one is Given => "query" in one);
}

export function saveRows(): void {
  const all = lists().map((text) => JSON.parse(text));
  const lines = givenRows().map(({ query, answers, tools }) => JSON.stringify({ query, tools: all[tools], answers }));
  download(new Blob([`${lines.join("\n")}\n`], { type: "application/jsonl" }), "examples.jsonl");
}
