import { defaultModel } from "../runtime/default.ts";
import { ToolError } from "../runtime/errors.ts";
import { bytesOf } from "../runtime/load/source.ts";
import { load } from "../runtime/thimble.ts";
import { parsed } from "../runtime/tools/forms.ts";
import type { ToolSet } from "../runtime/tools/tools.ts";
import { hashTools } from "../runtime/wire/hash.ts";
import { packTools } from "../runtime/wire/wire.ts";
import {
  type Command,
  checkOutput,
  print,
  progressLine,
  readBytes,
  UsageError,
  utf8Text,
  writeBytes,
} from "./command.ts";
import { writeHeader } from "./header.ts";
import { modelOf } from "./model.ts";
import { isPacked, toolsIn } from "./toollist.ts";
import { watchModule } from "./watchset.ts";

export const tools: Command = {
  help: `thimble tools pack TOOLS -o FILE
thimble tools show TOOLS [--json]
thimble tools hash TOOLS
thimble tools read TOOLS -o FILE [--model PACK]

A packed list is a third of its JSON; its hash is its name. runtime/wire/WIRE.md draws the bytes. A FILE
that ends in .js is a module for Espruino: the bytes, the hash, and what firmware/espruino/thimble.js checks calls against.
read runs a model over the tools, each on its own, and keeps what it made of them: model.prepare(FILE) takes it up
wherever the same model runs, and firmware/mcu answers from it where there is no JavaScript. A FILE that ends in .h is a
C header of the pack and the tools, for a board without a file system.
TOOLS: a packed list, or JSON in any form that run takes; - for standard input.

  -o, --out FILE   where pack and read write
  --model PACK     a pack's path, URL or name, as thimble pull knows them (the model inside the package)
  --json           print one object, its tools as the prompt shows them and their risk

  thimble tools read tools.json -o tools.kv`,
  options: { out: { type: "string", short: "o" }, model: { type: "string" }, json: { type: "boolean" } },
  async run(input) {
    const [action, path, ...more] = input.words;
    const actions = ["pack", "show", "hash", "read"];
    if (action === undefined || !actions.includes(action))
      throw new UsageError(`tools: expected one of ${actions.join(", ")}, got ${JSON.stringify(action ?? "nothing")}`);
    if (path === undefined || more.length)
      throw new UsageError(`tools ${action}: expected one file of tools, got ${input.words.length - 1}`);
    const out = input.text("out");
    if ((action === "pack" || action === "read") && !out)
      throw new UsageError(`tools ${action}: expected -o FILE, got none`);
    if (out) checkOutput(out, [path, input.text("model")]);

    const given = readBytes(path);
    const set = await toolsIn(given, path);
    const json = isPacked(given) ? null : utf8Text(given, path);
    if (action === "read") return readAhead(set, input.text("model"), out as string);
    const bytes = json === null ? given : packTools(set);
    const share = json === null ? "" : `, ${shareOf(bytes, json)} of its compact JSON`;
    const hash = hashTools(bytes);
    if (action === "hash") return print(hash);
    if (action === "pack") {
      writeBytes(out as string, out?.endsWith(".js") ? watchModule(bytes) : bytes);
      return print(`${out} ${bytes.length} bytes${share} ${hash}`);
    }
    const { warnings } = set;
    if (input.flag("json")) {
      // What a wrong call costs the prompt does not show.
      const shown = set.tools.map(({ risk }, i) => ({ ...JSON.parse(set.texts[i]), ...(risk !== "safe" && { risk }) }));
      return print(JSON.stringify({ hash, bytes: bytes.length, tools: shown, warnings }));
    }
    print(`${hash} ${set.tools.length} tools, ${bytes.length} bytes${share}, ${set.prompt.length} in the prompt`);
    for (const text of set.texts) print(text);
    for (const { name, risk } of set.tools) if (risk !== "safe") print(`${name} risk: ${risk}`);
    for (const { path, message } of warnings) print(`${path} ${message}`);
  },
};

async function readAhead(set: ToolSet, name: string | undefined, out: string): Promise<void> {
  const source = await modelOf(name);
  const model = await load(source, { cache: true });
  const progress = progressLine("reading tools");
  const onProgress = ({ read, total }: { read: number; total: number }) => progress(read / total);
  const isHeader = out.endsWith(".h");
  const forHosts = (error: unknown) => {
    if (!(error instanceof ToolError) || isHeader) throw error;
    return model.readTools(set, { onProgress }).then((file) => ({ file, unfit: error.message }));
  };
  const { file, unfit } = await model
    .readTools(set, { onProgress, device: true })
    .then((file) => ({ file, unfit: "" }), forHosts);
  const pack = isHeader ? await bytesOf(source ?? defaultModel()) : undefined;
  writeBytes(out, pack ? writeHeader({ pack, tools: file }) : file);
  const bytes = pack ? `${pack.length} bytes of pack, ${file.length} of tools` : `${file.length} bytes`;
  print(`${out} ${bytes}, ${set.tools.length} tools`);
  if (unfit) print(`not for devices without JavaScript: ${unfit}`);
}

function shareOf(bytes: Uint8Array, json: string): string {
  const compact = new TextEncoder().encode(JSON.stringify(parsed(json)));
  return `${((100 * bytes.length) / compact.length).toFixed(1)}%`;
}
