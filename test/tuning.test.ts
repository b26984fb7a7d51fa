/** A tuning beside its model: same encoder, same kept tools, another decoder. */
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultModel, FormatError, load, pull } from "../runtime/index.ts";
import { modelId } from "../runtime/pack/pack.ts";
import { openPack, writeMerged, writeTuning } from "../tools/finetune/files.ts";
import { readParameters } from "../tools/finetune/parameters.ts";
import { startServer } from "./served.ts";
import { seeded, thimble } from "./support.ts";

const bytes = new Uint8Array(readFileSync(defaultModel()));
const pack = openPack(bytes);
const tools = JSON.parse(readFileSync(new URL("../tools/watch.json", import.meta.url), "utf8"));
const request = "text anna i am running late and wake me at 7:15 tomorrow";
const own = readParameters(pack.header.geometry, pack.field);

/** The decoder with its weights shaken, so that it says something else. */
const shaken = (() => {
  const next = seeded(11);
  const weights = own.map((w) => w * (1 + 1.2 * (next() - 0.5)));
  // The final norm comes last: of every other gain another sign.
  for (let i = 1; i <= pack.header.geometry.dModel; i += 2) weights[weights.length - i] = -2 - own[own.length - i];
  return weights;
})();
const notes = { provenance: { tuned: "by hand" } };
const same = writeTuning(pack, own, notes);
const other = writeTuning(pack, shaken, notes);

test("a tuning of a model's own weights answers as the model, and takes less than a third of its bytes", async () => {
  const [base, tuned] = await Promise.all([load(bytes), load(bytes, { tuning: same })]);
  expect(same.length).toBeLessThan(bytes.length / 3);
  expect((await tuned.call(request, tools)).text).toBe((await base.call(request, tools)).text);
});

test("sessions with tunings share the encoder and the tools that were read, and leave the model's own answer alone", async () => {
  const model = await load(bytes);
  const first = await model.call(request, tools);
  const session = model.session({ tuning: await model.tune(other) });
  const tuned = await session.call(request, tools);
  expect(tuned.timings.tools.read).toBe(0);
  expect(tuned.tokens).not.toEqual(first.tokens);
  expect((await model.call(request, tools)).tokens).toEqual(first.tokens);
  const alone = await load(bytes, { tuning: other });
  expect((await alone.call(request, tools)).tokens).toEqual(tuned.tokens);
  const merged = writeMerged(pack, shaken, notes);
  expect((await (await load(merged)).call(request, tools)).tokens).toEqual(tuned.tokens);
});

test("a tuning answers what calls a tool that it learned, the model's own decoder all else, to the token", async () => {
  const model = await load(bytes);
  const names = (tools as { name: string }[]).map(({ name }) => name);
  const requests = [request, "set a timer for ten minutes", "call mum", "what a day"];
  const tunedBy = async (weights: Float32Array, taught: string[]) =>
    model.session({ tuning: await model.tune(writeTuning(pack, weights, { ...notes, taught })) });
  const answers = (by: Pick<typeof model, "call">) => Promise.all(requests.map((one) => by.call(one, tools)));
  const tokens = (list: Awaited<ReturnType<typeof answers>>) => list.map((one) => one.tokens);
  const [own_, others] = [await answers(model), await answers(model.session({ tuning: await model.tune(other) }))];
  expect(own_.every(({ tuned }) => tuned === undefined)).toBe(true);
  expect(others.every(({ tuned }) => tuned)).toBe(true);

  const none = await answers(await tunedBy(shaken, ["open_umbrella"]));
  expect(none.map(({ tuned }) => tuned)).toEqual([false, false, false, false]);
  expect(tokens(none)).toEqual(tokens(own_));

  expect(tokens(await answers(await tunedBy(shaken, names)))).toEqual(tokens(others));

  // A decoder that says what the model says: which of them answers is all that differs.
  const mixed = await answers(await tunedBy(own, ["set_timer"]));
  expect(mixed.map(({ tuned }) => tuned)).toEqual(own_.map(({ calls }) => calls[0]?.name === "set_timer"));
  expect(mixed.filter(({ tuned }) => tuned)).toHaveLength(1);
  expect(tokens(mixed)).toEqual(tokens(own_));
  // What the shaken decoder says of a mixed list counts as far as it names a tool that it learned.
  const astray = await answers(await tunedBy(shaken, ["set_timer"]));
  for (const [i, { tuned, tokens: said }] of astray.entries())
    expect(said).toEqual(tuned ? others[i].tokens : own_[i].tokens);
  model.close();
});

