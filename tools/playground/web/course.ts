/** A course as the page follows it: in a thread of its own, or on the machine that serves it. */
import { batch, computed, signal } from "@preact/signals";
import type { Report, Stage } from "../../finetune/course.ts";
import type { Asked, Left, Order, Progress, Said } from "../../finetune/teacher.ts";
import type { Look } from "../../finetune/trainer.ts";
import { type Facts, forget, hold, type Kept, keep, leftCourse, leftFacts } from "./keep.ts";
import { givenRows, lists, openTeacher, putBack } from "./lesson.ts";
import { pack, use } from "./state.ts";

export type Place = "page" | "server";

export interface Running {
  place: Place;
  stage: Stage | null;
  /** 0 … 1 of the stage. */
  share: number;
  step: Extract<Progress, { event: "step" }> | null;
  isStopping: boolean;
}

export interface Outcome {
  report: Report;
  tuning: Blob;
  /** The same as a whole pack. */
  whole: Blob;
  /** What it was made of. */
  base: { source: string | Blob; name: string };
}

/** Of the curve: by examples shown, loss of late, loss and exact answers at a look. */
export interface Point {
  examples: number;
  loss: number | null;
  heldLoss: number | null;
  exact: number | null;
}

export const running = signal<Running | null>(null);
export const points = signal<Point[]>([]);
export const looks = computed(() => points.value.filter(({ exact }) => exact !== null));
export const notes = signal<string[]>([]);
export const trouble = signal("");
export const outcome = signal<Outcome | null>(null);
/** A course that was left, and can be gone on with. */
export const offered = signal<Facts | null>(null);
/** Whether the machine that serves the page gives courses: an exported page has none behind it. */
export const hasServer = signal(false);
export const place = signal<Place>("page");

const root = "./thimble/tunes";
/** Ends what goes on, in either place; what was learned is kept by `stop`, and by `cancel` not. */
let hand: { stop(): void; cancel(): void } | null = null;

/** Looks for a course that the server gives or gave, as after a reload. */
export async function findServer(): Promise<void> {
  try {
    const answer = await fetch(root);
    if (!answer.ok) return;
    const { id } = await answer.json();
    hasServer.value = true;
    if (id && !running.value && !outcome.value) follow(id);
  } catch {
    // No server, or not ours.
  }
}

/** Looks for a course that was left, as by a reload. */
export async function findLeft(): Promise<void> {
  offered.value = running.value ? null : await leftFacts();
}

/** Goes on with the course that was left, with its examples in the table. */
export async function goOn(): Promise<void> {
  const found = await leftCourse();
  if (!found || running.value) return findLeft();
  putBack(found.asked.lists, found.asked.examples);
  await startHere(found.asked, found);
}

export async function dismiss(): Promise<void> {
  await forget();
  offered.value = null;
}

export async function start(minutes: number): Promise<void> {
  const asked: Asked = {
    lists: lists(),
    examples: givenRows(),
    seed: 1,
    threads: Math.min(4, navigator.hardwareConcurrency || 1),
    minutes,
    most: null,
  };
  if (place.value === "server" && isServers()) await startThere(asked);
  else await startHere(asked);
}

/** The server teaches the pack that it serves. */
export const isServers = (): boolean => hasServer.value && typeof pack.value.source === "string";

function begin(where: Place): void {
  batch(() => {
    running.value = { place: where, stage: null, share: 0, step: null, isStopping: false };
    points.value = [];
    notes.value = [];
    trouble.value = "";
    outcome.value = null;
  });
}

async function startHere(asked: Asked, from?: Kept): Promise<void> {
  begin("page");
  // It goes on or gives place; what is left at the end is looked for then.
  offered.value = null;
  if (from) points.value = from.points;
  const base = from?.base ?? pack.value;
  const keeping = keeper({ began: from?.began ?? Date.now(), asked, base }, from !== undefined);
  const worker = openTeacher();
  const end = (isOver = true) => {
    worker.terminate();
    hand = null;
    running.value = null;
    void keeping.end(isOver);
  };
  hand = { stop: () => worker.postMessage({ do: "stop" } satisfies Order), cancel: end };
  worker.onmessage = ({ data }: MessageEvent<Said>) => {
    if ("id" in data) return;
    if (data.event === "left") void keeping.keep(data.left);
    else if (data.event !== "done") take(data);
    else {
      const { report, tuning, pack: whole } = data;
      outcome.value = { report, tuning: blobOf(tuning), whole: blobOf(whole), base };
    }
    if (data.event === "done" || data.event === "failed") end(data.event === "done");
  };
  worker.onerror = ({ message }) => {
    take({ event: "failed", message: message || "the thread that teaches did not start" });
    end(false);
  };
  try {
    const bytes =
      typeof base.source === "string"
        ? await (await fetch(base.source)).arrayBuffer()
        : await base.source.arrayBuffer();
    const order = { do: "teach", pack: new Uint8Array(bytes), asked, keeps: true } as const;
    worker.postMessage({ ...order, ...(from && { left: from.left }) } satisfies Order);
  } catch (error) {
    take({ event: "failed", message: (error as Error).message });
    end(false);
  }
}

