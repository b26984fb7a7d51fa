/** What every command shares: options, input, and errors that fit on one line. */
import { accessSync, constants, fstatSync, readFileSync, readSync, statSync, writeFileSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { type BuildName, buildNames } from "../wasm/abi.ts";

export type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>["options"]>;

export interface Command {
  /** Shown by --help, with one real example. */
  help: string;
  options: Options;
  run(input: Input): Promise<void>;
}

/** The words of a command line. */
export class Input {
  constructor(
    readonly words: string[],
    private readonly values: Record<string, unknown>,
  ) {}

  text(name: string): string | undefined {
    return this.values[name] as string | undefined;
  }

  has(name: string): boolean {
    return this.values[name] !== undefined;
  }

  flag(name: string): boolean {
    return this.values[name] === true;
  }

  /** Throws: UsageError unless the option is absent or an integer in the range. */
  integer(name: string, least: number, most: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = numberIn(text);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new UsageError(`--${name}: expected an integer from ${least} to ${most}, got ${JSON.stringify(text)}`);
    }
    return value;
  }
}

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Throws: UsageError for words, where a command takes options alone; `remedy` says where they belong. */
export function refuseWords({ words }: Input, command: string, remedy = ""): void {
  if (!words.length) return;
  throw new UsageError(`${command}: expected options alone, got ${JSON.stringify(words[0])}${remedy}`);
}

/** Throws: UsageError for options that the command does not have. */
export function parse(args: string[], options: Options): Input {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    return new Input(positionals, values);
  } catch (error) {
    const [said] = (error as Error).message.split("\n");
    const valued = said.match(/^Option '(?:-\w, )?(--[\w-]+)/)?.[1];
    if (valued && said.includes("not take"))
      throw new UsageError(`${valued}: expected no value, got one; leave it out`);
    if (valued) throw new UsageError(`${valued}: expected a value, got none; one that begins with - stands after =`);
    const unknown = said.match(/^Unknown option '([^']+)'/)?.[1];
    if (!unknown) throw new UsageError(said);
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new UsageError(
      `expected an option, one of ${known.join(", ")}, got ${unknown}; text that begins so stands after --`,
    );
  }
}

/** A file's text, or standard input for "-". Throws: Error for what cannot be read, or is not UTF-8. */
export function readText(path: string): string {
  return utf8Text(readBytes(path), path);
}

export function readBytes(path: string): Uint8Array {
  try {
    return path === "-" ? readInput() : readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const got = code === "EISDIR" ? "a folder" : code;
    throw new Error(`${path}: expected a readable file, got ${got}; check the path`);
  }
}

/** Writes a file over what is there, or after it ("a"). Throws: Error for what cannot be written. */
export function writeBytes(path: string, bytes: Uint8Array | string, flag: "w" | "a" = "w"): void {
  try {
    writeFileSync(path, bytes, { flag });
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Before the work for a file: throws as `writeBytes` would, and UsageError where it would be written over an input. */
export function checkOutput(path: string, inputs: readonly (string | undefined)[]): void {
  const found = (one: string) => statSync(one, { throwIfNoEntry: false });
  const there = found(path);
  const input = there && inputs.find((one) => one && found(one)?.ino === there.ino);
  if (input) throw new UsageError(`${path}: expected another file than the input ${input}, got the same; name another`);
  if (there?.isDirectory()) throw unwritable(path, { code: "EISDIR" });
  try {
    accessSync(there ? path : path.replace(/[^/\\]*$/, "") || "./", constants.W_OK);
  } catch (error) {
    throw unwritable(path, error);
  }
}

function unwritable(path: string, error: unknown): Error {
  const { code } = error as { code?: string };
  const got = code === "EISDIR" ? "a folder" : code;
  return new Error(`${path}: expected a file that can be written, got ${got}; check the path and the disk`);
}

/** Text of bytes that came from a place. Throws: Error that names the first byte that is not UTF-8. */
export function utf8Text(bytes: Uint8Array, place: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // The longest beginning that decodes, by halving; of it, what is not half a character.
    const decode = (length: number) =>
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length), { stream: true });
    let [good, bad] = [0, bytes.length + 1];
    while (bad - good > 1) {
      const middle = (good + bad) >> 1;
      try {
        decode(middle);
        good = middle;
      } catch {
        bad = middle;
      }
    }
    const at = new TextEncoder().encode(decode(good)).length;
    const got = `0x${bytes[at].toString(16).padStart(2, "0")} at byte ${at}`;
    throw new Error(`${place}: expected UTF-8, got ${got}; save it as UTF-8`);
  }
}

