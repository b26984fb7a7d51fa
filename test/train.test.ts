import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../tools/train/", import.meta.url));

/** The first Python that has what the recipe needs. Debian's packages belong to /usr/bin's, which another may hide. */
const python = ["python3", "/usr/bin/python3"].find((path) => {
  try {
    return Bun.spawnSync([path, "-c", "import numpy, sentencepiece, torch"]).exitCode === 0;
  } catch {
    return false;
  }
});

const name = "the training recipe learns, resumes to the same log, and exports what reads back";
if (!python && !process.env.CI) {
  console.warn(`skipped: ${name}: no Python with numpy, sentencepiece and torch`);
  test.skip(`${name} (PyTorch is missing)`, () => {});
} else {
  test(name, () => {
    if (!python) throw new Error("python3: expected numpy, sentencepiece and torch in CI, got none; see .ci/run");
    const { stdout, stderr, exitCode } = Bun.spawnSync([python, "smoke.py"], { cwd: folder });
    expect({ exitCode, err: exitCode ? stderr.toString() : "" }).toEqual({ exitCode: 0, err: "" });
    expect(stdout.toString()).toContain("smoke: loss falls, resumed log is the same, export reads back");
  }, 600_000);
}