test("without the grammar a tuning answers lists of tools that it learned alone", async () => {
  const model = await load(bytes);
  const names = (tools as { name: string }[]).map(({ name }) => name);
  const free = { grammar: false };
  for (const [taught, tuned] of [
    [names, true],
    [names.slice(1), false],
  ] as const) {
    const tuning = await model.tune(writeTuning(pack, own, { ...notes, taught: [...taught] }));
    expect((await model.session({ tuning }).call(request, tools, free)).tuned).toBe(tuned);
  }
  model.close();
});

test("a merged pack has all but the decoder byte for byte", () => {
  const merged = openPack(writeMerged(pack, shaken, notes));
  const sections = pack.header.sections.map(({ name }, i) => [
    name,
    merged.header.sections[i].checksum === pack.header.sections[i].checksum,
  ]);
  for (const [name, isSame] of sections) expect([name, isSame]).toEqual([name, !/^(decoder|norms)/.test(String(name))]);
  expect(merged.field("norms", "encoderNorm")).toEqual(pack.field("norms", "encoderNorm"));
});

test("under a memory budget, where weights pass through a ring, a tuning answers as without", async () => {
  const wide = await (await load(bytes, { tuning: other })).call(request, tools);
  const path = join(mkdtempSync(join(tmpdir(), "tuning-")), "base.thimble");
  writeFileSync(path, bytes);
  const limits = { toolRows: 512, promptTokens: 64, answerTokens: 64 };
  const narrow = await load(path, { tuning: other, memory: 4 * 2 ** 20, ...limits });
  expect((await narrow.call(request, tools)).tokens).toEqual(wide.tokens);
  narrow.close();
});

test("a tuning's calibration decides, unless load is given another", async () => {
  const calibration = {
    ...(pack.header.calibration as NonNullable<typeof pack.header.calibration>),
    act: 1,
    confirm: 1,
  };
  const tuning = writeTuning(pack, own, { ...notes, calibration });
  expect((await load(bytes, { tuning })).calibration.act).toBe(1);
  const model = await load(bytes);
  const session = model.session({ tuning: await model.tune(tuning) });
  expect((await session.call("set a timer for 10 minutes", tools)).decision).toBe("ask");

  const { calibration: usual } = pack.header;
  const free = { ...(usual as NonNullable<typeof usual>), act: 0, confirm: 0 };
  const given = await load(bytes, { calibration: free });
  const alike = given.session({ tuning: await given.tune(tuning) });
  expect((await alike.call("set a timer for 10 minutes", tools)).decision).toBe("act");
  expect((await load(bytes, { calibration: free, tuning })).calibration.act).toBe(0);
});

test("a tuning finds room where tools fill the memory that there may be", async () => {
  const model = await load(bytes, { memory: 6 * 2 ** 20 });
  for (let i = 0; i < 60; i++) {
    const some = (tools as { description: string }[]).map((tool) => ({
      ...tool,
      description: `${tool.description} ${i}`,
    }));
    await model.call(request, some.slice(0, 8));
  }
  const session = model.session({ tuning: await model.tune(same) });
  expect((await session.call(request, tools)).text).toBe((await model.call(request, tools)).text);
});

test("a tuning in another model's memory, or not in memory yet, is refused", async () => {
  const [one, another] = await Promise.all([load(bytes), load(bytes)]);
  const foreign = await another.tune(same);
  for (const tuning of [foreign, same as unknown as typeof foreign])
    expect(() => one.session({ tuning })).toThrow(/this model's tune\(\) gave/);
});

test("what is no tuning of this model is refused, with what to do", async () => {
  const refused = async (tuning: Uint8Array, path: string, remedy: string) => {
    const error = await load(bytes, { tuning }).catch((caught) => caught);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.path).toBe(path);
    expect(error.message).toContain(remedy);
  };
  await refused(bytes, "header.tunes", "load that in the place of the model");
  const elsewhere = openPack(writeMerged(pack, shaken, notes));
  await refused(writeTuning(elsewhere, own, notes), "header.tunes", "beside the pack that it was made from");
  for (const taught of ["set_timer", [1], ["a\u001b[2J"]])
    await refused(writeTuning(pack, own, { ...notes, taught: taught as string[] }), "header.taught", "names of tools");
  const damaged = same.slice();
  damaged[damaged.length - 100] ^= 1;
  await refused(damaged, "norms", "damaged").catch(() => refused(damaged, "decoder.2", "damaged"));
  await refused(same.slice(0, 10), "prefix", "cut short");
  await refused(same.slice(0, 100), "header", "cut short");
  await refused(same.slice(0, same.length - 1), "decoder.2", "cut short");
  const asModel = await load(same).catch((caught) => caught);
  expect([asModel.path, asModel.message]).toEqual([
    "header.tunes",
    expect.stringContaining("{ tuning } (--tuning) beside its model"),
  ]);
});