/** All of standard input. A pipe that another process made non-blocking has nothing to read for a while. */
function readInput(): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = new Uint8Array(65_536);
    try {
      const bytes = readSync(0, chunk);
      if (!bytes) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, bytes));
    } catch (error) {
      if (!isToWait(error)) throw error;
    }
  }
}

/** Whether a pipe that another process made non-blocking is empty, or full, for now; waits a moment if so. */
function isToWait(error: unknown): boolean {
  const isNow = (error as NodeJS.ErrnoException).code === "EAGAIN";
  if (isNow) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  return isNow;
}

/** Whether standard error is somebody's screen. */
export function isWatched(): boolean {
  return fstatSync(2).isCharacterDevice() && process.stderr.isTTY;
}

/** Whether standard input is somebody's keyboard. A pipe is not asked: Node would make it non-blocking. */
export function isTyped(): boolean {
  return fstatSync(0).isCharacterDevice() && process.stdin.isTTY;
}

/** The build that --kernels names. Throws: UsageError for another word. */
export function kernelsOf(input: Input): BuildName | undefined {
  const name = input.text("kernels");
  if (name === undefined || buildNames.includes(name as BuildName)) return name as BuildName | undefined;
  throw new UsageError(`--kernels: expected one of ${buildNames.join(", ")}, got ${JSON.stringify(name)}`);
}

/** Blanks are no zero. */
const numberIn = (text: string): number => (text.trim() ? Number(text) : Number.NaN);

/** The number that an option holds. Throws: UsageError unless it is absent or one in the range. */
export function numberOf(input: Input, name: string, least: number, most: number): number | undefined {
  const text = input.text(name);
  if (text === undefined) return undefined;
  const value = numberIn(text);
  if (!(value >= least && value <= most))
    throw new UsageError(`--${name}: expected a number from ${least} to ${most}, got ${JSON.stringify(text)}`);
  return value;
}

/** The server that --endpoint and --model name, with --timeout. Throws: UsageError for no http address, or no model. */
export function serverOf(input: Input): { url: string; model: string; timeoutMs: number } {
  const [url, model] = [input.text("endpoint"), input.text("model")];
  if (!url || !/^https?:\/\/./.test(url) || !URL.canParse(url))
    throw new UsageError(`--endpoint: expected an http address, got ${url ? JSON.stringify(url) : "none"}`);
  if (!model)
    throw new UsageError("--endpoint: expected --model NAME beside it, the server's name of a model; got none");
  return { url, model, timeoutMs: 1000 * (input.integer("timeout", 1, 3600) ?? 60) };
}

/** Shows a share, 0 to 1, on a line of the terminal that is rewritten at each percent. */
export function progressLine(label: string): (share: number) => void {
  if (!process.stderr.isTTY) return () => {};
  let shown = -1;
  return (share) => {
    const percent = Math.floor(100 * share);
    if (percent === shown) return;
    shown = percent;
    process.stderr.write(percent === 100 ? "\r\x1b[K" : `\r${label} ${percent}%`);
  };
}

/** The command line that was given, as a shell takes it. */
export function commandLine(): string {
  const quoted = (word: string) => (/^[\w./,:=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
  return ["thimble", ...process.argv.slice(2).map(quoted)].join(" ");
}

export function print(text: string): void {
  output().write(`${text}\n`);
}

/** `print` by descriptor: a fresh process takes 3 ms to load the streams of standard output and error. */
export function printNow(text: string): void {
  let rest: Uint8Array = Buffer.from(`${text}\n`);
  while (rest.length) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (!isToWait(error)) outputFailed(error as NodeJS.ErrnoException);
    }
  }
}

/** Standard output as a stream. */
export function output(): NodeJS.WriteStream {
  if (!process.stdout.listeners("error").includes(outputFailed)) process.stdout.on("error", outputFailed);
  return process.stdout;
}

function outputFailed({ code }: NodeJS.ErrnoException): never {
  // A reader that stops early, as in `thimble … | head`, is no failure.
  if (code !== "EPIPE") warn(`standard output: expected room for the answer, got ${code}`);
  process.exit(code === "EPIPE" ? 0 : 1);
}

/** Says something that is no result, on standard error. */
export function warn(text: string): void {
  process.stderr.write(`thimble: ${text}\n`);
}

/** A text of several lines as one. */
export function oneLine(text: string): string {
  return text.trim().replace(/\s*[\r\n]+\s*/g, " ");
}

/** Columns of equal width; numbers to the right. */
export function table(rows: (string | number)[][]): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => String(row[i]).length)));
  const cell = (value: string | number, i: number) =>
    typeof value === "number" ? String(value).padStart(widths[i]) : value.padEnd(widths[i]);
  return rows.map((row) => row.map(cell).join("  ").trimEnd()).join("\n");
}
