import { expect, test } from "bun:test";
import { Lru } from "../runtime/lru.ts";

test("the least recently used value leaves first, by reading or writing alike", () => {
  const kept = new Lru<number>(2);
  kept.set("a", 1);
  kept.set("b", 2);
  expect(kept.get("a")).toBe(1);
  kept.set("c", 3);
  expect([kept.get("b"), kept.get("a"), kept.get("c"), kept.size]).toEqual([undefined, 1, 3, 2]);
  kept.set("a", 4);
  kept.set("d", 5);
  expect([kept.get("c"), kept.get("a"), kept.get("d"), kept.size]).toEqual([undefined, 4, 5, 2]);
});
