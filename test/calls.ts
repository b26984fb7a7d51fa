/** Makes calls with every build and prints what comes out and what stays in memory: arm.test.ts compares two machines by it. */
import { load } from "../runtime/index.ts";
import { buildNames } from "../wasm/abi.ts";

const watch = "../tools/watch.json";
const travel = "fixtures/tools/travel-openai.json";
const calendar = "fixtures/tools/calendar-mcp.json";
const nested = "fixtures/tools/nested-jsonschema.json";

const calls = [];
for (const build of buildNames) {
  const model = await load(undefined, { kernels: build });
  for (const [request, file, options] of [
    ["wake me at 7:15 tomorrow", watch],
    ["convert 250 USD to EUR", travel, { offer: 1 }],
    ["book lunch with ana at noon", calendar, { grammar: false }],
    ["set the volume to 20", nested],
  ] as const) {
    const tools = await Bun.file(new URL(file, import.meta.url)).json();
    const { tokens, text } = await model.call(request, tools, options);
    // Weights, activations, KV caches, logits: every number that a call computes from is in linear memory.
    const memory = Bun.hash(new Uint8Array(model.inside.memory.buffer)).toString(16);
    calls.push({ build, request, tokens, text, memory });
  }
  // Kept tools leave the process as bytes, come back in another order, and are forgotten and read again.
  const tools = await Bun.file(new URL(watch, import.meta.url)).json();
  const request = "text anna I'm running late";
  const file = await model.readTools(tools);
  const small = await load(undefined, { kernels: build, toolRows: 512, toolMemory: 0 });
  await small.prepare(file);
  const { tokens, text, timings } = await small.call(request, tools.toReversed());
  for (const name of ["a", "b", "c"])
    await small.call(request, [{ name, description: "word ".repeat(300) }], { grammar: false });
  const again = await small.call(request, tools);
  calls.push({ build, request, tokens, text, memory: Bun.hash(file).toString(16), read: timings.tools.read });
  calls.push({ build, request, tokens: again.tokens, text: again.text, read: again.timings.tools.read });
}
console.log(JSON.stringify({ arch: process.arch, calls }));
