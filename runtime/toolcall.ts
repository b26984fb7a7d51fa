import type { Json } from "./schema.ts";
import type { Tool } from "./tools.ts";

/** One call, with the tool's own name. */
export interface ToolCall {
  name: string;
  arguments: Record<string, Json>;
}

/** Finished text → calls under the tools' own names. Text that is no call list, which only free decoding can write, gives []. */
export function readCalls(text: string, tools: readonly Tool[]): ToolCall[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(list)) return [];
  return list
    .filter((call) => typeof call?.name === "string")
    .map((call) => ({
      name: tools.find((tool) => tool.promptName === call.name)?.name ?? call.name,
      arguments: call.arguments ?? {},
    }));
}
