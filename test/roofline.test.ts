/** What `thimble bench --roofline` times: kernels on inputs of their own, right whatever ran before. */
import { describe, expect, test } from "bun:test";
import { dModel, type Job, type Jobs, openJobs } from "../tools/bench/jobs.ts";
import { buildNames, matrixBytes } from "../wasm/abi.ts";
import { unpackMatrix } from "../wasm/reference.ts";
import { distance } from "./support.ts";

const turns = 3;
const all = ({ peaks, kernels }: Jobs): Job[] => [...peaks, ...kernels];
const outputOf = ({ memory }: Jobs, { output }: Job) => new Uint8Array(memory.buffer, output.at, output.bytes).slice();
const floats = ({ memory }: Jobs, at: number, n: number) => new Float32Array(memory.buffer, at, n).slice();

/** All jobs, several times in turn: each has run after every other. */
async function mixed(build: (typeof buildNames)[number]): Promise<Jobs> {
  const jobs = await openJobs(build);
  for (let turn = 0; turn < turns; turn++) for (const job of all(jobs)) job.run();
  return jobs;
}

/** Rows as `quantize` rounds them: integers up to 127 times a scale a row. */
function rounded(x: Float32Array): Float32Array {
  return x.map((value, i) => {
    const start = i - (i % dModel);
    const scale = Math.max(...x.subarray(start, start + dModel).map(Math.abs)) / 127;
    return Math.round(value / scale) * scale;
  });
}

describe.each(buildNames)("%s", (build) => {
  test("every job writes the same after all others as alone", async () => {
    const after = await mixed(build);
    for (const [i, job] of all(after).entries()) {
      const alone = await openJobs(build);
      const same = all(alone)[i];
      for (let turn = 0; turn < turns; turn++) same.run();
      expect([job.name, Bun.hash(outputOf(after, job))]).toEqual([same.name, Bun.hash(outputOf(alone, same))]);
    }
  });

  test("no job writes where another reads", async () => {
    const inputs = (jobs: Jobs) => Bun.hash(new Uint8Array(jobs.memory.buffer, 0, jobs.peaks[0].output.at));
    const [before, after] = [await openJobs(build), await mixed(build)];
    expect(before.peaks[0].output.at).toBeGreaterThan(before.inputs.values);
    expect(inputs(after)).toBe(inputs(before));
  });

  test("a projection of 1, 2 and 4 rows is within 1e-4 of float64, and the norm within 1e-5, after all others", async () => {
    const jobs = await mixed(build);
    const { weights, x, gains } = jobs.inputs;
    const bytes = new Uint8Array(jobs.memory.buffer, weights + (turns - 1) * matrixBytes(dModel, dModel));
    const w = unpackMatrix(bytes, dModel, dModel);
    const rows = rounded(floats(jobs, x, 4 * dModel));
    const product = (row: number, o: number) =>
      w.subarray(o * dModel, (o + 1) * dModel).reduce((sum, weight, j) => sum + weight * rows[row * dModel + j], 0);
    const projections = jobs.kernels.filter(({ name }) => name.startsWith("matmul"));
    expect(projections.length).toBe(build === "scalar" ? 1 : 3);
    for (const { output } of projections) {
      const got = floats(jobs, output.at, output.bytes / 4);
      const want = got.map((_, i) => product(Math.floor(i / dModel), i % dModel));
      expect(distance(got, want)).toBeLessThan(1e-4);
    }

    const norm = jobs.kernels.find(({ name }) => name.startsWith("rms_norm")) as Job;
    const row = floats(jobs, x, dModel);
    const root = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / dModel + 1e-6);
    const want = floats(jobs, gains, dModel).map((gain, i) => ((1 + gain) * row[i]) / root);
    expect(distance(floats(jobs, norm.output.at, dModel), want)).toBeLessThan(1e-5);
  });

  test("no job reads a float that is denormal or none, or writes one", async () => {
    const jobs = await mixed(build);
    const { x, gains, ones, kScale, vScale, values } = jobs.inputs;
    const read = [x, gains, ones, kScale, vScale, values].flatMap((at) => [...floats(jobs, at, 16)]);
    const written = jobs.kernels
      .filter(({ name }) => /^(matmul|attention|logit_rows|rms_norm)/.test(name))
      .flatMap(({ output }) => [...floats(jobs, output.at, output.bytes / 4)]);
    const leastNormal = 2 ** -126;
    expect([...read, ...written].filter((value) => !(Math.abs(value) >= leastNormal && Math.abs(value) < 1e6))).toEqual(
      [],
    );
  });
});
