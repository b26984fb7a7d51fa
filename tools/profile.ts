import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultModel } from "../runtime/default.ts";
import { buildNames } from "../wasm/abi.ts";
import { fullGeometry, randomPack } from "./bench/runs.ts";
import {
  type Command,
  commandLine,
  type Input,
  kernelsOf,
  print,
  progressLine,
  readText,
  UsageError,
  writeBytes,
} from "./command.ts";
import { measure } from "./profile/measure.ts";
import { page } from "./profile/page.ts";
import type { Report } from "./profile/report.ts";
import { render, renderComparison } from "./profile/tables.ts";
import { watchRequest, watchTools } from "./run.ts";
import { checkedToolsText } from "./toollist.ts";

export const profile: Command = {
  help: `thimble profile [REQUEST] [--tools FILE] [--model PACK | --geometry full] [--seconds N] [--html FILE] [--json]
thimble profile --compare A.json B.json

Calls again and again, every second call timed kernel by kernel, and reads memory, CPU clock, temperature and power in
between, where the system has them. Before that, cold starts in processes of their own.

  --tools FILE     list of tools: native, JSON Schema, OpenAI or MCP (a watch's tools)
  --model PACK     a pack's path (the model inside the package)
  --geometry full  the 26M geometry with seeded random weights
  --kernels NAME   ${buildNames.join(", ")} (the fastest that runs here)
  --prompt N       prompt tokens that memory is planned for (384)
  --calls N        calls that count, at least (100)
  --seconds N      keep calling for so long, to see what heat does (0)
  --cold N         cold starts (5)
  --html FILE      write one page with charts, which needs no network
  --json           print one object; tools/profile/README.md says what each field means
  --compare        two --json outputs: b relative to a

  thimble profile --seconds 60 --html profile.html`,
  options: {
    tools: { type: "string" },
    model: { type: "string" },
    geometry: { type: "string" },
    kernels: { type: "string" },
    prompt: { type: "string" },
    calls: { type: "string" },
    seconds: { type: "string" },
    cold: { type: "string" },
    html: { type: "string" },
    json: { type: "boolean" },
    compare: { type: "boolean" },
  },
  async run(input) {
    if (input.flag("compare")) {
      for (const other of ["json", "html"])
        if (input.text(other) !== undefined) throw new UsageError(`--compare: expected no --${other} beside it`);
      if (input.words.length !== 2) throw new UsageError(`--compare: expected two files, got ${input.words.length}`);
      const [a, b] = input.words.map(readReport);
      return print(renderComparison(a, b));
    }
    const own = input.text("tools");
    const tools = checkedToolsText(own ?? watchTools);
    if (own !== undefined && !input.words.length)
      throw new UsageError("profile: expected a request for the tools of --tools, got none; add one they answer");
    const folder = mkdtempSync(join(tmpdir(), "thimble-profile-"));
    try {
      const report = await measure(
        {
          path: await packPath(input, folder),
          build: kernelsOf(input),
          promptTokens: input.integer("prompt", 8, 1024) ?? 384,
          request: input.words.join(" ") || watchRequest,
          tools,
        },
        {
          calls: input.integer("calls", 1, 1e6) ?? 100,
          seconds: input.integer("seconds", 0, 3600) ?? 0,
          coldStarts: input.integer("cold", 1, 100) ?? 5,
          onProgress: progressLine("calls"),
        },
        commandLine(),
      );
      print(input.flag("json") ? JSON.stringify(report, rounded) : render(report));
      const html = input.text("html");
      if (html) writeBytes(html, page(report));
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

async function packPath(input: Input, folder: string): Promise<string> {
  const [geometry, model] = [input.text("geometry"), input.text("model")];
  if (geometry === undefined) return model ?? fileURLToPath(defaultModel());
  if (geometry !== "full") throw new UsageError(`--geometry: expected full, got ${JSON.stringify(geometry)}`);
  if (model) throw new UsageError("profile: expected --model or --geometry, got both");
  const path = join(folder, "full.thimble");
  writeFileSync(path, await randomPack(fullGeometry));
  return path;
}

/** Throws: Error unless the file holds what --json prints. */
function readReport(path: string): Report {
  let report: Report | undefined;
  try {
    report = JSON.parse(readText(path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (report?.format !== 1 || !report.calls?.total)
    throw new Error(`${path}: expected the output of thimble profile --json, got another file; run it again`);
  return report;
}

/** Six decimals: of a millisecond, a nanosecond. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toFixed(6)) : value;
}
