import { defaultModel } from "../runtime/default.ts";
import { PackStream } from "../runtime/load/loader.ts";
import { Tokenizer } from "../runtime/text/tokenizer.ts";
import { type Command, print, readText, table, UsageError } from "./command.ts";
import { descriptionCosts, type Finding, findAll, roomOf } from "./lint/rules.ts";
import { pathOf, readSheet, type Sheet } from "./lint/sheet.ts";

export interface Report {
  path: string;
  promptLimit: number;
  /** The tools' tokens, the request not counted. */
  promptTokens: number;
  /** Of the limit, 0 to 1 and above. */
  share: number;
  /** Tokens left for the request; below 1 no call is possible. */
  requestRoom: number;
  tools: { path: string; name: string; promptName: string; tokens: number; share: number }[];
  /** The dearest five. */
  descriptions: { path: string; tokens: number; text: string }[];
  findings: Finding[];
  errors: number;
  warnings: number;
  hints: number;
}

export const lint: Command = {
  help: `thimble lint TOOLS [--model PACK] [--prompt N] [--json] [--strict]

Counts the tokens of each tool and what they leave for the request, then lists what makes calls fail, each with the
text to write instead. TOOLS: a file in any form that run takes, - for standard input.
Exit code 1 if there is an error.

  --model PACK   whose tokens to count (the model inside the package)
  --prompt N     prompt tokens that the model will be loaded with (384)
  --json         print one object; a finding's rewrite is new JSON for one place of the list
  --strict       exit code 1 for warnings too

  thimble lint tools.json --strict`,
  options: {
    model: { type: "string" },
    prompt: { type: "string" },
    json: { type: "boolean" },
    strict: { type: "boolean" },
  },
  async run(input) {
    const [path, ...more] = input.words;
    if (path === undefined || more.length)
      throw new UsageError(
        `lint: expected one file of tools, got ${input.words.length}; name one, or - for standard input`,
      );
    const promptLimit = input.integer("prompt", 8, 1024) ?? 384;
    const text = readText(path);
    const { header } = await PackStream.open(input.text("model") ?? defaultModel());
    const report = reportOf(path, readSheet(text, new Tokenizer(header.pieces), promptLimit));
    print(input.flag("json") ? JSON.stringify(report) : render(report));
    if (report.errors || (input.flag("strict") && report.warnings)) process.exitCode = 1;
  },
};

export function reportOf(path: string, sheet: Sheet): Report {
  const { promptLimit, promptTokens, entries, shares } = sheet;
  const findings = findAll(sheet);
  const count = (severity: string) => findings.filter((finding) => finding.severity === severity).length;
  return {
    path,
    promptLimit,
    promptTokens,
    share: promptTokens / promptLimit,
    requestRoom: roomOf(sheet),
    tools: entries.map(({ keys, tool: { name, promptName } }, i) => ({
      ...{ path: pathOf(keys), name, promptName },
      ...{ tokens: shares[i], share: shares[i] / promptLimit },
    })),
    descriptions: descriptionCosts(sheet).slice(0, 5),
    findings,
    errors: count("error"),
    warnings: count("warning"),
    hints: count("hint"),
  };
}

function render(report: Report): string {
  const { path, promptTokens, promptLimit, requestRoom, tools, descriptions, findings } = report;
  const left = requestRoom > 0 ? `${requestRoom} left for the request` : "none left for the request";
  const parts = [`${path}: ${tools.length} tools, ${promptTokens} of ${promptLimit} prompt tokens, ${left}`];
  if (tools.length) {
    const rows = tools.map(({ name, tokens, share }) => [`  ${name}`, tokens, percent(share)]);
    parts.push(table([["  tool", "tokens", "of prompt"], ...rows]));
  }
  if (descriptions.length) {
    const rows = descriptions.map(({ path: at, tokens, text }) => [`  ${at}`, tokens, clip(text)]);
    parts.push(table([["  longest descriptions", "tokens", ""], ...rows]));
  }
  if (findings.length) {
    parts.push(findings.map((f) => `${f.severity} ${f.rule}\n  ${f.path}: ${f.message}`).join("\n"));
  }
  parts.push(
    `${plural(report.errors, "error")}, ${plural(report.warnings, "warning")}, ${plural(report.hints, "hint")}`,
  );
  return parts.join("\n\n");
}

const percent = (share: number) => `${(100 * share).toFixed(0)}%`.padStart(9);
const plural = (n: number, word: string) => `${n} ${word}${n === 1 ? "" : "s"}`;
const clip = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}...` : text);
