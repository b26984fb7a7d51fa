/** Domains from files: what the generator takes, what it refuses, and the default model's own. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { thimble } from "./support.ts";

const walking = {
  pools: { wayName: ["Ridge Loop", "{city} Way"] },
  chat: ["my shoes are wet"],
  tools: {
    walk_way: {
      names: "startWalk",
      about: "Starts a walk.",
      takes: { way: "wayName! Which way." },
      say: ["walk {way}"],
    },
  },
};

/** Runs `data synth` over a folder with one domain. */
async function synth(name: string, domain: unknown) {
  const folder = mkdtempSync(join(tmpdir(), "thimble-domains-"));
  try {
    writeFileSync(join(folder, name), typeof domain === "string" ? domain : JSON.stringify(domain));
    return await thimble(["data", "synth", "--domains", folder, "--count", "1500", "--seed", "3"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a domain's tools are asked for, with values of its own pools", async () => {
  const { out, code } = await synth("ways.json", walking);
  expect(code).toBe(0);
  const own = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ domain, kind }) => domain === "ways" && kind === "single");
  expect(own.length).toBeGreaterThan(0);
  for (const { query, answers } of own) {
    const [value] = JSON.stringify(answers[0].arguments).match(/(?<=:")[^"]+/) as RegExpMatchArray;
    expect(query.toLowerCase()).toContain(value.toLowerCase());
  }
});

const { walk_way: walk } = walking.tools;
test.each<[about: string, name: string, domain: unknown, says: string]>([
  ["no JSON", "ways.json", "{", "ways.json: "],
  [
    "a slot that nothing fills",
    "ways.json",
    { ...walking, tools: { walk_way: { ...walk, say: ["walk {path_}"] } } },
    "unknown slot path_",
  ],
  [
    "a string that is meant and not said",
    "ways.json",
    { ...walking, tools: { walk_way: { ...walk, say: ["round the ridge{way=Ridge Loop}"] } } },
    "{way=Ridge Loop}: expected a slot that is said, for a string is copied, got Ridge Loop",
  ],
  [
    "a value that its enum lacks",
    "ways.json",
    {
      ...walking,
      tools: { walk_way: { ...walk, takes: { pace: "<slow|fast>! How." }, say: ["stroll{pace=idle}"] } },
    },
    "{pace=idle}: expected slow or fast, got idle",
  ],
  [
    "pools that are made of each other",
    "ways.json",
    { ...walking, pools: { a: ["x {b}"], b: ["{a}"] } },
    "pool a: expected words, got itself by a, b, a",
  ],
  ["no weight", "ways.json", { ...walking, weight: "abc" }, 'weight: expected a number from 0 to 1,000, got "abc"'],
  ["nothing said", "ways.json", { ...walking, chat: [] }, "chat: expected a list of sentences, got []"],
  [
    "empty phrases",
    "ways.json",
    { ...walking, tools: { walk_way: { ...walk, say: [""] } } },
    "walk_way.say: expected a list of phrases",
  ],
  ["no domain's form", "ways.json", "null", "ways.json: file: expected an object"],
  ["an aside with a slot", "ways.json", { ...walking, asides: ["I met {first}"] }, "expected words as they are said"],
  ["a pool with an unknown slot", "ways.json", { ...walking, pools: { wayName: ["{nowhere} Way"] } }, "got nowhere"],
  [
    "a pool that is taken",
    "ways.json",
    { ...walking, pools: { city: ["Bath"] } },
    "pool city: expected a name of its own",
  ],
  ["a domain that is taken", "time.json", walking, "domain time: expected a name of its own"],
  ["no domain", "ways.txt", walking, "expected NAME.json files of domains, got none"],
])("%s is refused, by the file's name", async (_, name, domain, says) => {
  const { err, code } = await synth(name, domain);
  expect(err).toContain(says);
  expect(code).toBe(1);
});
