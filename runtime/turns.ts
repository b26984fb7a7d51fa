/** One call at a time over what they share, in the order in which they came. */
import { unlessAborted } from "./load/weights.ts";

/** How long a call may wait for an `onText` that may be waiting for it. */
const mostPauseMs = 5000;

type OnText = (text: string) => void | Promise<void>;

export class Turns {
  /** Calls that run or wait. */
  count = 0;
  private queue: Promise<unknown> = Promise.resolve();
  private inCallback = false;
  /** What the running call's `onText` returned, while it is pending. */
  private pause: Promise<void> | null = null;

  constructor(private readonly waitMs = mostPauseMs) {}

  /** Settles when all that is queued now is done. */
  get done(): Promise<unknown> {
    return this.queue;
  }

  /**
   * Runs work after what is queued.
   * Throws: Error from within the `onText` of the running call, which would wait for itself, and where that does not end for
   * long; the signal's reason as soon as it is given, also where the turn has not come.
   */
  async take<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    if (this.inCallback)
      throw new Error(
        "session: expected no call from within its own onText, which would wait for itself; open another session",
      );
    let stuck: Error | undefined;
    this.count++;
    const result = this.queue
      .then(() => {
        signal?.throwIfAborted();
        if (stuck) throw stuck;
        return work();
      })
      .finally(() => this.count--);
    this.queue = result.catch(() => {});
    const { pause } = this;
    const waiting = pause
      ? this.unlessStuck(pause, result, (error) => {
          stuck = error;
        })
      : result;
    return signal ? unlessAborted(waiting, signal) : waiting;
  }

  /** `onText` that ends with the signal, and that a call from within it does not wait for. */
  guard(onText: OnText, signal: AbortSignal | undefined): OnText {
    return async (text) => {
      this.inCallback = true;
      let pause: void | Promise<void>;
      try {
        pause = onText(text);
      } finally {
        this.inCallback = false;
      }
      if (!pause) return;
      const work = Promise.resolve(pause);
      this.pause = work;
      try {
        await (signal ? unlessAborted(work, signal) : work);
      } finally {
        this.pause = null;
      }
    };
  }

  /** A call that came during a pause may be what the pause waits for: nothing else would ever end both. */
  private async unlessStuck<T>(pause: Promise<void>, result: Promise<T>, give: (error: Error) => void): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stuck = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        if (this.pause !== pause) return;
        const error = new Error(
          `session: expected the running call's onText to end within ${this.waitMs} ms, which may wait for this call; open another session`,
        );
        give(error);
        reject(error);
      }, this.waitMs);
    });
    try {
      return await Promise.race([result, stuck]);
    } finally {
      clearTimeout(timer);
      result.catch(() => {});
    }
  }
}
