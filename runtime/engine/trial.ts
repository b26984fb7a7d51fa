/** Whether this processor multiplies four bytes at once: no host says, so a trial does: a millisecond where it does not, three where it does. */
import { nowMs } from "../clock.ts";

/** Turns of a call: some microseconds, many more than the call itself. */
const turns = 500;
/** Milliseconds that each of five measurements lasts; a clock that moves in longer steps measures nothing. */
const windowMs = 0.15;
/** Some milliseconds of them. */
const mostReadings = 100_000;
/** How much faster four products at once have to be. Where both are level, the kernels are faster with sums of 16 bits. */
const leastGain = 1.15;

/**
 * Measures the module of wasm/kernels/trial.ts. False as well where a policy forbids it or the clock is too coarse. The two
 * at once come first and last, so that a compiler that steps in between favours them.
 */
export function foursAreFaster(bytes: Uint8Array<ArrayBuffer>, now = nowMs): boolean {
  try {
    const { trial } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Trial;
    trial(turns, 0);
    if (Math.min(stepOf(now), stepOf(now)) > windowMs) return false;
    const isFaster = () => {
      const best = [0, 0];
      for (const four of [0, 1, 0, 1, 0]) {
        const calls = rate(() => trial(turns, four), now);
        best[four] = Math.max(best[four], calls);
      }
      return best[1] > leastGain * best[0];
    };
    // A neighbour on the processor may hold up all measurements of two at once in one trial, hardly in three.
    return isFaster() && isFaster() && isFaster();
  } catch {
    return false;
  }
}

type Trial = { trial(turns: number, four: number): number };

/** Milliseconds by which the clock moves. */
function stepOf(now: () => number): number {
  const start = edge(now);
  return edge(now) - start;
}

/** The time when the clock moves next. Throws: Error for one that stands still, as a test's own. */
function edge(now: () => number): number {
  const start = now();
  let time = start;
  for (let readings = 0; time === start; readings++) {
    if (readings > mostReadings) throw new Error();
    time = now();
  }
  return time;
}

/** Calls a millisecond, from one step of the clock to another. */
function rate(call: () => void, now: () => number): number {
  const start = edge(now);
  let [calls, time] = [0, start];
  while (time - start < windowMs) {
    call();
    calls++;
    time = now();
  }
  return calls / (time - start);
}
