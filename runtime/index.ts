/** The public surface of thimble. */
export type { BuildName, Kernels } from "../wasm/abi.ts";
export type { Decision, Profile } from "./answer/decision.ts";
export type { ValueSource } from "./answer/provenance.ts";
export type { Ranked } from "./answer/rank.ts";
export type { Certainty, Sureness, ToolCall } from "./answer/toolcall.ts";
export { detectBuild, kernelModule } from "./engine/kernels.ts";
export { CapacityError, FormatError, ToolError } from "./errors.ts";
export type { Json } from "./json.ts";
export { type PullOptions, pull } from "./load/cache.ts";
export type { Progress } from "./load/loader.ts";
export type { Source } from "./load/source.ts";
export type { Geometry, PackHeader } from "./pack/pack.ts";
export type { CallOptions, CallResult, Session, Timings, Tools } from "./session.ts";
export { defaultModel, type Limits, type LoadOptions, load, type Thimble } from "./thimble.ts";
export type { Property, Schema, Warning } from "./tools/schema.ts";
export { type Risk, type Tool, type ToolInput, ToolSet } from "./tools/tools.ts";
export { hashTools, packTools, unpackTools } from "./wire/wire.ts";
export { packCall, packCalls, unpackCall, unpackCalls, type WireCall } from "./wire/wirecall.ts";
