/** Calls as somebody types them, a line each: `set_timer {"duration": "5 minutes"}`; no line where no tool fits. */
import type { Call } from "../../data/ground.ts";

export function writeCalls(calls: readonly Call[]): string {
  return calls.map(({ name, arguments: args }) => `${name} ${JSON.stringify(args)}`).join("\n");
}

/** Throws: Error for a line that is no call. */
export function readCalls(text: string): Call[] {
  return text
    .split("\n")
    .filter((line) => line.trim())
    .map((line) => {
      const [, name, args] = /^\s*([^{]*?)\s*(\{.*)?$/.exec(line) ?? [];
      if (!name) throw new Error(`expected a call such as name {"key": "value"}, got ${JSON.stringify(line)}`);
      try {
        return { name, arguments: JSON.parse(args ?? "{}") };
      } catch (error) {
        throw new Error(`${name}: expected its arguments as a JSON object: ${(error as Error).message}`);
      }
    });
}

/** The tool that the first call names; undefined for none. */
export const firstTool = (text: string): string | undefined => /^\s*([^{\n]*[^{\s])/.exec(text)?.[1];
