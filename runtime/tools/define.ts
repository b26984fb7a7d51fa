/** Tools by name, whose calls the compiler knows. */
import type { ArgumentsOf } from "./infer.ts";
import { type Risk, type ToolOptions, ToolSet } from "./tools.ts";

/** A tool but for its name. */
export interface Definition {
  readonly description?: string;
  readonly risk?: Risk;
  /** Native, as JSON Schema, or an object of a library that yields JSON Schema. */
  readonly parameters?: unknown;
  /** The same under MCP's name. */
  readonly inputSchema?: unknown;
}

export type Definitions = Readonly<Record<string, Definition>>;

declare const defined: unique symbol;

/** A tool set whose tools were defined in code. */
export interface TypedTools<D extends Definitions> extends ToolSet {
  /** For the compiler alone. */
  readonly [defined]?: D;
}

/** The arguments that a definition's calls have. */
export type DefinedArguments<D extends Definition> = "parameters" extends keyof D
  ? ArgumentsOf<D["parameters"]>
  : "inputSchema" extends keyof D
    ? ArgumentsOf<D["inputSchema"]>
    : Record<string, never>;

/**
 * Reads tools by name; calls of the set have names and arguments of their types.
 * Throws: ToolError naming the offending part.
 */
export function defineTools<const D extends Definitions>(tools: D, options: ToolOptions = {}): TypedTools<D> {
  const list = Object.entries(tools).map(([name, { description, parameters, inputSchema, ...rest }]) => ({
    name,
    ...(description !== undefined && { description }),
    ...(inputSchema === undefined ? { parameters: parameters ?? {} } : { inputSchema, parameters }),
    ...rest,
  }));
  return ToolSet.from(list, options);
}
