import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkCalibration } from "../runtime/pack/calibration.ts";
import { magic, writePack } from "../runtime/pack/pack.ts";
import { type Checkpoint, readCheckpoint } from "./checkpoint/checkpoint.ts";
import { type Command, print, readBytes, readText, UsageError, writeBytes } from "./command.ts";
import { convert } from "./convert.ts";
import { openPack } from "./finetune/files.ts";
import { readVocabulary } from "./sentencepiece.ts";

export const build: Command = {
  help: `thimble build SRC -o PACK [--vocab FILE] [--licence NAME] [--prompt apart] [--copies] [--calibration FILE]

SRC is a model.safetensors (BF16, F16, F32), the int4 safetensors of needle-rs, or the original pickle,
read by a reader that executes nothing; or a pack of an older thimble, which becomes one of today's, with no other option:
smaller, ready as soon as it is read, another model to tunings. Told apart by content.

  -o, --out PACK   the pack to write
  --vocab FILE     SentencePiece .model or vocabulary list (what SRC names, else vocab.txt or needle.model beside it)
  --licence NAME   of the weights (what SRC says, else unknown)
  --prompt WAY     how the model was trained to see tools: joint, in the prompt; apart, each on its own (joint)
  --copies         the model was trained to copy strings from the request: keep its answers to that
  --calibration FILE   what thimble calibrate wrote for this model
  --wide           keep float32 weights, for the reference kernels only

  thimble build model.safetensors -o needle.thimble --vocab needle.model`,
  options: {
    out: { type: "string", short: "o" },
    vocab: { type: "string" },
    licence: { type: "string" },
    prompt: { type: "string" },
    copies: { type: "boolean" },
    calibration: { type: "string" },
    wide: { type: "boolean" },
  },
  async run(input) {
    const [source, ...more] = input.words;
    const out = input.text("out");
    if (!source || more.length) throw new UsageError(`build: expected one source, got ${input.words.length}`);
    if (!out) throw new UsageError("build: expected -o PACK, got none");
    const file = readBytes(source);
    if (isPack(file)) {
      const other = ["vocab", "licence", "prompt", "copies", "calibration", "wide"].find((name) => input.has(name));
      if (other) throw new UsageError(`build: expected no --${other} for a pack, got one; it keeps what it says`);
      writeOut(out, renewPack(file));
      return;
    }
    const checkpoint = readCheckpoint(file, source);
    const vocab = input.text("vocab") ?? vocabBeside(source, checkpoint);
    const pieces = readVocabulary(readBytes(vocab), vocab);
    const { licence = "unknown", note, tokenizer } = checkpoint.metadata;
    const calibration = input.text("calibration");
    const bytes = convert(checkpoint, pieces, {
      licence: input.text("licence") ?? licence,
      provenance: { source: baseName(source), vocabulary: baseName(tokenizer ?? vocab), ...(note && { note }) },
      prompt: way(input.text("prompt")),
      copies: input.flag("copies"),
      calibration: calibration === undefined ? undefined : checkCalibration(JSON.parse(readText(calibration))),
      format: input.flag("wide") ? "float32" : "int4",
    });
    writeOut(out, bytes);
  },
};

function writeOut(out: string, bytes: Uint8Array): void {
  writeBytes(out, bytes);
  print(`${out} ${bytes.length} bytes`);
}

function isPack(file: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(file.subarray(0, magic.length)) === magic;
}

/** A pack of any version as today's writer writes it. */
function renewPack(file: Uint8Array): Uint8Array {
  const { header, field } = openPack(file);
  const { sections, fileBytes, ...head } = header;
  return writePack(head, field);
}

/** Throws: UsageError for a way that is none. */
function way(prompt = "joint"): "joint" | "apart" {
  if (prompt === "joint" || prompt === "apart") return prompt;
  throw new UsageError(`--prompt: expected joint or apart, got ${JSON.stringify(prompt)}`);
}

function vocabBeside(source: string, checkpoint: Checkpoint): string {
  const names = [checkpoint.metadata.tokenizer, "vocab.txt", "needle.model", "tokenizer.model"];
  const found = names
    .filter((name) => name !== undefined)
    .map((name) => join(dirname(source), name))
    .find((path) => existsSync(path));
  if (!found) throw new UsageError(`build: expected a vocabulary beside ${source}, got none; name it with --vocab`);
  return found;
}

/** Packs travel: only the file's name goes into one, not where it lay. */
function baseName(path: string): string {
  return path.split(/[\\/]/).pop() ?? path;
}
