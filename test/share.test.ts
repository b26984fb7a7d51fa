/** Links that carry tools and a request in their fragment. */
import { expect, test } from "bun:test";
import { readShared, writeShared } from "../tools/playground/web/share.ts";

test("what a link holds comes back as it was, in any script", async () => {
  for (const shared of [
    { tools: "[]", request: "" },
    { tools: '[{"name": "größe"}]', request: "“🙂” ??//++==" },
    { tools: " ".repeat(900_000), request: "x" },
  ])
    expect(await readShared(await writeShared(shared))).toEqual(shared);
});

test("a fragment that is none, damaged, of other values or that unfolds to too much brings nothing", async () => {
  const large = await writeShared({ tools: " ".repeat(3_000_000), request: "x" });
  expect(large.length).toBeLessThan(10_000);
  const odd = await writeShared({ tools: 1, request: "x" } as never);
  for (const fragment of ["", "#", "#s=", "#s=%%", "#s=AAAA", large, odd, large.slice(0, 50)])
    expect(await readShared(fragment)).toBeNull();
});
