/** A fiftieth of the siege; test/siege.ts says how to run all of it. */
import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";

test("packs, tool lists, servers, aborts and kills: every attempt ends as promised", async () => {
  const command = [process.execPath, fileURLToPath(new URL("./siege.ts", import.meta.url)), "--share", "0.02"];
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "inherit" });
  const results: Record<string, { tried: number; survived: number; failures: string[] }> = JSON.parse(
    (await new Response(child.stdout).text()) || "{}",
  );
  expect(Object.keys(results).length).toBe(6);
  for (const { tried, survived, failures } of Object.values(results)) {
    expect(failures).toEqual([]);
    expect(survived).toBe(tried);
  }
}, 120_000);
