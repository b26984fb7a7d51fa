/** Which of many tools a call sees where they are read apart. */
import { expect, test } from "bun:test";
import { octet } from "../runtime/engine/sessionplan.ts";
import { CapacityError, load, ToolSet } from "../runtime/index.ts";
import { Apart } from "../runtime/prompt/apart.ts";
import { lexicalScores } from "../runtime/tools/words.ts";
import { hostOf } from "../tools/bench/runs.ts";
import { pad } from "../wasm/abi.ts";
import { answerOf, apartPack, limits, longTool, toolOf, toolsOf } from "./apart.ts";
import { oddGeometry, packOf, randomCheckpoint } from "./support.ts";

const pack = await apartPack();

test("offering all tools is offering exactly those; of more than eight the likeliest eight, or as many as are asked for and fit", async () => {
  const request = "the oven of room nine";
  const model = await load(pack, limits);
  const offeredOf = async (count: number, offer?: number) =>
    (await model.call(request, toolsOf(count), offer === undefined ? {} : { offer })).timings.tools.offered;
  expect([await offeredOf(8), await offeredOf(9), await offeredOf(40)]).toEqual([8, 8, 8]);
  expect([await offeredOf(9, 9), await offeredOf(9, 1000)]).toEqual([9, 9]);
  expect(await offeredOf(40, 1)).toBeGreaterThanOrEqual(2);
  expect(await offeredOf(40, 40)).toBeGreaterThan(await offeredOf(40, 1));
  expect(await offeredOf(40, 40)).toBeLessThan(40);
  const few = toolsOf(9);
  const names = new Set((await model.rank(request, few)).slice(0, 5).map(({ name }) => name));
  const likeliest = few.filter((tool) => names.has(tool.name as string));
  const exactly = await model.call(request, likeliest, { offer: likeliest.length });
  expect(exactly.tokens).toEqual((await answerOf(model, request, likeliest)).tokens);
});

test("tools that fill a session's rows are all offered; of eight that do not fit, as many as do", async () => {
  const model = await load(pack, limits);
  const { texts } = ToolSet.from(toolsOf(8));
  const rows = texts.reduce((sum, text) => sum + pad(model.inside.kept.rowsOf(text), octet), 0);
  const offered = [];
  for (const toolRows of [rows, rows - octet])
    offered.push((await (await load(pack, { ...limits, toolRows })).call("oven", toolsOf(8))).timings.tools.offered);
  expect(offered).toEqual([8, 7]);
});

test("of more than fit those are offered that the head or words find likeliest, whatever their place in the list", async () => {
  const model = await load(pack, limits);
  const session = model.session();
  const way = new Apart(model.inside, session);
  const set = ToolSet.from(toolsOf(60));
  const turned = ToolSet.from(toolsOf(60).toReversed());
  for (const request of ["the oven of room nine", "zebra crossing", "play", "please heat it up to 12"]) {
    const [first] = await model.rank(request, set);
    const words = lexicalScores(request, set.inOrder());
    const said = set.inOrder().tools[words.indexOf(Math.max(...words))];
    for (const offer of [undefined, 1, 3]) {
      const shown: string[][] = [];
      for (const given of [set, turned]) {
        const { set: seen, release } = await way.show(request, given, offer, hostOf(model, session, 64));
        shown.push(seen.tools.map(({ name }) => name));
        release();
      }
      expect(shown[0]).toContain(first.name);
      expect(shown[0]).toContain(said.name);
      expect(shown[1]).toEqual(shown[0]);
    }
  }
});

test("200 tools are no error; one that is too long is, by its name, with a remedy that works", async () => {
  const model = await load(pack, limits);
  const { timings } = await model.call("turn the radio on", toolsOf(200));
  expect(timings.tools).toMatchObject({ given: 200, read: 200 });
  expect(timings.tools.offered).toBeLessThan(40);
  expect((await model.call("turn the radio on", toolsOf(200))).timings.tools.read).toBe(0);
  const long = { ...toolOf(1), name: "verbose", description: "word ".repeat(600) };
  const error = await model.call("hi", [toolOf(2), long]).catch((e) => e);
  expect(error).toBeInstanceOf(CapacityError);
  expect(error.message).toMatch(/^tool verbose: expected a tool of at most 512 rows, got \d+; .*toolRows \d+$/);
  const [, rows] = error.message.match(/toolRows (\d+)/);
  const roomy = await load(pack, { ...limits, toolRows: Number(rows) });
  expect((await roomy.call("hi", [long])).timings.tools.offered).toBe(1);
});

test("of a part of a list those are offered that have room, unless none has, or the request names one that has none", async () => {
  const model = await load(pack, limits);
  const list = [toolOf(2), longTool(600)];
  const { timings } = await model.call("hi", list, { offer: 8 });
  expect(timings.tools).toEqual({ given: 2, offered: 1, read: 1 });
  expect((await model.call("hi", [...toolsOf(20), longTool(600)])).timings.tools).toMatchObject({
    given: 21,
    offered: 8,
  });
  await expect(model.call("be verbose", list, { offer: 8 })).rejects.toThrow(
    /^tool verbose: .* say less in it or load/,
  );
  await expect(model.call("hi", [longTool(600)], { offer: 8 })).rejects.toThrow(/^tool verbose: /);
});

test("a pack without the head ranks and offers by words, be a tool too long for a call or not", async () => {
  const geometry = { ...oddGeometry, contrastiveHidden: 0, contrastiveDim: 0 };
  const model = await load(await packOf(randomCheckpoint(geometry, 3), { prompt: "apart" }), {
    ...limits,
    toolRows: 1024,
  });
  const [first] = await model.rank("verbose", [toolOf(2), longTool(600)]);
  expect(first.name).toBe("verbose");
  const { timings } = await model.call("lamp", toolsOf(20), { grammar: false });
  expect(timings.tools).toEqual({ given: 20, offered: 8, read: 8 });
});