/** Keeps a course for a page that is loaded anew, till it is over. `isKept`: it is one that was. */
function keeper(course: Omit<Kept, "points" | "left">, isKept: boolean) {
  const held = hold();
  let isEnded = false;
  const tell = (text: string) => {
    if (!isEnded && !notes.value.includes(text)) notes.value = [...notes.value, text];
  };
  void held.then((release) => release ?? tell("Another page's course is kept: this one ends with its page."));
  return {
    async keep(left: Left): Promise<void> {
      if (!(await held) || isEnded) return;
      try {
        await keep({ ...course, points: points.value, left });
        isKept = true;
      } catch (error) {
        tell(`It cannot be kept here, and ends with this page: ${(error as Error).message}`);
      }
    },
    async end(isOver: boolean): Promise<void> {
      isEnded = true;
      const release = await held;
      if (isOver && isKept) await forget().catch(() => {});
      await release?.();
      await findLeft();
    },
  };
}

async function startThere(asked: Asked): Promise<void> {
  begin("server");
  try {
    const answer = await fetch(root, { method: "POST", body: JSON.stringify(asked) });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error.message);
    follow(told.id);
  } catch (error) {
    trouble.value = (error as Error).message;
    running.value = null;
  }
}

/** A course on the server, from its beginning. */
function follow(id: string): void {
  if (!running.value) begin("server");
  // What is read anew after a lost connection goes on after the last that came.
  const events = new EventSource(`${root}/${id}/events`);
  const end = () => {
    events.close();
    hand = null;
    running.value = null;
  };
  const send = (path: string, method: string) => void fetch(`${root}/${id}${path}`, { method }).catch(() => {});
  hand = {
    stop: () => send("/stop", "POST"),
    cancel: () => {
      send("", "DELETE");
      end();
    },
  };
  for (const name of ["stage", "note", "answered", "step", "look", "failed"] as const)
    events.addEventListener(name, ({ data }) => {
      take(JSON.parse(data));
      if (name === "failed") end();
    });
  events.addEventListener("done", async ({ data }) => {
    const { report } = JSON.parse(data);
    events.close();
    try {
      const [tuning, whole] = await Promise.all(
        ["tuning", "pack"].map(async (name) => (await fetch(`${root}/${id}/${name}`)).blob()),
      );
      outcome.value = { report, tuning, whole, base: pack.value };
    } catch (error) {
      trouble.value = (error as Error).message;
    }
    end();
  });
}

const blobOf = (bytes: Uint8Array): Blob => new Blob([bytes as Uint8Array<ArrayBuffer>]);

function take(said: Progress): void {
  const now = running.value;
  if (!now) return;
  batch(() => {
    if (said.event === "stage") running.value = { ...now, stage: said.stage, share: 0 };
    if (said.event === "answered") running.value = { ...now, share: said.share };
    if (said.event === "note") notes.value = [...notes.value, said.text];
    if (said.event === "failed") trouble.value = said.message;
    if (said.event === "step") {
      running.value = { ...now, step: said, share: said.done };
      add({ examples: said.examples, loss: said.loss, heldLoss: null, exact: null });
    }
    if (said.event === "look") addLook(said.look);
  });
}

function addLook({ examples, loss, exact }: Look): void {
  add({ examples, loss: null, heldLoss: loss, exact });
}

/** Points of one place are one. */
function add(point: Point): void {
  const last = points.value.at(-1);
  const isSame = last?.examples === point.examples;
  const merged = isSame
    ? {
        ...point,
        loss: point.loss ?? last.loss,
        heldLoss: point.heldLoss ?? last.heldLoss,
        exact: point.exact ?? last.exact,
      }
    : point;
  points.value = [...(isSame ? points.value.slice(0, -1) : points.value), merged];
}

export function stop(): void {
  if (!running.value) return;
  running.value = { ...running.value, isStopping: true };
  hand?.stop();
}

export function cancel(): void {
  hand?.cancel();
  running.value = null;
}

/** Answers with what was learned, or with the model as it was. */
export async function tryIt(isTaught: boolean): Promise<void> {
  const taught = outcome.value;
  if (!taught) return;
  const { source, name } = taught.base;
  await (isTaught ? use(source, name, taught.tuning, "what it learned") : use(source, name));
}
