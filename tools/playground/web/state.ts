/** What the page shows, and what moves it: signals, and the one loop from typing to an answer. */
import { batch, computed, signal } from "@preact/signals";
import type { CallResult, TracedToken } from "../../../runtime/index.ts";
import { act, confirm, idle, refused, type Scene } from "./acting.ts";
import { download } from "./file.tsx";
import type { Checked, ModelFacts } from "./messages.ts";
import { call, check, loadModel, type WorkerError } from "./model.ts";
import { type Preset, presets, pretty } from "./presets.ts";
import { readShared, writeShared } from "./share.ts";

/** How long a pause in typing asks for an answer. */
const pauseMs = 120;

export const toolsText = signal("");
export const request = signal("");
/** The preset whose tools stand in the editor unchanged. */
export const preset = signal("");
export const facts = signal<ModelFacts | null>(null);
export const packName = signal("the model inside");
/** 0 … 1 while a pack is on its way. */
export const progress = signal(0);
export const checked = signal<Checked | null>(null);
/** What is wrong with the tools. The last list without a fault stays in force. */
export const toolsFault = signal<WorkerError | null>(null);
export const fault = signal("");

/** An answer, and what it answers. */
export interface Answered {
  request: string;
  tools: string;
  result: CallResult;
  /** Read from a file, not from the model. */
  isReplay?: boolean;
}
export const answered = signal<Answered | null>(null);
export const isBusy = signal(false);
/** How many tokens are shown; all but while a trace is replayed. */
export const shownTokens = signal(Number.POSITIVE_INFINITY);
/** The token, value or word that is pointed at, as a range of the request. */
export const scenes = signal<Scene[]>([idle]);

/** The list that is in force: the last one without a fault. */
export const usable = signal("");
let running: AbortController | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
/** The editor has tools that nobody has read yet. */
let areToolsNew = false;

export const calls = computed(() => answered.value?.result.calls ?? []);
export const tokens = computed<TracedToken[]>(() => answered.value?.result.trace ?? []);

/** The lists to try: those of the page, and the one that its server was given. */
export const lists = signal<Record<string, Preset>>(presets);

export async function start(): Promise<void> {
  const [shared, own] = await Promise.all([readShared(location.hash), ownTools()]);
  const first = own.length ? "own" : "watch";
  batch(() => {
    if (own.length) lists.value = { own: { label: "Yours", tools: own, request: "" }, ...presets };
    const { tools, request: text } = lists.value[first];
    toolsText.value = shared?.tools ?? pretty(tools);
    request.value = shared?.request ?? text;
    if (!shared) preset.value = first;
  });
  // A link that is opened where the page already is loads nothing anew.
  addEventListener("hashchange", () => void openLink());
  await use("./model.thimble", "the model inside");
}

async function openLink(): Promise<void> {
  const shared = await readShared(location.hash);
  if (!shared) return;
  request.value = shared.request;
  takeTools(shared.tools);
}

async function ownTools(): Promise<object[]> {
  try {
    return await (await fetch("./tools.json")).json();
  } catch {
    return [];
  }
}

/** The pack that answers, or whose decoder a tuning stands in for. */
export const pack = signal<{ source: string | Blob; name: string }>({
  source: "./model.thimble",
  name: packName.value,
});

/** Loads a pack, or with a tuning the pack that it was made of, and answers with it. */
export async function use(source: string | Blob, name: string, tuning?: Blob, tuningName?: string): Promise<void> {
  fault.value = "";
  try {
    const loaded = await loadModel("main", source, tuning, ({ loadedBytes, totalBytes }) => {
      progress.value = loadedBytes / totalBytes;
    });
    batch(() => {
      facts.value = loaded;
      pack.value = { source, name };
      packName.value = tuningName ? `${name} with ${tuningName}` : name;
      progress.value = 1;
    });
  } catch (error) {
    fault.value = (error as Error).message;
    return;
  }
  await toolsChanged();
}

/** What a file is to be loaded as: a pack, or the one that is there with a tuning of it. */
export function partsOf(file: File): [source: string | Blob, tuning?: Blob] {
  return file.name.endsWith(".tuning") ? [pack.value.source, file] : [file];
}

export function useFile(file: File): Promise<void> {
  const [source, tuning] = partsOf(file);
  return tuning ? use(source, pack.value.name, tuning, file.name) : use(source, file.name);
}

export function choosePreset(name: string): void {
  const { tools, request: text } = lists.value[name];
  batch(() => {
    preset.value = name;
    toolsText.value = pretty(tools);
    request.value = text;
  });
  void toolsChanged();
}

