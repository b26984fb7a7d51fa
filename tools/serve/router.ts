/** Other servers of the Model Context Protocol: their tools, read once, and one call of them for a request. */

import { createHash } from "node:crypto";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { type Risk, type ToolCall, type ToolInput, ToolSet } from "../../runtime/index.ts";
import { isObject } from "../../runtime/json.ts";
import { snakeCase } from "../../runtime/tools/prompt.ts";
import { readText, warn } from "../command.ts";
import type { Desk } from "./desk.ts";
import { version } from "./handler.ts";
import { kindOf } from "./http.ts";

type Connection =
  | { command: string; args?: string[]; env?: Record<string, string> }
  | { url: string; headers?: Record<string, string> };

/** Whose tool it is, and what its server calls it. */
interface Target {
  server: string;
  tool: string;
  client: Client;
}

type ToolAnswer = Awaited<ReturnType<Client["callTool"]>>;

/** What the servers of a file offer. */
interface Offered {
  tools: ToolInput[];
  set: ToolSet;
  /** By the tool's name in `tools`. */
  targets: Map<string, Target>;
  clients: Client[];
}

/** Connects to every server that a file names. Throws: Error for a file that is none, or if no server has a tool to call. */
export async function connectAll(path: string, desk: Desk): Promise<Router> {
  const { set, targets, clients } = await connect(path);
  return new Router(desk, set, targets, clients);
}

/** The tools of every server that a file names. Throws: as `connectAll`. */
export async function listTools(path: string): Promise<ToolInput[]> {
  const { tools, clients } = await connect(path);
  await closeAll(clients);
  return tools;
}

async function connect(path: string): Promise<Offered> {
  const clients: Client[] = [];
  const offers: { target: Target; tool: ToolInput }[] = [];
  for (const [server, connection] of Object.entries(readConnections(path))) {
    const client = new Client({ name: "thimble", version });
    try {
      await client.connect(transportOf(connection));
      clients.push(client);
      for (const tool of await toolsOf(client))
        offers.push({ target: { server, tool: tool.name as string, client }, tool });
    } catch (error) {
      // The others serve all the same.
      warn(`${path}: ${server}: expected a server of tools, got ${(error as Error).message}; it is left out`);
    }
  }
  const usable = offers.filter(({ target, tool }) => isReadable(target, tool));
  const isShared = ({ server, tool }: Target) =>
    usable.some(({ target }) => target.server !== server && snakeCase(target.tool) === snakeCase(tool));
  const targets = new Map<string, Target>();
  const tools: ToolInput[] = [];
  const taken = new Set<string>();
  for (const { target, tool } of usable) {
    const name = isShared(target) ? `${target.server}_${target.tool}` : target.tool;
    if (taken.has(snakeCase(name))) {
      const remedy = "it is left out: call its server something else";
      warn(`${path}: ${target.server}: ${target.tool}: expected a name of its own, got ${name} again; ${remedy}`);
      continue;
    }
    taken.add(snakeCase(name));
    targets.set(name, target);
    tools.push({ ...tool, name });
  }
  try {
    if (!tools.length) throw new Error(`${path}: expected a server with tools, got none; start them, or mend the file`);
    return { tools, set: ToolSet.from(tools), targets, clients };
  } catch (error) {
    // Connections would keep the process.
    await closeAll(clients);
    throw error;
  }
}

async function closeAll(clients: readonly Client[]): Promise<void> {
  await Promise.allSettled(clients.map((client) => client.close()));
}

/** Throws: Error naming the part of the file that is wrong. */
function readConnections(path: string): Record<string, Connection> {
  let file: unknown;
  try {
    file = JSON.parse(readText(path));
  } catch (error) {
    throw new Error(`${path}: expected JSON, got ${(error as Error).message}`);
  }
  const servers = isObject(file) ? file.mcpServers : undefined;
  if (!isObject(servers))
    throw new Error(`${path}: expected {"mcpServers": {NAME: {…}}}, got ${kindOf(servers)} of them`);
  for (const [name, server] of Object.entries(servers))
    if (!isObject(server) || (typeof server.command !== "string" && typeof server.url !== "string"))
      throw new Error(`${path}: mcpServers.${name}: expected a command or a url, got neither; say how to reach it`);
  return servers as Record<string, Connection>;
}

function transportOf(connection: Connection) {
  if ("command" in connection) return new StdioClientTransport({ ...connection, stderr: "ignore" });
  const { url, headers = {} } = connection;
  return new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
}

/** All pages of a server's list. */
async function toolsOf(client: Client): Promise<ToolInput[]> {
  const tools: ToolInput[] = [];
  for (let cursor: string | undefined, pages = 0; pages < 100; pages++) {
    const page = await client.listTools(cursor === undefined ? {} : { cursor });
    for (const { name, description, inputSchema, annotations } of page.tools)
      tools.push({ name, ...(description && { description }), inputSchema, risk: riskOf(annotations) } as ToolInput);
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  return tools;
}

/** What a tool says of itself; where it says nothing, MCP's default: it may destroy. Source: MCP 2025-06-18, ToolAnnotations. */
function riskOf({
  readOnlyHint = false,
  destructiveHint = true,
}: {
  readOnlyHint?: boolean;
  destructiveHint?: boolean;
} = {}): Risk {
  return readOnlyHint || !destructiveHint ? "safe" : "danger";
}

function isReadable({ server, tool }: Target, input: ToolInput): boolean {
  try {
    return ToolSet.from([input]).tools.length === 1;
  } catch (error) {
    warn(`${server}: ${tool}: ${(error as Error).message}; it is left out`);
    return false;
  }
}

export class Router {
  constructor(
    private readonly desk: Desk,
    private readonly tools: ToolSet,
    private readonly targets: ReadonlyMap<string, Target>,
    private readonly clients: readonly Client[],
  ) {}

  get names(): string {
    return [...this.targets.keys()].join(", ");
  }

  /**
   * Turns a request into one call and makes it where the decision is to act, or where `confirm` is what an answer that
   * asked for it gave: it stands for that call alone.
   */
  async run(request: string, confirm: string | undefined, signal: AbortSignal): Promise<ToolAnswer> {
    const result = await this.desk.call({ request, tools: this.tools, calls: "at most one" }, signal);
    const [call] = result.calls;
    if (!call)
      return said("No tool of the connected servers fits this request.", { decision: "none", executed: false });
    const { server, tool, client } = this.targets.get(call.name) as Target;
    const about = { server, tool, arguments: call.arguments, confidence: call.confidence, decision: call.decision };
    const token = tokenOf(call, server);
    if (call.decision !== "act" && confirm !== token) {
      const what = `${server}: ${tool} ${JSON.stringify(call.arguments)}`;
      const advice = call.decision === "ask" ? "This is a guess: ask the user what is meant" : "Ask the user";
      const text = `Not made yet: ${what}. ${advice}; to make it, call run_request again with confirm ${token}.`;
      return said(text, { ...about, executed: false, confirm: token });
    }
    const answer = await client.callTool({ name: tool, arguments: call.arguments }, { signal });
    return { ...answer, structuredContent: { ...about, executed: true, result: answer.structuredContent ?? null } };
  }

  close(): Promise<void> {
    return closeAll(this.clients);
  }
}

function said(text: string, structuredContent: Record<string, unknown>): ToolAnswer {
  return { content: [{ type: "text", text }], structuredContent };
}

/** Names one call: what a user confirms is what they were shown. */
function tokenOf({ name, arguments: args }: ToolCall, server: string): string {
  return createHash("sha256")
    .update(JSON.stringify([server, name, args]))
    .digest("hex")
    .slice(0, 16);
}
