/** A fiftieth of the siege; test/siege.ts says how to run all of it. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

test("packs, tool lists, servers, aborts and kills: every attempt ends as promised", async () => {
  const command = [process.execPath, fileURLToPath(new URL("./siege.ts", import.meta.url)), "--share", "0.02"];
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "inherit" });
  const results = JSON.parse((await new Response(child.stdout).text()) || "{}");
  const { tried, survived, failures } = Object.values(results as typeof kept).reduce((all, one) => ({
    tried: all.tried + one.tried,
    survived: all.survived + one.survived,
    failures: [...all.failures, ...one.failures],
  }));
  expect({ survived, failures }).toEqual({ survived: tried, failures: [] });
  expect(tried).toBeGreaterThan(200);
}, 120_000);
