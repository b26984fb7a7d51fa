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
}
console.log(JSON.stringify({ arch: process.arch, calls }));
