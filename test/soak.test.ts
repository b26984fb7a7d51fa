/** A short share of the soak; test/soak.ts says how to run all of it. */
import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";

test("heap, linear memory and RSS are flat within 5% over calls of unlike tool sets and sessions of random limits", async () => {
  const command = [process.execPath, fileURLToPath(new URL("./soak.ts", import.meta.url)), "--calls", "600"];
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  const [out, samples] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const report = JSON.parse(out || "{}");
  expect({ ...report, samples }).toMatchObject({ flat: true });
  expect(report.answered).toBeGreaterThan(500);
  expect(report.sessions).toBeGreaterThan(30);
}, 300_000);
