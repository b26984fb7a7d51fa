/** The public surface of thimble. */
export type { BuildName, Kernels } from "../wasm/abi.ts";
export { type PullOptions, pull } from "./cache.ts";
export type { Decision, Profile, Risk } from "./decision.ts";
export { CapacityError, FormatError, ToolError } from "./errors.ts";
export type { Json } from "./json.ts";
export { detectBuild, kernelModule } from "./kernels.ts";
export type { Progress } from "./loader.ts";
export type { Geometry, PackHeader } from "./pack.ts";
export type { ValueSource } from "./provenance.ts";
export type { Ranked } from "./rank.ts";
export type { Property, Schema, Warning } from "./schema.ts";
export type { CallOptions, CallResult, Session, Timings, Tools } from "./session.ts";
export type { Source } from "./source.ts";
export { defaultModel, type Limits, type LoadOptions, load, type Thimble } from "./thimble.ts";
export type { Certainty, Sureness, ToolCall } from "./toolcall.ts";
export { type Tool, type ToolInput, ToolSet } from "./tools.ts";
export { hashTools, packTools, unpackTools } from "./wire.ts";
export { packCall, packCalls, unpackCall, unpackCalls, type WireCall } from "./wirecall.ts";
