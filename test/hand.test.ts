/** Requests written by hand for training: each has calls that its tools allow, of values that it says. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { ToolSet } from "../runtime/index.ts";
import { readLine } from "../tools/data/line.ts";

type Written = [request: string, calls: [name: string, args: Record<string, unknown>][]];

const folder = new URL("../tools/train/hand/", import.meta.url);

test("every call fits, every string is in its request, no request of a list stands twice", () => {
  const faults = readdirSync(folder).flatMap((name) => {
    const { tools, requests } = JSON.parse(readFileSync(new URL(name, folder), "utf8")) as {
      tools: object[];
      requests: Written[];
    };
    const set = ToolSet.from(tools as never);
    const seen = new Set<string>();
    return requests.flatMap(([query, calls]) => {
      if (seen.has(query.toLowerCase())) return [[name, query, "stands twice"]];
      seen.add(query.toLowerCase());
      const answers = calls.map(([called, args]) => ({ name: called, arguments: args }));
      try {
        const { warning } = readLine(JSON.stringify({ query, tools: [], answers }), () => set);
        return warning && !/does not say -?[\d.]+$/.test(warning) ? [[name, query, warning]] : []; // numbers may be meant: "the next hour"
      } catch (error) {
        return [[name, query, (error as Error).message]];
      }
    });
  });
  expect(faults).toEqual([]);
}, 300_000);
