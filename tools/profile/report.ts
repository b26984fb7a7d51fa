/** What `thimble profile` found (schema.json says what each field means), and its tables for a terminal. */
import type { Geometry } from "../../runtime/pack/pack.ts";
import type { BuildName } from "../../wasm/abi.ts";
import type { Board } from "./board.ts";

export interface Report {
  format: 1;
  date: string;
  command: string;
  board: Board;
  model: { name: string; packBytes: number; geometry: Geometry; kernels: BuildName };
  request: { text: string; promptTokens: number; answerTokens: number; forcedTokens: number; calls: number };
  coldStart: { runs: number; totalMs: number; phases: { phase: string; ms: number; rssBytes: number }[] };
  calls: {
    count: number;
    total: Percentiles;
    prefill: Percentiles;
    decode: Percentiles;
    prefillTokensPerSecond: number;
    decodeTokensPerSecond: number;
    startMs: number[];
    totalMs: number[];
  };
  timing: { resolutionMicros: number; readNanos: number; calls: number; kernelCalls: number; overhead: number };
  stages: Line[];
  layers: Line[];
  memory: {
    linearBytes: number;
    peakRssBytes: number;
    regions: { name: string; offsetBytes: number; bytes: number }[];
  };
  allocations: { calls: number; heapBytes: number | null; retainedBytes: number; linearBytes: number };
  system: Series & { unavailable: { temperature: string | null; frequency: string | null; power: string | null } };
  drift: {
    seconds: number;
    change: number;
    windows: { fromMs: number; toMs: number; calls: number; p50Ms: number | null }[];
  };
  energy: { name: string; meanW: number; millijoulesPerCall: number }[];
}

export interface Percentiles {
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  leastMs: number;
  mostMs: number;
}

/** A stage or a layer of a call. */
export interface Line {
  part: "prefill" | "decode";
  name: string;
  p50Ms: number;
  share: number;
}

/** Readings during the run; `values` stand beside `atMs`. */
export interface Series {
  atMs: number[];
  rssBytes: number[];
  cpu: (number | null)[];
  frequencyMHz: (number | null)[];
  temperatureC: { name: string; values: (number | null)[] }[];
  powerW: { name: string; values: (number | null)[] }[];
}
