/** Requests written by hand for training: each has calls that its tools allow, of values that it says. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ToolSet } from "../runtime/index.ts";
import { readLine } from "../tools/data/line.ts";
import { readExamples } from "../tools/eval/examples.ts";
import { fixture } from "./support.ts";

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

describe("heard.jsonl, what is said around a microphone and typed in a hurry", () => {
  const heard = readExamples(fileURLToPath(fixture("heard.jsonl")));

  test("is about lists of tools that nothing was written for", () => {
    const listsOf = (tools: readonly { name: string }[]) =>
      tools
        .map(({ name }) => name)
        .sort()
        .join(" ");
    const trained = new Set(
      readdirSync(folder).map((name) => listsOf(JSON.parse(readFileSync(new URL(name, folder), "utf8")).tools)),
    );
    const lists = new Set(heard.map(({ tools }) => listsOf(tools.tools)));
    expect(lists.size).toBe(24);
    expect([...lists].filter((list) => trained.has(list))).toEqual([]);
  });

  test("half of the talk and of what others did is to call nothing, and most of all else something", () => {
    const share = (kind: string) => {
      const of = heard.filter((example) => example.kind === kind);
      return of.filter(({ accept }) => accept.every((answer) => !answer.length)).length / of.length;
    };
    expect(share("talk")).toBeWithin(0.45, 0.55);
    expect(share("whose")).toBeWithin(0.45, 0.55);
    for (const kind of ["slip", "thumbs", "forbidden", "little", "breath", "forms"])
      expect(share(kind), kind).toBeWithin(0.05, 0.25);
  });
});
