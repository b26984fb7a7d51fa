/** The tools that a course teaches, and general requests among them: the tuned decoder is to leave those to the model's own. */
import { snakeCase } from "../../runtime/tools/prompt.ts";
import { ToolSet } from "../../runtime/tools/tools.ts";
import type { FlatTool } from "../data/ground.ts";
import { flatTools } from "../data/line.ts";
import type { Example } from "../eval/examples.ts";
import { resembles, type Shown } from "./redress.ts";

/** Tools that some example calls. */
export function taughtTools(examples: readonly Shown[]): FlatTool[] {
  const called = new Set(examples.flatMap(({ answers }) => answers.map(({ name }) => name)));
  const tools = new Map(examples.flatMap((example) => example.tools.map((tool) => [tool.name, tool])));
  return [...tools.values()].filter(({ name }) => called.has(name));
}

/** Those of the taught tools that could not answer a general request just as well. */
export function strangersTo(shown: Shown, taught: readonly FlatTool[]): FlatTool[] {
  const names = new Set(shown.tools.map(({ name }) => snakeCase(name)));
  return taught.filter((tool) => !names.has(snakeCase(tool.name)) && !resembles(tool, shown));
}

/** A general example with taught tools in its list, to be judged. */
export function amongTaught(example: Example, taught: readonly FlatTool[]): Example {
  const { request, tools, want } = example;
  const named = want.map((call) => ({
    ...call,
    name: tools.tools.find(({ name }) => name === call.name)?.promptName ?? call.name,
  }));
  const some = ToolSet.from(
    JSON.stringify(strangersTo({ query: request, tools: flatTools(tools), answers: named }, taught)),
  );
  const [all, texts] = [
    [...tools.tools, ...some.tools],
    [...tools.texts, ...some.texts],
  ];
  return { ...example, tools: ToolSet.of(all, texts, tools.warnings, `${tools.key} ${some.key}`) };
}