test("run answers with --tuning, and inspect says of which model a file is and checks every byte of it", () => {
  const folder = mkdtempSync(join(tmpdir(), "tuning-cli-"));
  const path = join(folder, "mine.tuning");
  const cli = (...args: string[]) => {
    const { stdout, stderr, exitCode } = Bun.spawnSync([process.execPath, "tools/cli.ts", ...args], {
      cwd: new URL("../", import.meta.url).pathname,
    });
    return { out: stdout.toString(), err: stderr.toString(), exitCode };
  };
  writeFileSync(path, same);
  expect(cli("run", request, "--tuning", path).out).toBe(cli("run", request).out);
  const model = modelId(pack.header).toString(16).padStart(8, "0");
  expect(cli("inspect", path).out).toContain(`${same.length} bytes, a tuning of model ${model}`);
  expect(cli("inspect", path).out).toContain("answers:     everything\n");
  const { pieces, ...head } = JSON.parse(cli("inspect", path, "--json").out);
  expect([head.kind, head.tunes, pieces]).toEqual(["tuning", modelId(pack.header), undefined]);
  const damaged = same.slice();
  damaged[damaged.length >> 1] ^= 1;
  writeFileSync(path, damaged);
  const refused = cli("inspect", path);
  expect([refused.exitCode, refused.err]).toEqual([1, expect.stringContaining("the file is damaged")]);
}, 60_000);

test("pull keeps a tuning in the cache, and load takes it from there", async () => {
  const server = Bun.serve({ port: 0, fetch: () => new Response(other.slice()) });
  const before = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = mkdtempSync(join(tmpdir(), "tuning-cache-"));
  try {
    const kept = await pull(new URL("mine.tuning", server.url));
    server.stop(true);
    const tuned = await load(bytes, { tuning: kept });
    expect((await tuned.call(request, tools)).tokens).not.toEqual(
      (await (await load(bytes)).call(request, tools)).tokens,
    );
  } finally {
    server.stop(true);
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  }
});

test("serve and companion answer with the tuning that they are given", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tuning-"));
  const paths = [same, other].map((tuning, i) => {
    const path = join(folder, `${i}.tuning`);
    writeFileSync(path, tuning);
    return path;
  });
  const functions = tools.map((tool: object) => ({ type: "function", function: tool }));
  const served = async (tuning: string) => {
    await using server = await startServer("Bun", "--tuning", tuning);
    const body = { model: "thimble", messages: [{ role: "user", content: request }], tools: functions };
    const answer = await fetch(`${server.url}/v1/chat/completions`, { method: "POST", body: JSON.stringify(body) });
    const { choices } = (await answer.json()) as {
      choices: { message: { tool_calls?: { function: { name: string; arguments: string } }[] } }[];
    };
    return (choices[0].message.tool_calls ?? []).map(({ function: one }) => [one.name, JSON.parse(one.arguments)]);
  };
  const called = async (tuning: Uint8Array) =>
    (await (await load(bytes, { tuning })).call(request, tools)).calls.map((one) => [one.name, one.arguments]);
  const [plainly, otherwise] = [await called(same), await called(other)];
  expect(otherwise).not.toEqual(plainly);
  expect([await served(paths[0]), await served(paths[1])]).toEqual([plainly, otherwise]);

  const said = async (...more: string[]) => {
    const { out, code } = await thimble(["companion", "--simulate", "bangle", ...more], `${request}\n`);
    expect(code).toBe(0);
    return out.replace(/confidence .*/g, ""); // its last digit may be that of another rounding
  };
  const [own_, alike, unlike] = [await said(), await said("--tuning", paths[0]), await said("--tuning", paths[1])];
  expect(alike).toBe(own_);
  expect(unlike).not.toBe(own_);
}, 60_000);
