import { defaultModel } from "../runtime/default.ts";
import { PackStream } from "../runtime/load/loader.ts";
import { Tokenizer } from "../runtime/text/tokenizer.ts";
import { type Command, print, table, UsageError } from "./command.ts";
import { descriptionCosts, type Finding, findAll, roomOf } from "./lint/rules.ts";
import { pathOf, readSheet, type Sheet } from "./lint/sheet.ts";
import { readToolsText } from "./toollist.ts";

export interface Report {
  path: string;
  /** How the model sees tools: in the prompt with the request, or each apart. */
  way: Sheet["way"];
  /** Of a prompt's tokens, or of the rows that one request may see. */
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
  help: `thimble lint TOOLS [--model PACK] [--prompt N | --rows N] [--json] [--strict]

Counts what each tool takes: rows of those that one request may see, or where the model has tools in its prompt tokens
of that and what is left for the request. Then lists what makes calls fail, each with the text to write instead. TOOLS: JSON in any form that run takes, - for standard input.
Exit code 1 if there is an error.

  --model PACK   whose tokens to count (the model inside the package)
  --prompt N     of a model that has tools in its prompt: promptTokens that it will be loaded with (1024)
  --rows N       of a model that reads them apart: toolRows that it will be loaded with (1024)
  --json         print one object; a finding's rewrites each change one place of the list: its
                 value, its key, the order of its keys, or with none of these it goes; the deepest first
  --strict       exit code 1 for warnings too

  thimble lint tools.json --strict`,
  options: {
    model: { type: "string" },
    prompt: { type: "string" },
    rows: { type: "string" },
    json: { type: "boolean" },
    strict: { type: "boolean" },
  },
  async run(input) {
    const [path, ...more] = input.words;
    if (path === undefined || more.length)
      throw new UsageError(
        `lint: expected one file of tools, got ${input.words.length}; name one, or - for standard input`,
      );
    const text = readToolsText(path);
    const { header } = await PackStream.open(input.text("model") ?? defaultModel());
    const { prompt: way = "joint" } = header;
    const [option, other] = way === "joint" ? (["prompt", "rows"] as const) : (["rows", "prompt"] as const);
    if (input.text(other)) throw new UsageError(`--${other}: expected --${option} for a ${way} model`);
    const limit = input.integer(option, 8, way === "joint" ? 1024 : 16_384) ?? 1024;
    const report = reportOf(path, readSheet(text, new Tokenizer(header.pieces), limit, way));
    print(input.flag("json") ? JSON.stringify(report) : render(report));
    if (report.errors || (input.flag("strict") && report.warnings)) process.exitCode = 1;
  },
};

export function reportOf(path: string, sheet: Sheet): Report {
  const { way, promptLimit, promptTokens, entries, shares } = sheet;
  const findings = findAll(sheet);
  const count = (severity: string) => findings.filter((finding) => finding.severity === severity).length;
  return {
    path,
    way,
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
  const { path, way, promptTokens, promptLimit, requestRoom, tools, descriptions, findings } = report;
  const left = requestRoom > 0 ? `${requestRoom} left for the request` : "none left for the request";
  const whole = way === "joint" ? `prompt tokens, ${left}` : "rows";
  const parts = [`${path}: ${tools.length} tools, ${promptTokens} of ${promptLimit} ${whole}`];
  if (tools.length) {
    const rows = tools.map(({ name, tokens, share }) => [`  ${name}`, tokens, percent(share)]);
    parts.push(table([["  tool", ...(way === "joint" ? ["tokens", "of prompt"] : ["rows", "of all"])], ...rows]));
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
