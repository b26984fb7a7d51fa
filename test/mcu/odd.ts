/** A small model of another geometry and tools of many kinds, always the same: what the fuzzer changes. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { load, ToolSet } from "../../runtime/index.ts";
import type { Calibration, Leaning } from "../../runtime/pack/calibration.ts";
import { fixture, oddGeometry, packOf, randomCheckpoint, talkative } from "../support.ts";

/** Writes both files into a folder, for one of fixtures/tools or a list as JSON, and what the calibration leans by; returns their paths. */
export async function oddFiles(
  folder: string,
  list = "calendar-mcp.json",
  lean?: Leaning,
): Promise<{ pack: string; tools: string; set: ToolSet }> {
  const calibration: Calibration = await Bun.file(
    new URL("../../runtime/model/calibration.json", import.meta.url),
  ).json();
  const notes = { prompt: "apart", copies: true, ...(lean && { calibration: { ...calibration, lean } }) } as const;
  const bytes = await packOf(talkative(randomCheckpoint(oddGeometry, 21)), notes);
  const set = ToolSet.from(list.startsWith("[") ? list : readFileSync(fixture(`tools/${list}`), "utf8")).inOrder();
  const model = await load(bytes);
  const [pack, tools] = [join(folder, "odd.thimble"), join(folder, "odd.kv")];
  writeFileSync(pack, bytes);
  writeFileSync(tools, await model.readTools(set, { device: true }));
  model.close();
  return { pack, tools, set };
}

if (import.meta.main) console.log(await oddFiles(process.argv[2]));
