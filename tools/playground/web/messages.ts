/** What the page and its worker say to each other. */
import type { CallResult, Progress, Warning } from "../../../runtime/index.ts";

/** Which of the packs that are loaded. */
export type Slot = "main" | "other";

/** Who answers examples: a pack, or a server of OpenAI's API. */
export type Side = Slot | { url: string; model: string };

export interface Compared {
  request: string;
  /** The answer, a call a line; what went wrong, if there is none. */
  answer: string;
  /** As the example wants it; null for an example that does not say. */
  exact: boolean | null;
}

export interface ModelFacts {
  bytes: number;
  build: string;
  threads: number;
  params: string;
  /** How the model sees tools. */
  prompt: string;
  licence: string;
}

export type ToWorker =
  | { kind: "load"; id: number; slot: Slot; source: string | Blob; tuning?: Blob }
  | { kind: "call"; id: number; slot: Slot; request: string; tools: string | Uint8Array; trace: boolean }
  | { kind: "compare"; id: number; side: Side; example: string }
  | { kind: "check"; id: number; tools: string }
  | { kind: "abort"; id: number };

export interface Fault {
  name: string;
  message: string;
  /** Of a ToolError: the part of the list that is wrong. */
  path?: string;
}

export interface Checked {
  tools: { name: string; risk: string; parameters: string[] }[];
  warnings: Warning[];
}

export type FromWorker =
  | { kind: "progress"; id: number; progress: Progress }
  | { kind: "loaded"; id: number; facts: ModelFacts }
  | { kind: "result"; id: number; result: CallResult }
  | { kind: "compared"; id: number; compared: Compared }
  | { kind: "checked"; id: number; checked: Checked }
  | { kind: "failed"; id: number; fault: Fault };
