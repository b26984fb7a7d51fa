/**
 * Who answers where a tuning stands beside its model: the tuned decoder what calls a tool that it learned, the model's own
 * all else. So what a tuning learns costs other tools nothing.
 */
import type { ToolSet } from "../tools/tools.ts";
import { firstName, type Scribe } from "./answer.ts";
import type { Rules } from "./rules.ts";

/** Whether the tuned decoder is to answer; `rules` null: it would answer without a grammar. */
export async function isTaught(
  taught: ReadonlySet<string> | undefined,
  { tools }: ToolSet,
  scribe: Scribe,
  rules: Rules | null,
): Promise<boolean> {
  if (!taught) return true;
  const known = tools.filter(({ promptName }) => taught.has(promptName)).length;
  if (!known) return false;
  if (known === tools.length) return true;
  // Of a mixed list the tuned decoder knows which tool is meant, and how the tools it learned are called.
  const first = rules && (await firstName(scribe, rules));
  return typeof first === "string" && taught.has(first);
}
