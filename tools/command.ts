/** What every command shares: options, input, and errors that fit on one line. */
import { readFileSync } from "node:fs";
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

  flag(name: string): boolean {
    return this.values[name] === true;
  }

  /** Throws: UsageError unless the option is absent or an integer in the range. */
  integer(name: string, least: number, most: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
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

/** Throws: UsageError for options that the command does not have. */
export function parse(args: string[], options: Options): Input {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    return new Input(positionals, values);
  } catch (error) {
    throw new UsageError((error as Error).message.split("\n")[0]);
  }
}

/** A file's text, or standard input for "-". */
export function readText(path: string): string {
  return new TextDecoder().decode(readBytes(path));
}

export function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path === "-" ? 0 : path);
  } catch (error) {
    throw new Error(`${path}: expected a readable file, got ${(error as NodeJS.ErrnoException).code}; check the path`);
  }
}

/** The build that --kernels names. Throws: UsageError for another word. */
export function kernelsOf(input: Input): BuildName | undefined {
  const name = input.text("kernels");
  if (name === undefined || buildNames.includes(name as BuildName)) return name as BuildName | undefined;
  throw new UsageError(`--kernels: expected one of ${buildNames.join(", ")}, got ${JSON.stringify(name)}`);
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
  process.stdout.write(`${text}\n`);
}

/** Columns of equal width; numbers to the right. */
export function table(rows: (string | number)[][]): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => String(row[i]).length)));
  const cell = (value: string | number, i: number) =>
    typeof value === "number" ? String(value).padStart(widths[i]) : value.padEnd(widths[i]);
  return rows.map((row) => row.map(cell).join("  ").trimEnd()).join("\n");
}
