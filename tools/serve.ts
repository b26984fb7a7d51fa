import { basename } from "node:path";
import { mostThreads } from "../runtime/engine/threads.ts";
import { load } from "../runtime/index.ts";
import { type Command, refuseWords, UsageError, warn } from "./command.ts";
import { modelOf } from "./model.ts";
import { watchTools } from "./run.ts";
import { Desk, mostAnswerTokens } from "./serve/desk.ts";
import { Guard } from "./serve/guard.ts";
import { handlerOf } from "./serve/handler.ts";
import { listen, untilStopped } from "./serve/listen.ts";
import { Metrics } from "./serve/metrics.ts";
import { withSdk } from "./serve/sdk.ts";
import { readTools } from "./toollist.ts";

export const serve: Command = {
  help: `thimble serve [--port 7861] [--host ADDRESS] [--model PACK] [--tuning FILE] [--api-key KEY] [--cors ORIGIN] [--mcp] [--connect FILE]

An OpenAI-compatible server on this machine: POST /v1/chat/completions and /v1/responses, GET /v1/models, /health and
/metrics; POST /thimble/call takes {"request", "tools"} and gives all that a call says of itself.

  --port PORT      where it listens (7861); 0 for any that is free
  --host ADDRESS   by default 127.0.0.1: this machine alone
  --model PACK     a pack's path, URL or name, as thimble pull knows them (the model inside the package)
  --tuning FILE    what thimble finetune made of that pack
  --threads N      threads of the prefill (1)
  --api-key KEY    asked of every client, as Authorization: Bearer KEY; or in the environment, THIMBLE_API_KEY
  --cors ORIGIN    lets pages of this origin ask, * for all (none)
  --queue N        most calls that run and wait; more get 429 (256)
  --mcp            POST /mcp: the Model Context Protocol over streamable HTTP
  --stdio          with --mcp: over standard input and output, as hosts start it; nothing listens
  --tools FILE     with --mcp and /thimble/call: the tools where a request brings none (a watch's tools)
  --connect FILE   with --mcp: {"mcpServers": {…}}, servers whose tools a request is turned into calls of

  thimble serve & curl localhost:7861/health`,
  options: {
    port: { type: "string" },
    host: { type: "string" },
    model: { type: "string" },
    tuning: { type: "string" },
    threads: { type: "string" },
    "api-key": { type: "string" },
    cors: { type: "string" },
    queue: { type: "string" },
    mcp: { type: "boolean" },
    stdio: { type: "boolean" },
    tools: { type: "string" },
    connect: { type: "string" },
  },
  async run(input) {
    refuseWords(input, "serve");
    const port = input.integer("port", 0, 65_535) ?? 7861;
    const queue = input.integer("queue", 1, 65_536) ?? 256;
    const threads = input.integer("threads", 1, mostThreads);
    const host = input.text("host") ?? "127.0.0.1";
    const key = input.text("api-key") ?? process.env.THIMBLE_API_KEY;
    const [isMcp, isPiped, connect] = [input.flag("mcp"), input.flag("stdio"), input.text("connect")];
    if ((isPiped || connect !== undefined) && !isMcp)
      throw new UsageError(`serve: expected --mcp beside ${isPiped ? "--stdio" : "--connect"}, got none; add it`);
    if (key === "") throw new UsageError("--api-key: expected a key, got none; leave the option out to ask for none");
    // Before the model is loaded: what is missing is said at once.
    const mcp = isMcp ? await withSdk("server", import("./serve/mcp.ts")) : undefined;
    const routing = connect === undefined ? undefined : await withSdk("client", import("./serve/router.ts"));
    const tools = await readTools(input.text("tools") ?? watchTools);
    const [named, tuning] = [input.text("model"), input.text("tuning")];
    const model = await load(await modelOf(named), {
      cache: true,
      ...(tuning !== undefined && { tuning }),
      threads,
      promptTokens: 1024,
      answerTokens: mostAnswerTokens,
    });
    const desk = new Desk(model, new Metrics(), queue);
    const router = routing && (await routing.connectAll(connect as string, desk));
    const make = mcp && (() => mcp.mcpServer(desk, tools, router));
    if (mcp && make && isPiped) return mcp.onStandardInput(make).finally(() => router?.close());

    const cors = input.text("cors");
    const guard = new Guard({ host, ...(key !== undefined && { key }), ...(cors !== undefined && { cors }) });
    const path = named && /^https?:/.test(named) ? new URL(named).pathname : named;
    const name = path === undefined ? "thimble" : basename(path).replace(/\.\w+$/, "");
    const service = { desk, name, tools, guard, ...(mcp && make && { mcp: mcp.overHttp(make) }) };
    const server = await listen(handlerOf(service), port, host).catch(async (error) => {
      // The servers connected would keep this process.
      await router?.close();
      throw error;
    });
    const address = host.includes(":") ? `[${host}]` : host;
    warn(`serving ${name} on http://${address}:${server.port}/v1`);
    if (!isLoopback(host) && key === undefined)
      warn(`${host} may be reached by other machines, and no key is asked for; --api-key KEY asks for one`);
    untilStopped(server, () => router?.close());
  },
};

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
