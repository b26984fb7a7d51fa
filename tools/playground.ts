import { fileURLToPath } from "node:url";
import { defaultModel, load, pull, ToolSet } from "../runtime/index.ts";
import { entriesOf, parsed } from "../runtime/tools/forms.ts";
import { type Command, readText, refuseWords, UsageError, warn } from "./command.ts";
import { modelOf } from "./model.ts";
import { exportPage, pageOf } from "./playground/page.ts";
import { Tunes } from "./playground/tunes.ts";
import { watchTools } from "./run.ts";
import { Desk, mostAnswerTokens } from "./serve/desk.ts";
import { Guard } from "./serve/guard.ts";
import { handlerOf } from "./serve/handler.ts";
import { listen, untilStopped } from "./serve/listen.ts";
import { Metrics } from "./serve/metrics.ts";
import { withSdk } from "./serve/sdk.ts";
import { checkedToolsText } from "./toollist.ts";

export const playground: Command = {
  help: `thimble playground [--port 7860] [--host ADDRESS] [--model PACK] [--tools FILE] [--connect FILE] [--export FOLDER]

A page to try tools and requests on: calls as you type, why each token was chosen, what a watch and glasses make of them;
and to teach the model your tools. The model runs in the page; nothing that is typed leaves it, unless you have the server
teach. The same port answers as thimble serve does.

  --port PORT      where it listens (7860); 0 for any that is free
  --host ADDRESS   by default 127.0.0.1: this machine alone
  --model PACK     a pack's path, URL or name, as thimble pull knows them (the model inside the package)
  --tools FILE     tools to begin with, JSON in any form
  --connect FILE   {"mcpServers": {…}}: the tools of these servers to begin with; none of them is called
  --export FOLDER  writes the page as files that any web server can hold, and ends

  thimble playground`,
  options: {
    port: { type: "string" },
    host: { type: "string" },
    model: { type: "string" },
    tools: { type: "string" },
    connect: { type: "string" },
    export: { type: "string" },
  },
  async run(input) {
    refuseWords(input, "playground");
    const port = input.integer("port", 0, 65_535) ?? 7860;
    const host = input.text("host") ?? "127.0.0.1";
    const pack = await packFile(input.text("model"));
    const [toolsPath, connect, folder] = ["tools", "connect", "export"].map((name) => input.text(name));
    if (toolsPath !== undefined && connect !== undefined)
      throw new UsageError("playground: expected one of --tools and --connect, got both; leave one out");
    const parts = { pack, tools: connect ? await connectedTools(connect) : toolsPath ? readTools(toolsPath) : [] };
    if (folder !== undefined) {
      exportPage(folder, parts);
      return warn(`${folder} has the page: serve it from any web server`);
    }
    const page = pageOf(parts);
    const model = await load(pack, { promptTokens: 1024, answerTokens: mostAnswerTokens });
    const desk = new Desk(model, new Metrics(), 256);
    const tools = ToolSet.from(readText(watchTools));
    const courses = new Tunes(pack);
    const tunes: Tunes["handle"] = (...asked) => courses.handle(...asked);
    const service = { desk, name: "thimble", tools, guard: new Guard({ host }), page, tunes };
    const server = await listen(handlerOf(service), port, host);
    warn(`playground on http://${host.includes(":") ? `[${host}]` : host}:${server.port}/`);
    untilStopped({
      ...server,
      close() {
        courses.close();
        return server.close();
      },
    });
  },
};

/** Throws: Error for a file that is no list of tools. */
function readTools(path: string): unknown[] {
  return entriesOf(parsed(checkedToolsText(path))).entries.map(({ value }) => value);
}

async function connectedTools(path: string): Promise<unknown[]> {
  const { listTools } = await withSdk("client", import("./serve/router.ts"));
  return listTools(path);
}

/** Where the pack lies on this machine; one from the web is fetched into the cache. */
async function packFile(name: string | undefined): Promise<string> {
  const source = (await modelOf(name)) ?? defaultModel();
  const local = /^https?:/.test(String(source)) ? await pull(String(source)) : source;
  const path = local instanceof URL ? fileURLToPath(local) : local;
  if (typeof path === "string") return path;
  throw new Error("--model: expected a pack that is a file here, got one that is none; give its path");
}
