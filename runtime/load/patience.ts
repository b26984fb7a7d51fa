/** How long a server may bring nothing before it is given up. */

/** What `StreamOptions.timeoutMs` is unless said. */
export const usualTimeoutMs = 30_000;

/** What must come within it for a server to count as one that brings something. */
export const leastBytes = 4096;

/** Timers take no more: 24 days. */
const mostTimerMs = 2 ** 31 - 1;

export class Patience {
  private readonly timeoutMs: number;
  private leftMs: number;

  /** `name`: of what is waited for. Throws: RangeError for a time that is none. */
  constructor(
    private readonly name: string | URL,
    timeoutMs: number = usualTimeoutMs,
  ) {
    if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs: expected milliseconds above 0, got ${timeoutMs}`);
    this.timeoutMs = timeoutMs;
    this.leftMs = timeoutMs;
  }

  /** Something came: from now on all of the time may pass again. */
  renew(): void {
    this.leftMs = this.timeoutMs;
  }

  /**
   * The work's result if it comes within a share of the time left; only waiting takes of that time, not what is done
   * with the result. Throws: Error that names what was waited for, and what the work throws.
   */
  async wait<T>(work: Promise<T>, share = 1): Promise<T> {
    const waitMs = this.leftMs * share;
    if (waitMs > mostTimerMs) return work;
    const startMs = performance.now();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.error()), Math.max(0, waitMs));
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
      this.leftMs -= performance.now() - startMs;
      // Who comes second is nobody's business any more.
      work.catch(() => {});
    }
  }

  /** Waits, at most for half of the time left, which it takes. */
  async pause(ms: number): Promise<void> {
    const pauseMs = Math.max(0, Math.min(ms, this.leftMs / 2));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    this.leftMs -= pauseMs;
  }

  private error(): Error {
    const seconds = `${this.timeoutMs / 1000} s`;
    return new Error(
      `${this.name}: expected bytes within ${seconds}, got too few; try again, or allow more by timeoutMs`,
    );
  }
}

/** The work's result; null if it takes longer, or fails. */
export async function within<T>(waitMs: number, work: Promise<T>): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), waitMs);
  });
  try {
    return await Promise.race([work.catch(() => null), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long an end may be waited for that no length has told: a server may keep the connection open. */
export const mostEndMs = 1000;
