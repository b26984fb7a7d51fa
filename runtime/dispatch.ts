/** Calls → deeds: run, asked about or left, each as its decision says. */
import type { ToolCall } from "./answer/toolcall.ts";
import { describe } from "./json.ts";
import { snakeCase } from "./tools/prompt.ts";

/** What a call is: its name and arguments alone. */
type AnyCall = ToolCall<string, unknown>;

/** What is done for each tool; gets the arguments, and the call they stand in. */
export type Handlers<C extends AnyCall> = {
  readonly [N in C["name"]]: (args: Extract<C, { name: N }>["arguments"], call: Extract<C, { name: N }>) => unknown;
};

export interface DispatchOptions<C extends AnyCall> {
  /**
   * Asks the user, in such words, before a call whose decision is to confirm it. Without it such a call is left
   * unconfirmed.
   */
  confirm?: (call: C, question: string) => boolean | Promise<boolean>;
  /** Asks the user whether a call was meant of which the model is not sure. Without it such a call is left as unsure. */
  ask?: (call: C, question: string) => boolean | Promise<boolean>;
  /** Checked before each call. */
  signal?: AbortSignal;
}

/** How a call ended. */
export type Deed<C extends AnyCall> = { call: C } & (
  | { ending: "done"; value: unknown }
  | { ending: "failed"; error: unknown }
  /** The user said no. */
  | { ending: "declined" }
  /** Nobody was there to ask. */
  | { ending: "unconfirmed" | "unsure" }
  /** A call before it did not come to be done. */
  | { ending: "left" }
);

/**
 * Runs the calls of a result in their order: at once where their decision is to act, else after the user has said yes.
 * A tool's risk is part of the decision. What follows a call that is not done is left, since it may rest on it.
 * Throws: TypeError for a tool without a handler, before anything runs; the signal's reason on abort.
 */
export async function dispatch<C extends AnyCall>(
  { calls }: { calls: readonly C[] },
  handlers: Handlers<C>,
  options: DispatchOptions<C> = {},
): Promise<Deed<C>[]> {
  const byName = handlers as unknown as Readonly<Record<string, (args: unknown, call: C) => unknown>>;
  for (const { name } of calls)
    if (!Object.hasOwn(byName, name) || typeof byName[name] !== "function")
      throw new TypeError(`handlers: expected a function for ${name}, got ${describe(Object.keys(byName))}; add it`);
  const deeds: Deed<C>[] = [];
  let goesOn = true;
  for (const call of calls) {
    options.signal?.throwIfAborted();
    const deed: Deed<C> = goesOn ? await deedOf(call, byName[call.name], options) : { call, ending: "left" };
    goesOn &&= deed.ending === "done";
    deeds.push(deed);
  }
  return deeds;
}

async function deedOf<C extends AnyCall>(
  call: C,
  handler: (args: unknown, call: C) => unknown,
  { confirm, ask, signal }: DispatchOptions<C>,
): Promise<Deed<C>> {
  if (call.decision !== "act") {
    const asks = call.decision === "confirm" ? confirm : ask;
    if (!asks) return { call, ending: call.decision === "confirm" ? "unconfirmed" : "unsure" };
    if (!(await asks(call, questionOf(call)))) return { call, ending: "declined" };
    signal?.throwIfAborted();
  }
  try {
    return { call, ending: "done", value: await handler(call.arguments, call) };
  } catch (error) {
    return { call, ending: "failed", error };
  }
}

/** What a question needs of a call. */
type Asked = Pick<AnyCall, "name" | "arguments"> & Partial<Pick<AnyCall, "sources">>;

const mostCharacters = 200;

/**
 * A call in words, for the user to say yes or no to: `set timer 10 minutes`. Of a number that is another than what was said, since
 * that does not fit: `set brightness 15 (level at most 100, not 150)`.
 */
export function questionOf({ name, arguments: args, sources = {} }: Asked): string {
  const values = Object.values(args as object).map((value) => (typeof value === "string" ? value : describe(value)));
  const unfit = Object.entries(sources).flatMap(([path, { unfit }]) =>
    unfit ? [`${path.replace(/\[\d+\]/g, "")} ${unfit.expected}, not ${unfit.said}`] : [],
  );
  const reason = unfit.length ? ` (${unfit.join("; ")})`.slice(0, mostCharacters / 2) : "";
  const words = [snakeCase(name).replaceAll("_", " "), ...values].join(" ");
  return words.slice(0, mostCharacters - reason.length) + reason;
}