/** Puts other tools into the editor, and answers with them. */
export function takeTools(text: string): void {
  batch(() => {
    toolsText.value = text;
    preset.value = "";
  });
  void toolsChanged();
}

export function typeTools(text: string): void {
  if (text === toolsText.value) return;
  batch(() => {
    toolsText.value = text;
    preset.value = "";
  });
  areToolsNew = true;
  later();
}

export function typeRequest(text: string): void {
  request.value = text;
  later();
}

/** Answers after a pause; the request may have been typed on while the tools waited for theirs. */
function later(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void (areToolsNew ? toolsChanged() : ask()), pauseMs);
}

async function toolsChanged(): Promise<void> {
  const text = toolsText.value;
  areToolsNew = false;
  try {
    const found = await check(text);
    if (text !== toolsText.value) return;
    batch(() => {
      checked.value = found;
      toolsFault.value = null;
    });
    usable.value = text;
  } catch (error) {
    if (text === toolsText.value) toolsFault.value = error as WorkerError;
  }
  await ask();
}

/** Answers what stands there; a newer request takes the place of one under way. */
export async function ask(): Promise<void> {
  running?.abort();
  const typed = request.value;
  remember();
  if (!facts.value || !usable.value) return;
  if (!typed.trim()) {
    batch(() => {
      answered.value = null;
      scenes.value = [idle];
      fault.value = "";
    });
    return;
  }
  const own = new AbortController();
  const tools = usable.value;
  running = own;
  isBusy.value = true;
  try {
    const result = await call("main", typed, tools, own.signal);
    if (own !== running) return;
    show({ request: typed, tools, result });
  } catch (error) {
    if (own !== running || (error as Error).name === "AbortError") return;
    batch(() => {
      fault.value = (error as Error).message;
      answered.value = null;
    });
  } finally {
    if (own === running) isBusy.value = false;
  }
}

/** Puts an answer on the page, and the devices to work. */
export function show(answer: Answered): void {
  const now = Date.now();
  const shown = answer.result.calls.map((one) => act(one, now));
  batch(() => {
    fault.value = "";
    answered.value = answer;
    shownTokens.value = Number.POSITIVE_INFINITY;
    scenes.value = shown.length ? shown : [refused];
  });
}

/** The wearer's answer to the question that a device asks. */
export function reply(index: number, isYes: boolean): void {
  scenes.value = scenes.value.flatMap((scene, i) => {
    if (i !== index) return [scene];
    return isYes ? [confirm(scene, Date.now())] : [];
  });
  if (!scenes.value.length) scenes.value = [idle];
}

let remembering = 0;
function remember(): void {
  const mine = ++remembering;
  void writeShared({ tools: toolsText.value, request: request.value }).then((fragment) => {
    if (mine === remembering) history.replaceState(null, "", fragment);
  });
}

/** A trace as a file, and back. */
export function saveTrace(): void {
  const answer = answered.value;
  if (!answer) return;
  const { request, tools, result } = answer;
  const text = JSON.stringify({ thimble: "trace", version: 1, request, tools: JSON.parse(tools), result }, null, 1);
  download(new Blob([text], { type: "application/json" }), "trace.json");
}

export async function openTrace(file: Blob): Promise<void> {
  try {
    const { thimble, version, request: text, tools, result } = JSON.parse(await file.text());
    const isWhole = [tools, result?.calls, result?.trace].every(Array.isArray) && result.trace.every(isToken);
    if (thimble !== "trace" || version !== 1 || typeof text !== "string" || !isWhole)
      throw new Error("expected a trace that this page saved, got another file");
    running?.abort();
    running = null;
    batch(() => {
      request.value = text;
      toolsText.value = pretty(tools);
      preset.value = "";
    });
    show({ request: text, tools: JSON.stringify(tools), result, isReplay: true });
    remember();
    replay();
  } catch (error) {
    fault.value = `trace: ${(error as Error).message}`;
  }
}

function isToken(one: unknown): boolean {
  const { text, top } = (one ?? {}) as Partial<TracedToken>;
  return typeof text === "string" && Array.isArray(top);
}

let playing: ReturnType<typeof setInterval> | undefined;
/** Shows the tokens one after another, as slowly as eyes need it. */
export function replay(): void {
  clearInterval(playing);
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  shownTokens.value = 0;
  playing = setInterval(() => {
    if (++shownTokens.value < tokens.value.length) return;
    clearInterval(playing);
    shownTokens.value = Number.POSITIVE_INFINITY;
  }, 120);
}
