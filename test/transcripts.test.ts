/** Sixty transcripts, written by hand, with the default model: fixtures/transcripts.jsonl, of the tools in transcripts.tools.json. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { load, type Thimble } from "../runtime/index.ts";
import { acceptable } from "../tools/eval/accept.ts";
import { type Heard, Hearing } from "./wear/hearing.ts";

interface Transcript {
  kind: string;
  wake?: string;
  state?: Record<string, string>;
  heard: Heard[];
  actions: { kind: "call" | "ask" | "undo"; accept: unknown }[];
}

describe("the transcripts with the default model", () => {
  const root = fileURLToPath(new URL("../", import.meta.url));
  const lines = readFileSync(`${root}test/fixtures/transcripts.jsonl`, "utf8").trimEnd().split("\n");
  const transcripts: Transcript[] = lines.map((line) => JSON.parse(line));
  const glassesTools = JSON.parse(readFileSync(`${root}test/fixtures/transcripts.tools.json`, "utf8"));
  const written = (calls: { name: string; arguments: object }[]) =>
    JSON.stringify(
      calls.map((call) => [call.name, Object.entries(call.arguments).sort(([a], [b]) => (a < b ? -1 : 1))]),
    );
  let model: Thimble;
  beforeAll(async () => {
    model = await load();
  });
  afterAll(() => model.close());

  async function actionsOf({ wake, state, heard }: Transcript) {
    const hearing = new Hearing(model, { tools: glassesTools, ...(wake && { wake }) });
    hearing.parser.tell(state ?? {});
    const actions = await hearing.play(heard);
    return actions.filter((action) => "calls" in action);
  }

  test("are sixty, of all kinds", () => {
    expect(transcripts.length).toBe(60);
    expect([...new Set(transcripts.map(({ kind }) => kind))].sort()).toEqual([
      ...["again", "cancel", "chatter", "correction", "late ending", "pause", "plain", "state", "two commands", "undo"],
      "yes and no",
    ]);
  });

  test("at least 90% end in the right calls, made or asked about, as many as the README says; chatter in nothing", async () => {
    let [right, made] = [0, 0];
    for (const transcript of transcripts) {
      const actions = await actionsOf(transcript);
      if (transcript.kind === "chatter") expect([transcript.heard, actions]).toEqual([transcript.heard, []]);
      const isRight =
        actions.length === transcript.actions.length &&
        transcript.actions.every(({ kind, accept }, i) => {
          const isKind = actions[i].kind === kind || (kind === "call" && actions[i].kind === "ask");
          return isKind && acceptable(accept).some((calls) => written(calls as never) === written(actions[i].calls));
        });
      if (isRight) right++;
      if (isRight && transcript.actions.every(({ kind }, i) => kind === actions[i].kind)) made++;
    }
    expect(right).toBeGreaterThanOrEqual(54);
    expect(made).toBeGreaterThanOrEqual(40);
    const readme = readFileSync(`${root}README.md`, "utf8");
    expect(readme).toContain(`${right} end in the right calls, ${right - made} of them asked about first`);
  }, 120_000);
});
