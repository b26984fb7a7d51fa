/** The Model Context Protocol: one tool that turns a request into calls, and with a router one that makes them. */
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { createMcpHandler, fromJsonSchema, McpServer } from "@modelcontextprotocol/server";
import { StdioServerTransport, serveStdio } from "@modelcontextprotocol/server/stdio";
import type { CallResult, ToolSet } from "../../runtime/index.ts";
import { warn } from "../command.ts";
import type { Desk } from "./desk.ts";
import { version } from "./handler.ts";
import type { Router } from "./router.ts";
import { readTools } from "./turn.ts";

const requestSchema = { type: "string", description: "What a person said or typed, in their own words." } as const;

const callInput = fromJsonSchema<{ request: string; tools?: unknown[] }>({
  type: "object",
  properties: {
    request: requestSchema,
    tools: {
      type: "array",
      items: { type: "object" },
      description: "The tools to call: of MCP, OpenAI or JSON Schema. Without them the server's own.",
    },
  },
  required: ["request"],
});

const callOutput = fromJsonSchema<object>({
  type: "object",
  properties: {
    calls: {
      type: "array",
      items: {
        type: "object",
        properties: {
          name: { type: "string" },
          arguments: { type: "object" },
          confidence: { type: "number" },
          decision: { enum: ["act", "confirm", "ask"] },
          sources: { type: "object" },
        },
        required: ["name", "arguments", "confidence", "decision"],
      },
    },
    decision: { enum: ["act", "confirm", "ask", "none"] },
    cutShort: { type: "boolean" },
    warnings: { type: "array", items: { type: "object" }, description: "What the tools ask and calls may not keep." },
  },
  required: ["calls", "decision", "cutShort"],
});

const runInput = fromJsonSchema<{ request: string; confirm?: string }>({
  type: "object",
  properties: {
    request: requestSchema,
    confirm: { type: "string", description: "What an answer that asks for it gave, once the user has said yes." },
  },
  required: ["request"],
});

/** A server of its own for each connection, or over HTTP for each request. */
export function mcpServer(desk: Desk, usual: ToolSet, router?: Router): McpServer {
  const server = new McpServer({ name: "thimble", version });
  server.registerTool(
    "call_tool_for",
    {
      description:
        "Turns a request in plain words into calls of the given tools, on this machine, in milliseconds. Calls nothing.",
      inputSchema: callInput,
      outputSchema: callOutput,
      annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    },
    async ({ request, tools }, { mcpReq }) =>
      answering(async () => {
        const ask = { request, tools: tools ? readTools(tools) : usual };
        const structured = shown(await desk.call(ask, mcpReq.signal), ask.tools.warnings);
        return { content: [text(JSON.stringify(structured))], structuredContent: structured };
      }),
  );
  if (router)
    server.registerTool(
      "run_request",
      {
        description: `Turns a request in plain words into one call of the connected servers' tools and makes it. What may cost something is not made: the answer says what it would be, and is made when confirmed. Tools: ${router.names}`,
        inputSchema: runInput,
        annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
      },
      async ({ request, confirm }, { mcpReq }) => answering(() => router.run(request, confirm, mcpReq.signal)),
    );
  return server;
}

const text = (text: string) => ({ type: "text" as const, text });

/** What a tool answers; an error is an answer that says so, for the model that called it. */
async function answering<T>(
  work: () => Promise<T>,
): Promise<T | { content: ReturnType<typeof text>[]; isError: true }> {
  try {
    return await work();
  } catch (error) {
    return { content: [text((error as Error).message)], isError: true };
  }
}

function shown({ calls, decision, cutShort }: CallResult, warnings: ToolSet["warnings"]): Record<string, unknown> {
  return {
    calls: calls.map(({ name, arguments: args, confidence, decision, sources }) => ({
      name,
      arguments: args,
      confidence,
      decision,
      sources,
    })),
    decision,
    cutShort,
    ...(warnings.length && { warnings }),
  };
}

/** Streamable HTTP: of the protocol of 2026-07-28, and without sessions of those before. */
export function overHttp(make: () => McpServer): (request: Request) => Promise<Response> {
  const handler = createMcpHandler(make, { onerror: (error) => warn(`mcp: ${error.message}`) });
  return (request) => handler.fetch(request);
}

/** Serves the host that started this process; resolves when it has closed the input and has its answers. */
export async function onStandardInput(make: () => McpServer): Promise<void> {
  // What waits for an answer: the SDK drops it at its input's end, which therefore comes last.
  const open: unknown[] = [];
  const close = (id: unknown) => void (open.includes(id) && open.splice(open.indexOf(id), 1));
  async function* input() {
    yield* process.stdin;
    yield Buffer.from("\n"); // Its last line may have none.
    while (open.length) await sleep(5);
  }
  const stdin = Readable.from(input());
  const ended = new Promise((resolve) => stdin.once("close", resolve));
  const wire = new StdioServerTransport(stdin);
  const handle = serveStdio(make, { transport: wire, onerror: (error) => warn(`mcp: ${error.message}`) });
  const [take, send, end] = [wire.onmessage, wire.send.bind(wire), wire.onclose];
  wire.onmessage = (message) => {
    if ("method" in message) {
      // A subscription is answered when it ends, what is cancelled never.
      if ("id" in message && message.method !== "subscriptions/listen") open.push(message.id);
      if (message.method === "notifications/cancelled") close(message.params?.requestId);
    }
    take?.(message);
  };
  wire.send = (message) => {
    if (!("method" in message)) close(message.id);
    return send(message);
  };
  wire.onclose = () => {
    open.length = 0;
    end?.();
  };
  await ended;
  await handle.close();
}
