/** `thimble serve --mcp` as hosts know it: both generations of the SDK's client, on both transports, and other servers behind it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as OldStdio } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as OldHttp } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { commandOf, type Host, hosts, type Served, startServer } from "./served.ts";
import { thimble } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "thimble-mcp-"));
const house = fileURLToPath(new URL("./mcpserver.ts", import.meta.url));
const served = new Map<Host, Served>();

function configOf(name: string, mcpServers: object): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify({ mcpServers }));
  return path;
}
const start = (name: string) => ({ command: process.execPath, args: [house, name] });
const connected = configOf("house.json", { house: start("house"), garden: start("garden") });

beforeAll(async () => {
  for (const host of hosts) served.set(host, await startServer(host, "--mcp"));
}, 60_000);
afterAll(async () => {
  for (const one of served.values()) await one.stop();
  rmSync(folder, { recursive: true });
});

const about = { name: "test", version: "1.0.0" };
const cat = {
  name: "feedCat",
  description: "Feed the cat.",
  inputSchema: { type: "object", properties: { food: { type: "string", pattern: "^[a-z]+$" } } },
};
const ways: Record<string, (host: Host) => Promise<Client | OldClient>> = {
  "SDK 2 over HTTP": async (host) => {
    const client = new Client(about);
    await client.connect(new StreamableHTTPClientTransport(new URL(`${served.get(host)?.url}/mcp`)));
    return client;
  },
  "SDK 1 over HTTP": async (host) => {
    const client = new OldClient(about);
    await client.connect(new OldHttp(new URL(`${served.get(host)?.url}/mcp`)));
    return client;
  },
  "SDK 2 over stdio": async (host) => {
    const client = new Client(about);
    const [command, ...args] = commandOf(host, "--mcp", "--stdio");
    await client.connect(new StdioClientTransport({ command, args }));
    return client;
  },
  "SDK 1 over stdio": async (host) => {
    const client = new OldClient(about);
    const [command, ...args] = commandOf(host, "--mcp", "--stdio");
    await client.connect(new OldStdio({ command, args }));
    return client;
  },
};

describe.each(hosts)("on %s", (host) => {
  test.each(Object.keys(ways))("%s: lists its tool, calls it, and is told what is wrong", async (way) => {
    const client = (await ways[way](host)) as Client;
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["call_tool_for"]);
    expect(tools[0].annotations).toMatchObject({ readOnlyHint: true });
    const call = (args: Record<string, unknown>) => client.callTool({ name: "call_tool_for", arguments: args });
    const alarm = await call({ request: "wake me at 7:15 tomorrow" });
    expect(alarm.structuredContent).toMatchObject({
      calls: [{ name: "set_alarm", arguments: { time: "7:15", date: "tomorrow" } }],
      cutShort: false,
    });
    expect(JSON.parse(textOf(alarm))).toEqual(alarm.structuredContent);
    const own = [{ name: "feedCat", description: "Feed the cat.", inputSchema: { type: "object", properties: {} } }];
    const fed = await call({ request: "feed the cat", tools: own });
    expect(fed.structuredContent).toMatchObject({ calls: [{ name: "feedCat", arguments: {} }] });

    const wrong = await call({ request: "x", tools: [{ name: "f", inputSchema: { type: "strng" } }] });
    expect(wrong.isError).toBe(true);
    expect(textOf(wrong)).toContain("tools[0].inputSchema.type");
    expect((await call({ request: " " })).isError).toBe(true);
    const none = await call({}).catch((error) => ({ isError: true, content: [{ type: "text", text: String(error) }] }));
    expect(none.isError).toBe(true);
    expect(textOf(none)).toContain("request");
    await client.close();
  });

  test("a process that its host leaves ends", async () => {
    const child = Bun.spawn(commandOf(host, "--mcp", "--stdio"), { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    child.stdin.write("this is no JSON-RPC\n");
    child.stdin.end();
    expect(await child.exited).toBe(0);
    expect(await new Response(child.stdout).text()).not.toContain("at ");
  });

  test("all that was asked before the input ended is answered, and then the process and what it started end", async () => {
    const asked = [
      { id: 0, method: "initialize", params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: about } },
      { method: "notifications/initialized" },
      // One host numbers two alike.
      ...["wake me at 7:15 tomorrow", "feed the cat", "feed the cat"].map((request, i) => ({
        id: Math.min(1 + i, 2),
        method: "tools/call",
        params: { name: "call_tool_for", arguments: { request, ...(i && { tools: [cat] }) } },
      })),
      { id: 3, method: "nothing/known" },
      // Nobody answers these.
      { id: 4, method: "tools/call", params: { name: "call_tool_for", arguments: { request: "feed the cat" } } },
      { method: "notifications/cancelled", params: { requestId: 4 } },
    ].map((message) => JSON.stringify({ jsonrpc: "2.0", ...message }));
    const last = JSON.stringify({ jsonrpc: "2.0", id: 5, method: "tools/list" });
    for (const more of [[], ["--connect", connected]]) {
      const stdin = new Blob([[...asked, last].join("\n")]);
      const child = Bun.spawn(commandOf(host, "--mcp", "--stdio", ...more), { stdin, stderr: "pipe", timeout: 20_000 });
      const lines = (await new Response(child.stdout).text()).trim().split("\n");
      const answers = new Map(lines.map((line) => JSON.parse(line)).map((one) => [one.id, one]));
      expect([...answers.keys()].sort()).toEqual([0, 1, 2, 3, 5]);
      expect(lines).toHaveLength(6);
      expect(answers.get(1).result.structuredContent.calls).toMatchObject([{ name: "set_alarm" }]);
      expect(answers.get(2).result.structuredContent).toMatchObject({
        calls: [{ name: "feedCat" }],
        warnings: [{ keyword: "pattern" }],
      });
      expect(await child.exited).toBe(0);
    }
  }, 60_000);
});

describe("as a router", () => {
  let client: Client;
  beforeAll(async () => {
    client = new Client(about);
    const [command, ...args] = commandOf("Node", "--mcp", "--stdio", "--connect", connected);
    await client.connect(new StdioClientTransport({ command, args }));
  }, 60_000);
  afterAll(() => client.close());
  const run = (request: string, confirm?: string) =>
    client.callTool({ name: "run_request", arguments: { request, ...(confirm && { confirm }) } });

  test("the connected servers' tools are read once, and told apart where two have one name", async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["call_tool_for", "run_request"]);
    expect(tools[1].description).toEndWith("Tools: house_get_weather, open_door, play_music, garden_get_weather");
    expect(tools[1].annotations).toMatchObject({ destructiveHint: true });
  });

  test("a call that changes something is made when it is confirmed, and that call alone", async () => {
    const asked = await run("open the kitchen door");
    const { executed, confirm, tool } = asked.structuredContent as { executed: boolean; confirm: string; tool: string };
    expect({ executed, tool }).toEqual({ executed: false, tool: "open_door" });
    expect(textOf(asked)).toContain("Not made yet");
    expect((await run("open the attic door", confirm)).structuredContent).toMatchObject({ executed: false });
    expect((await run("open the kitchen door", "yes")).structuredContent).toMatchObject({ executed: false });
    const made = await run("open the kitchen door", confirm);
    expect(made.structuredContent).toMatchObject({ executed: true, server: "house", tool: "open_door" });
    expect(textOf(made)).toMatch(/^house: open_door \{"room":"kitchen/);
  });

  test("a call that only reads is made at once where the model is sure; what fails there is said", async () => {
    const weather = await run("what is the weather in oslo");
    const { decision, executed, confirm } = weather.structuredContent as Record<string, string>;
    expect(executed as unknown).toBe(decision === "act");
    const made = decision === "act" ? weather : await run("what is the weather in oslo", confirm);
    expect(textOf(made)).toMatch(/get_weather \{"location":"oslo"\}$/);
    const first = await run("play jazz");
    const token = (first.structuredContent as { confirm?: string }).confirm;
    const broken = token ? await run("play jazz", token) : first;
    expect(broken.isError).toBe(true);
    expect(textOf(broken)).toContain("no speaker is on");
  });

  test("a port that another has ends it with its servers", async () => {
    const port = String(served.get("Node")?.port);
    for (const host of hosts) {
      const command = commandOf(host, "--mcp", "--connect", connected, "--port", port);
      expect(await Bun.spawn(command, { stderr: "ignore", timeout: 20_000 }).exited).toBe(1);
    }
  }, 60_000);

  test("what nobody can do is said, not guessed", async () => {
    const answer = await run("what is the meaning of life");
    expect(answer.structuredContent).toMatchObject({ executed: false });
  });
});

test("a server that does not start is left out; without any, or with a file that is none, serve says so", async () => {
  const gone = configOf("gone.json", { gone: { command: join(folder, "nothing") } });
  const one = await thimble(["serve", "--mcp", "--stdio", "--connect", gone]);
  expect(one.code).toBe(1);
  expect(one.err).toContain("gone: expected a server of tools");
  expect(one.err).toContain("expected a server with tools, got none");
  const both = configOf("both.json", { gone: { command: join(folder, "nothing") }, house: start("house") });
  const client = new Client(about);
  const [command, ...args] = commandOf("Bun", "--mcp", "--stdio", "--connect", both);
  await client.connect(new StdioClientTransport({ command, args, stderr: "ignore" }));
  expect((await client.listTools()).tools).toHaveLength(2);
  await client.close();
  for (const [name, text] of Object.entries({ "a.json": "{", "b.json": "[]", "c.json": '{"mcpServers":{"x":{}}}' })) {
    writeFileSync(join(folder, name), text);
    const { code, err } = await thimble(["serve", "--mcp", "--connect", join(folder, name)]);
    expect(code).toBe(1);
    expect(err).toMatch(/expected .* got/);
  }
});

test("tools that would have one name are told apart or left out with a warning, and the others serve; of servers without a tool serve ends", async () => {
  /** What the protocol asks of a server that lists tools by these names. */
  const listing = (...names: string[]) => {
    const tools = names.map((name) => ({ name, inputSchema: { type: "object", properties: {} } }));
    const code = `const info = { capabilities: { tools: {} }, serverInfo: { name: "x", version: "1" } };
      require("readline").createInterface(process.stdin).on("line", (line) => {
        const { id, method, params } = JSON.parse(line);
        const { protocolVersion } = params ?? {};
        const result = method === "initialize" ? { protocolVersion, ...info } : { tools: ${JSON.stringify(tools)} };
        if (id !== undefined) console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
      });`;
    return { command: process.execPath, args: ["-e", code] };
  };
  for (const [servers, names] of [
    [{ a: listing("x", "b_x"), b: listing("x", "y") }, "a_x, b_x, y"],
    [{ a: listing("x", "x"), b: listing("y") }, "x, y"],
    [{ "my server": listing("x"), "my-server": listing("x", "y") }, "my server_x, y"],
  ] as const) {
    const path = configOf("names.json", servers);
    const client = new Client(about);
    const [command, ...args] = commandOf("Bun", "--mcp", "--stdio", "--connect", path);
    const transport = new StdioClientTransport({ command, args, stderr: "pipe" });
    let said = "";
    transport.stderr?.on("data", (text) => {
      said += text;
    });
    await client.connect(transport);
    const { tools } = await client.listTools();
    expect(tools[1].description).toEndWith(`Tools: ${names}`);
    await client.close();
    expect(said).toMatch(/: expected a name of its own, got \S.* again; it is left out/);
  }
  const none = await thimble(["serve", "--mcp", "--stdio", "--connect", configOf("none.json", { a: listing() })]);
  expect([none.code, none.err]).toEqual([1, expect.stringContaining("expected a server with tools, got none")]);
}, 60_000);

test("options that do not go together are a wrong command line", async () => {
  for (const args of [["--stdio"], ["--connect", "x"], ["word"], ["--port", "x"], ["--api-key", ""], ["--queue", "0"]])
    expect((await thimble(["serve", ...args])).code).toBe(2);
});

function textOf(answer: { content?: unknown }): string {
  return (answer.content as { text: string }[])[0].text;
}
