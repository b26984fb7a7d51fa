import { availableParallelism } from "node:os";
import { defaultModel } from "../runtime/default.ts";
import { detectBuild } from "../runtime/engine/kernels.ts";
import { reserve } from "../runtime/engine/memory.ts";
import { planModel } from "../runtime/engine/modelplan.ts";
import { octet, planSession } from "../runtime/engine/sessionplan.ts";
import { startThreads } from "../runtime/engine/threads.ts";
import { FormatError } from "../runtime/errors.ts";
import { keptBlockBytes } from "../runtime/kept/block.ts";
import { firstLimits, leastMemory } from "../runtime/limits.ts";
import { PackStream } from "../runtime/load/loader.ts";
import { bytesOf } from "../runtime/load/source.ts";
import { checkFile, type PackHeader } from "../runtime/pack/pack.ts";
import { Tokenizer } from "../runtime/text/tokenizer.ts";
import { type Command, print, table, UsageError } from "./command.ts";
import { modelOf } from "./model.ts";
import { readTools } from "./toollist.ts";

export const inspect: Command = {
  help: `thimble inspect [PACK] [--tools FILE] [--json]

Shows geometry, licence, provenance, sections, the memory that a session takes, and the kernels and threads of this
host (without PACK: the model inside the package), and checks every section's checksum.

  --tools FILE  also what a list of tools costs in the prompt, and what of it the grammar does not hold to
  --json        print one object

  thimble inspect needle.thimble`,
  options: { tools: { type: "string" }, json: { type: "boolean" } },
  async run(input) {
    if (input.words.length > 1) throw new UsageError(`inspect: expected one pack, got ${input.words.length}`);
    const toolsPath = input.text("tools");
    const set = toolsPath === undefined ? null : await readTools(toolsPath);
    const source = (await modelOf(input.words[0])) ?? defaultModel();
    const stream = await PackStream.open(source).catch((error) => {
      throw new Error(error instanceof FormatError ? `${source}: ${error.message}` : error.message, { cause: error });
    });
    const { header } = stream;
    if (header.tunes !== undefined) {
      await stream.close();
      return showTuning(checkFile(await bytesOf(source)), input.flag("json"));
    }
    const tools = set && {
      count: set.tools.length,
      promptTokens: new Tokenizer(header.pieces).tokenize(set.prompt).length,
      warnings: set.warnings,
    };
    const layout = planModel(header);
    const linear = reserve(null, layout.endBytes, 2 ** 32, true);
    await stream.copyInto(linear, layout, () => {});
    const limits = { ...firstLimits(header), threads: 1 };
    const session = planSession(header.geometry, limits, layout.endBytes);
    const memory = {
      weightBytes: layout.endBytes,
      sessionBytes: session.endBytes - layout.endBytes,
      leastBytes: leastMemory(header),
      promptTokens: limits.promptTokens,
      answerTokens: limits.answerTokens,
      // Keys and values of a tool read apart, a row of it.
      ...(limits.toolRows && { toolRowBytes: keptBlockBytes(header.geometry, octet) / octet }),
    };
    const kernels = detectBuild();
    const faster = kernels === "simd" || kernels === "scalar" ? fasterHosts : null;
    const trial = await startThreads(kernels, linear, 2, header.geometry.dModel);
    trial.close();
    const threads = { cores: availableParallelism(), missing: trial.missing ?? null };
    if (input.flag("json")) {
      const { pieces, ...rest } = header;
      return print(
        JSON.stringify({
          ...rest,
          pieces: pieces.length,
          parameters: parameters(header.geometry),
          memory,
          kernels,
          faster,
          threads,
          ...(tools && { tools }),
        }),
      );
    }
    const geometry = Object.entries(header.geometry).map(([name, value]) => [`  ${name}`, value]);
    const notes = Object.entries({ licence: header.licence, ...header.provenance }).map(([name, value]) => [
      `  ${visible(name)}`,
      visible(value),
    ]);
    const warnings = tools?.warnings.map(({ path, message }) => `  ${path} ${message}\n`) ?? [];
    const toolLines = tools
      ? `${tools.count} tools, ${tools.promptTokens} tokens${header.prompt === "apart" ? ", each tool on its own" : " of each prompt"}\n${warnings.join("")}\n`
      : "";
    print(`${header.fileBytes} bytes, ${parameters(header.geometry)} parameters, weights ${header.format}, every checksum right
${table(notes)}

geometry
${table(geometry)}

${toolLines}here: ${kernels} kernels${faster ? ` (${faster})` : ""}, ${threads.missing ? `no threads: ${threads.missing}` : `threads over ${threads.cores} cores`}

tools ${header.prompt === "apart" ? `apart, from position ${header.toolAt} on` : "in the prompt"}

memory at ${memory.promptTokens} prompt and ${memory.answerTokens} answer tokens, of which a prompt may take more
${table([
  ["  weights and records", memory.weightBytes],
  ["  session", memory.sessionBytes],
  ["  least memory to load into", memory.leastBytes],
  ...(memory.toolRowBytes ? [["  a row of a kept tool", memory.toolRowBytes]] : []),
])}

sections
${sectionTable(header)}`);
  },
};

/** What a tuning says of itself, every section's checksum checked. */
function showTuning(header: PackHeader, asJson: boolean): void {
  const { pieces, ...rest } = header;
  const model = (header.tunes as number).toString(16).padStart(8, "0");
  if (asJson) {
    print(JSON.stringify({ ...rest, kind: "tuning" }));
    return;
  }
  const notes = Object.entries({ licence: header.licence, ...header.provenance });
  print(`${header.fileBytes} bytes, a tuning of model ${model}: its decoder, for load(pack, { tuning })
${table(notes.map(([name, value]) => [`  ${visible(name)}`, visible(value)]))}

answers:     ${visible(header.taught?.join(", ") ?? "everything")}
when to act: ${header.calibration ? "its own" : "the model's"}

sections
${sectionTable(header)}`);
}

const sectionTable = ({ sections }: PackHeader): string =>
  table([
    ["  name", "offset", "bytes", "xxh32"],
    ...sections.map(({ name, offsetBytes, bytes, checksum }) => [
      `  ${name}`,
      offsetBytes,
      bytes,
      checksum.toString(16).padStart(8, "0"),
    ]),
  ]);

/** What a host without relaxed SIMD misses: README.md, "Which host". */
const fasterHosts = "relaxed ones prefill twice as fast: Node 22 and later have them, and Bun 1.4";

/** A text with its control characters spelt, which a terminal would obey. */
function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Parameters of a geometry, biases and norms included. */
function parameters(geometry: import("../runtime/pack/pack.ts").Geometry): number {
  const { vocabSize, dModel, nHeads, nKvHeads, nEncoderLayers, nDecoderLayers, contrastiveHidden, contrastiveDim } =
    geometry;
  const headDim = dModel / nHeads;
  const block = 2 * dModel * dModel + 2 * dModel * nKvHeads * headDim + dModel + 1 + 2 * headDim;
  const head = contrastiveHidden * (dModel + 1 + contrastiveDim);
  return vocabSize * dModel + (nEncoderLayers + 2 * nDecoderLayers) * block + 2 * dModel + head;
}
