/** A Bangle.js 2 emulator in a process of its own, killed when it takes too long. */
import { fileURLToPath } from "node:url";

export interface Answer {
  lines: string[];
  screen?: string;
}

export class Emulator {
  private readonly child;
  private readonly answers: AsyncIterator<string>;
  private readonly killer: ReturnType<typeof setTimeout>;

  private constructor(folder: string, mostMs: number) {
    this.child = Bun.spawn(["node", fileURLToPath(new URL("./emulator.cjs", import.meta.url))], {
      env: { ...process.env, BANGLE_EMULATOR: folder },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "ignore",
    });
    this.answers = linesOf(this.child.stdout);
    this.killer = setTimeout(() => this.child.kill(9), mostMs);
  }

  static async start(folder: string, mostMs = 120_000): Promise<Emulator> {
    const emulator = new Emulator(folder, mostMs);
    await emulator.answer();
    return emulator;
  }

  async tell(command: {
    files?: Record<string, string>;
    say?: string;
    waitMs?: number;
    screen?: boolean;
  }): Promise<Answer> {
    this.child.stdin.write(`${JSON.stringify(command)}\n`);
    this.child.stdin.flush();
    return this.answer();
  }

  /** The value of an expression there. Throws: Error if it gave none. */
  async value(code: string): Promise<unknown> {
    const { lines } = await this.tell({ say: `print("@@"+JSON.stringify(${code}))` });
    const found = lines.find((line) => line.includes("@@"));
    if (!found) throw new Error(`emulator: expected a value of ${code}, got ${lines.join(" | ")}`);
    return JSON.parse(found.slice(found.indexOf("@@") + 2));
  }

  stop(): void {
    clearTimeout(this.killer);
    this.child.kill(9);
  }

  private async answer(): Promise<Answer> {
    const { value, done } = await this.answers.next();
    if (done) throw new Error("emulator: expected an answer, got its end; it hung or crashed");
    return JSON.parse(value);
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let kept = "";
  const utf8 = new TextDecoder();
  for await (const bytes of stream) {
    const lines = (kept + utf8.decode(bytes, { stream: true })).split("\n");
    kept = lines.pop() as string;
    yield* lines;
  }
}
