/** What is asked of a model's sessions, and the memory that it comes to. */
import { pad } from "../wasm/abi.ts";
import { mostMemoryBytes, pageBytes } from "./engine/memory.ts";
import { planModel } from "./engine/modelplan.ts";
import { octet, planReader, planSession, type SessionLimits } from "./engine/sessionplan.ts";
import { keptBlockBytes } from "./kept/block.ts";
import type { PackHeader } from "./pack/pack.ts";
import { mostToolRows } from "./prompt/apart.ts";

export interface Limits {
  /**
   * Most prompt tokens: request and tools together, or where tools are read apart the request alone. 1,024, which is also
   * the most there can be. Buffers start smaller and grow to what a call needs.
   */
  promptTokens?: number;
  /**
   * Rows of tools that a request may see at once where they are read apart: 1,024, some 16 usual tools; under a memory
   * budget as many of these as it allows. One tool of more than half of them may find no room there to be read.
   */
  toolRows?: number;
  /** Answer tokens; 128, up to 512. */
  answerTokens?: number;
  /**
   * First encoder layers whose work on an unchanged tool list a session keeps; 0, since some answers change with it:
   * `thimble eval --decode grammar,warm=N` says how many.
   */
  warmLayers?: number;
}

/** How memory is shared. */
export interface Budget {
  /**
   * Most bytes of linear memory, sessions included; 2 GiB, which is also the most there can be. Weights that find no
   * room beside the sessions are read from the source whenever a call needs them: same tokens, more slowly.
   */
  memory?: number;
  /** How many sessions of these limits find room in `memory`; 1. */
  sessions?: number;
  /**
   * Most bytes of linear memory for tools that were read apart; 32 MiB. The least recently used are forgotten, and read again
   * when they are needed. The `toolRows` rows of a session's call find room whatever this says.
   */
  toolMemory?: number;
}

/** Rows of the prompt that any session may be asked for. */
export const mostPromptTokens = 1024;

const mostAnswerTokens = 512;
/** Rows of tools read in one walk over the layers. */
export const mostRowsATurn = 128;

/** Prompt tokens that buffers start with: a joint prompt of some usual tools, or a request. */
const firstTokens = { joint: 384, apart: 64 } as const;

/** Memory comes in pages: what does not fill one is left out. Throws: RangeError for a budget that is no number. */
export function mostBytesOf({ memory = mostMemoryBytes }: Budget): number {
  if (!(memory > 0)) throw new RangeError(`memory: expected bytes, got ${memory}`);
  return Math.floor(Math.min(memory, mostMemoryBytes) / pageBytes) * pageBytes;
}

/** Throws: RangeError for limits out of range. */
export function limitsOf(limits: Limits, fallback: Limits): Required<Limits> {
  const check = (name: keyof Limits, usual: number, least: number, most: number): number =>
    integer(name, limits[name] ?? fallback[name] ?? usual, least, most);
  return {
    promptTokens: check("promptTokens", mostPromptTokens, 8, mostPromptTokens),
    answerTokens: check("answerTokens", 128, 8, mostAnswerTokens),
    warmLayers: check("warmLayers", 0, 0, 255),
    toolRows: pad(check("toolRows", 1024, octet, mostToolRows), octet),
  };
}

/** What a session's first arena of a model is planned for. Throws: RangeError for limits that the model has no use for. */
export function firstLimits(
  { prompt = "joint", geometry }: PackHeader,
  limits: Limits = {},
  fallback: Limits & Budget = {},
) {
  const { promptTokens, answerTokens, warmLayers, toolRows } = limitsOf(limits, fallback);
  if (warmLayers && prompt === "apart") {
    throw new RangeError(`warmLayers: expected 0 for a model that reads tools apart, got ${warmLayers}`);
  }
  if (warmLayers >= geometry.nEncoderLayers) {
    const most = geometry.nEncoderLayers - 1;
    throw new RangeError(`warmLayers: expected at most ${most} of this model's layers, got ${warmLayers}`);
  }
  // Within a budget what was asked for has its room from the start, or nothing could promise it.
  const asked = fallback.memory === undefined ? undefined : (limits.promptTokens ?? fallback.promptTokens);
  const first = asked ?? Math.min(promptTokens, firstTokens[prompt]);
  return { promptTokens: first, answerTokens, warmLayers, toolRows: prompt === "apart" ? toolRows : 0 };
}

/** Bytes that sessions, each with the tools of a call, take beside the model. */
export function bytesBeside(header: PackHeader, limits: SessionLimits, sessions: number): number {
  const { geometry, toolAt = 0 } = header;
  const arenas = sessions * pad(planSession(geometry, limits).endBytes, 64);
  const { toolRows, threads } = limits;
  if (!toolRows) return arenas;
  const rows = Math.min(toolRows, mostRowsATurn);
  const reader = planReader(geometry, { rows, keys: rows, toolAt, threads }).endBytes;
  return arenas + sessions * leastToolBytes(header, toolRows) + pad(reader, 64);
}

/** Least memory that a pack loads into without other limits: weights pass through a ring, a call sees few rows of tools. */
export function leastMemory(header: PackHeader): number {
  const limits = { ...firstLimits(header), threads: 1 };
  const toolRows = limits.toolRows / (rowParts.at(-1) as number);
  const bytes = pad(planModel(header, 0).endBytes, 64) + bytesBeside(header, { ...limits, toolRows }, 1);
  return pad(bytes, pageBytes);
}

/** Parts of its rows of tools that a session has within a budget, the first that find room. */
const rowParts = [1, 2, 4, 8];

/** Rows of tools for a budget: what all weights leave room for; where weights must stream anyway, what the least leave. */
export function rowsWithin(header: PackHeader, limits: SessionLimits, sessions: number, mostBytes: number): number {
  if (!limits.toolRows) return 0;
  const halves = rowParts.map((part) => limits.toolRows / part);
  // The least takes long to plan, and is asked for under a small budget alone.
  const fitting = (rows: number[], roomBytes: number) => {
    const weightBytes = pad(planModel(header, roomBytes).endBytes, 64);
    return rows.find((toolRows) => weightBytes + bytesBeside(header, { ...limits, toolRows }, sessions) <= mostBytes);
  };
  return fitting(halves.slice(0, 2), mostMemoryBytes) ?? fitting(halves.slice(1), 0) ?? (halves.at(-1) as number);
}

/** Bytes of the tools that one call may see, however short they are. */
function leastToolBytes({ geometry }: PackHeader, toolRows: number): number {
  return (toolRows / octet) * pad(keptBlockBytes(geometry, octet), 64);
}

/** Bytes that kept tools may take. Throws: RangeError for a budget that is no number. */
export function toolBytes(header: PackHeader, options: Limits & Budget): number {
  const { toolMemory = 32 * 2 ** 20 } = options;
  if (!(toolMemory >= 0)) throw new RangeError(`toolMemory: expected bytes, got ${toolMemory}`);
  return Math.max(toolMemory, leastToolBytes(header, limitsOf(options, {}).toolRows));
}

/** Throws: RangeError for a value that is none, or out of range. */
export function integer(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${name}: expected an integer from ${least} to ${most}, got ${value}`);
}
