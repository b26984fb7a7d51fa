/** The public surface of thimble. */

export type { BuildName, Kernels } from "../wasm/abi.ts";
export type { Certainty, Decision, Sureness } from "./answer/decision.ts";
export type { ValueSource } from "./answer/provenance.ts";
export type { Ranked } from "./answer/rank.ts";
export type { ToolCall } from "./answer/toolcall.ts";
export { defaultModel } from "./default.ts";
export { type Deed, type DispatchOptions, dispatch, type Handlers, questionOf } from "./dispatch.ts";
export { detectBuild, kernelModule } from "./engine/kernels.ts";
export { CacheError, CapacityError, FormatError, ToolError } from "./errors.ts";
export type {} from "./hosts.ts";
export type { Json } from "./json.ts";
export type { ReadProgress } from "./kept/kept.ts";
export { type PullOptions, pull } from "./load/cache.ts";
export type { Progress } from "./load/loader.ts";
export type { Source } from "./load/source.ts";
export type { Geometry, PackHeader } from "./pack/pack.ts";
export type { Profile } from "./pack/profile.ts";
export type { PrepareOptions, ReadToolsOptions } from "./prepare.ts";
export type { CallOf, CallOptions, CallResult, Session, Timings, Tools } from "./session.ts";
export { type Limits, type LoadOptions, load, type Thimble } from "./thimble.ts";
export { type Definition, type Definitions, defineTools, type TypedTools } from "./tools/define.ts";
export type { Property, Schema, Warning } from "./tools/schema.ts";
export { type Risk, type Tool, type ToolInput, ToolSet } from "./tools/tools.ts";
export { hashTools } from "./wire/hash.ts";
export { packTools } from "./wire/wire.ts";
export { packCall, packCalls, unpackCall, unpackCalls, type WireCall } from "./wire/wirecall.ts";
export { unpackTools } from "./wire/wireread.ts";
