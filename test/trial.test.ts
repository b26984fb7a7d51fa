/** The trial that chooses between the relaxed builds, over modules whose speeds are known. */
import { afterEach, expect, test } from "bun:test";
import binaryen from "binaryen";
import { foursAreFaster } from "../runtime/engine/trial.ts";
import { emitTrial } from "../wasm/build.ts";

/** A module whose two ways take `twos` and `fours` turns of work for one. */
function moduleOf(twos: number, fours: number): Uint8Array<ArrayBuffer> {
  const m = binaryen.parseText(`(module (func (export "trial") (param $turns i32) (param $four i32) (result i32)
    (local $i i32) (local $sum i32)
    (local.set $i (i32.mul (local.get $turns) (select (i32.const ${8 * fours}) (i32.const ${8 * twos}) (local.get $four))))
    (loop $again
      (local.set $sum (i32.rotl (i32.add (i32.mul (local.get $sum) (local.get $turns)) (local.get $i)) (i32.const 5)))
      (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (local.get $sum)))`);
  return Uint8Array.from(m.emitBinary());
}

const verdicts = (module: Uint8Array<ArrayBuffer>, now?: () => number) =>
  Array.from({ length: 5 }, () => foursAreFaster(module, now));

const { Module } = WebAssembly;
afterEach(() => {
  WebAssembly.Module = Module;
});

test("four products at once win where they take a third of the time, and lose where they take three times as long", () => {
  // A busy machine may cost one trial, which then says no.
  expect(verdicts(moduleOf(3, 1))).toContain(true);
  expect(verdicts(moduleOf(1, 3))).not.toContain(true);
});

test("a clock that moves by a tenth of a millisecond will do, one that moves by whole ones or stands still says nothing", () => {
  const by = (ms: number) => () => Math.floor(performance.now() / ms) * ms;
  expect(verdicts(moduleOf(3, 1), by(0.1))).toContain(true);
  expect(verdicts(moduleOf(3, 1), by(1))).not.toContain(true);
  expect(verdicts(moduleOf(3, 1), () => 0)).not.toContain(true);
});

test("where a page's policy forbids to compile at once, there is no trial", () => {
  WebAssembly.Module = class {
    constructor() {
      throw new EvalError("blocked by the page's policy");
    }
  } as never;
  expect(foursAreFaster(emitTrial())).toBe(false);
});

test("both ways of the trial end, whichever this processor likes", () => {
  const { trial } = new WebAssembly.Instance(new Module(emitTrial())).exports as {
    trial(turns: number, four: number): number;
  };
  // Bytes of 1, 0, 0, 0 by sums from 1 on: a dot product adds the sum's own low byte.
  expect(trial(1, 1)).toBe(2 * (1 + 2 + 3 + 4 + 5 + 6 + 7 + 8));
  expect(trial(1, 0)).toBe(2 * (1 + 2 + 3 + 4 + 5 + 6 + 7 + 8));
});
