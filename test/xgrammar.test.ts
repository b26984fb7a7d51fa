/** The corpus of grammar.test.ts in XGrammar, an independent engine: the two agree but where a cause is listed. */
import { expect, test } from "bun:test";
import { Grammar, Testings } from "@mlc-ai/web-xgrammar";
import { type ToolInput, ToolSet } from "../runtime/tools/tools.ts";
import { grammarCases } from "./support.ts";

const cases = await grammarCases();

/** Texts by why XGrammar 0.1.27 differs. "yes": it takes what thimble refuses; "no": it refuses what thimble takes. */
const differences: Record<string, string[]> = {
  "no: keys in declared order alone": [
    '{"ab":true,"b":false,"a":true}',
    '{"v":{"on":true,"at":{"hour":7}}}',
    '{"v":{"n":1,"kids":[{"n":2},{"kids":[],"n":3}]}}',
  ],
  "yes: numbers that a double cannot hold": ['{"n":1234567890123456}', '{"x":1e309}'],
  "yes: a range of integers is held to digit by digit only in part": ['{"v":121}'],
  "yes: multipleOf is ignored": ['{"v":4}', '{"v":0.1}', '{"v":2}'],
  "no: an escape is no character where characters count": ['{"v":"a\\n"}', '{"v":"\\u00e9x"}'],
  "yes: what stands beside anyOf or $ref is ignored": ['{"v":{"y":1}}', '{"v":{"x":1}}', '{"v":4}', '{"v":"x"}'],
  "no: what stands beside anyOf is ignored": ['{"v":{"x":1,"y":2}}'],
  "yes: allOf of several parts is any value": ['{"v":{"a":1}}', '{"v":{"b":"y"}}', '{"v":5}', '{"v":3.5}'],
  "no: allOf of several parts is any value, spaced": ['{"v":{"a":1,"b":"x"}}', '{"v":{"b":"x","a":1}}'],
};
const listed = new Set(
  Object.entries(differences).flatMap(([cause, texts]) =>
    texts.map((text) => `${cause.split(":")[0]} [{"name":"f","arguments":${text}}]`),
  ),
);

/** The whole answer as JSON Schema. */
function answerSchema(tools: ToolInput[]): string {
  const { tools: read } = ToolSet.from(tools);
  const calls = tools.map((tool, i) => ({
    type: "object",
    properties: { name: { const: read[i].promptName }, arguments: tool.inputSchema ?? fromNative(tool.parameters) },
    required: ["name", "arguments"],
  }));
  // References point into the tool's own schema; here that is no longer the root.
  const $defs = Object.assign({}, ...tools.map(({ inputSchema }) => (inputSchema as { $defs?: object })?.$defs));
  return JSON.stringify({ type: "array", $defs, ...(calls.length ? { items: { anyOf: calls } } : { maxItems: 0 }) });
}

function fromNative(parameters: unknown = {}): object {
  const entries = Object.entries(parameters as Record<string, { required?: boolean }>);
  return {
    type: "object",
    properties: Object.fromEntries(entries.map(([name, { required, ...schema }]) => [name, schema])),
    required: entries.filter(([, { required }]) => required).map(([name]) => name),
  };
}

test("XGrammar accepts and rejects what thimble does, but for the differences listed", async () => {
  const found = new Set<string>();
  let agreed = 0;
  for (const { tools, accepted, rejected } of cases) {
    const grammar = await Grammar.fromJSONSchema(answerSchema(tools), false, -1, [",", ":"], true);
    const texts = [
      ...accepted.map((text) => ({ text, taken: true })),
      ...rejected.map((text) => ({ text: text.replace("|", ""), taken: false })),
    ];
    for (const { text, taken } of texts) {
      const theirs = await Testings.isGrammarAcceptString(grammar, text);
      if (theirs === taken) agreed++;
      else found.add(`${theirs ? "yes" : "no"} ${text}`);
    }
    grammar.dispose();
  }
  expect([...found].sort()).toEqual([...listed].sort());
  expect(agreed).toBeGreaterThan(130);
});
