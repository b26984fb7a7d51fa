/** `thimble serve` as its clients know it: the openai package and plain HTTP, on Bun and on Node. */
import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { copyFileSync, mkdtempSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import OpenAI from "openai";
import type { RunnableToolFunctionWithParse } from "openai/lib/RunnableFunction";
import type { ChatCompletionTool } from "openai/resources/chat/completions";
import { defaultModel, load, type ToolInput, ToolSet } from "../runtime/index.ts";
import { eventStream } from "../tools/serve/sse.ts";
import { Writing } from "../tools/serve/written.ts";
import { commandOf, hosts, type Served, startServer, until } from "./served.ts";

const functions: { name: string; description: string; parameters: Record<string, unknown> }[] = [
  {
    name: "setTimer",
    description: "Start a countdown timer.",
    parameters: { type: "object", properties: { duration: { type: "string" } }, required: ["duration"] },
  },
  {
    name: "set_lights",
    description: "Turn lights on or off.",
    parameters: {
      type: "object",
      properties: { room: { type: "string" }, state: { enum: ["on", "off"] } },
      required: ["state"],
    },
  },
];
const tools: ChatCompletionTool[] = functions.map((one) => ({ type: "function", function: one }));
const flat = functions.map((one) => ({ type: "function" as const, strict: false, ...one }));
const user = (content: string) => [{ role: "user" as const, content }];
const two = "set a timer for 10 minutes and turn the kitchen lights off";
const twoCalls = [
  ["setTimer", { duration: "10 minutes" }],
  ["set_lights", { room: "kitchen", state: "off" }],
];
const model = "thimble";

describe.each(hosts)("on %s", (host) => {
  let served: Served;
  let client: OpenAI;
  beforeAll(async () => {
    served = await startServer(host);
    client = new OpenAI({ baseURL: `${served.url}/v1`, apiKey: "none", maxRetries: 0 });
  });
  afterAll(async () => {
    // What ends a server is no failure, and nothing went wrong on the way that it did not tell a client.
    expect(await served.stop()).toBe(0);
    expect(served.said()).not.toContain("Error");
  });

  const post = (path: string, body: unknown, init: RequestInit = {}) =>
    fetch(`${served.url}${path}`, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...init,
    });
  const chat = (body: object) => post("/v1/chat/completions", { model, messages: user(two), tools, ...body });
  const errorOf = async (response: Response) => ({ status: response.status, ...(await response.json()).error });

  test("a completion has every call, in the caller's names, and counts its tokens", async () => {
    const { choices, usage, object, id } = await client.chat.completions.create({ model, messages: user(two), tools });
    const [{ message, finish_reason }] = choices;
    expect({ object, finish_reason, content: message.content }).toEqual({
      object: "chat.completion",
      finish_reason: "tool_calls",
      content: null,
    });
    expect(id).toStartWith("chatcmpl-");
    const calls = message.tool_calls ?? [];
    expect(new Set(calls.map((call) => call.id)).size).toBe(2);
    for (const call of calls) {
      expect(call.id).toStartWith("call_");
      if (call.type !== "function") throw new Error("expected a function");
      expect(typeof call.function.arguments).toBe("string");
    }
    expect(read(calls)).toEqual(twoCalls as never);
    expect(usage?.prompt_tokens).toBeGreaterThan(5);
    expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
  });

  test("what does not fit, and a request without tools, are answered in words and stop", async () => {
    for (const body of [{ tools: undefined }, { tools: [] }, { messages: user("what is the meaning of life") }]) {
      const { choices } = await (await chat(body)).json();
      expect(choices[0].finish_reason).toBe("stop");
      expect(choices[0].message.content).toMatch(/tools/);
      expect(choices[0].message.tool_calls).toBeUndefined();
    }
  });

  test("tool_choice is kept: none, auto, required, one by name, and allowed tools", async () => {
    const none = "what is the meaning of life";
    const names = async (messages: string, tool_choice: OpenAI.ChatCompletionToolChoiceOption) => {
      const { choices } = await client.chat.completions.create({ model, messages: user(messages), tools, tool_choice });
      return read(choices[0].message.tool_calls ?? []).map(([name]) => name);
    };
    const lights = { type: "function" as const, function: { name: "set_lights" } };
    expect(await names(two, "none")).toEqual([]);
    expect(await names(none, "auto")).toEqual([]);
    expect((await names(none, "required")).length).toBeGreaterThan(0);
    expect(await names(none, lights)).toEqual(["set_lights"]);
    const allowed = (mode: "auto" | "required") => ({
      type: "allowed_tools" as const,
      allowed_tools: { mode, tools: [lights as unknown as Record<string, unknown>] },
    });
    expect(new Set(await names("turn the lights off", allowed("auto")))).toEqual(new Set(["set_lights"]));
    expect(await names(none, allowed("auto"))).toEqual([]);
    expect((await names(none, allowed("required"))).length).toBeGreaterThan(0);
    // Not after results: they are said again, and the answer says that no call was made.
    const messages = [...user(two), { role: "tool", tool_call_id: "call_1", content: "done" }];
    for (const choice of ["required", lights])
      expect((await (await chat({ messages, tool_choice: choice })).json()).thimble.ignored).toEqual(["tool_choice"]);
    const { thimble } = await (await chat({ messages, tool_choice: "auto" })).json();
    expect(thimble.ignored).toEqual([]);
  });

  test("what the tools' schemas ask and calls may not keep is told with every answer, whole or streamed", async () => {
    const parameters = { type: "object", properties: { duration: { type: "string", pattern: "^[0-9]+ min" } } };
    const one = { name: "setTimer", description: "Start a countdown timer.", parameters };
    const chats = [{ type: "function", function: one }];
    const flats = [{ type: "function", ...one }];
    const warned = (path: string) => [{ path, keyword: "pattern", message: expect.stringContaining("not held to") }];
    const inFunction = warned("tools[0].function.parameters.properties.duration.pattern");
    const inTool = warned("tools[0].parameters.properties.duration.pattern");
    expect((await (await chat({ tools: chats })).json()).thimble.warnings).toEqual(inFunction);
    expect((await (await chat({})).json()).thimble.warnings).toEqual([]);
    const events = await (await chat({ tools: chats, stream: true })).text();
    expect(JSON.parse(events.trim().split("\n\n").at(-2)?.slice(6) ?? "").thimble.warnings).toEqual(inFunction);
    const input = [...user("hi"), ...user(two)];
    const response = await (await post("/v1/responses", { input, tools: flats, seed: 1 })).json();
    expect(response.thimble).toMatchObject({
      ignored: ["seed", "input before the last of the user"],
      warnings: inTool,
    });
    const streamed = await (await post("/v1/responses", { input, tools: flats, stream: true })).text();
    expect(JSON.parse(streamed.split("data: ").at(-1) ?? "").response.thimble.warnings).toEqual(inTool);
    const own = await (await post("/thimble/call", { request: two, tools: [one], stream: true })).json();
    expect(own).toMatchObject({ ignored: ["stream"], warnings: inTool });
  });

  test("parallel_tool_calls false: one call, the first", async () => {
    const { choices } = await (await chat({ parallel_tool_calls: false })).json();
    expect(read(choices[0].message.tool_calls)).toEqual(twoCalls.slice(0, 1) as never);
  });

  test("a stream is the same answer in pieces: an index on every delta, a name once, usage if asked, [DONE]", async () => {
    const response = await chat({ stream: true, stream_options: { include_usage: true } });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const events = (await response.text())
      .trim()
      .split("\n\n")
      .map((line) => line.replace(/^data: /, ""));
    expect(events.pop()).toBe("[DONE]");
    const chunks = events.map((text) => JSON.parse(text));
    expect(new Set(chunks.map(({ id, object }) => `${id} ${object}`)).size).toBe(1);
    expect(chunks[0].choices[0].delta).toMatchObject({ role: "assistant", content: null });
    const last = chunks.pop();
    expect(last.choices).toEqual([]);
    expect(last.usage.total_tokens).toBeGreaterThan(10);
    const deltas = chunks.flatMap(({ choices }) => choices[0].delta.tool_calls ?? []);
    const calls: { name: string; text: string }[] = [];
    for (const {
      index,
      id,
      function: { name, arguments: text },
    } of deltas) {
      expect(index).toBeNumber();
      expect(id !== undefined).toBe(name !== undefined);
      if (name !== undefined) expect(index).toBe(calls.push({ name, text: "" }) - 1);
      calls[index].text += text;
    }
    expect(deltas.length).toBeGreaterThan(4);
    const { choices } = await (await chat({})).json();
    expect(calls).toEqual(
      choices[0].message.tool_calls.map(({ function: one }: never) => ({
        name: (one as { name: string }).name,
        text: (one as { arguments: string }).arguments,
      })),
    );
    expect(chunks.at(-1).choices[0].finish_reason).toBe("tool_calls");
  });

  test("the openai package's own helper reads the stream, its deltas and their ends", async () => {
    const runner = client.chat.completions.stream({ model, messages: user(two), tools });
    const done: string[] = [];
    let deltas = 0;
    runner.on("tool_calls.function.arguments.delta", () => deltas++);
    runner.on("tool_calls.function.arguments.done", ({ name }) => done.push(name));
    const { choices } = await runner.finalChatCompletion();
    expect(read(choices[0].message.tool_calls ?? [])).toEqual(twoCalls as never);
    expect(done).toEqual(["setTimer", "set_lights"]);
    expect(deltas).toBeGreaterThan(2);
    const words = client.chat.completions.stream({ model, messages: user("what is the meaning of life"), tools });
    expect(await words.finalContent()).toContain("tools");
  });

  test("runTools runs what is called once, and ends with the results", async () => {
    const ran: string[] = [];
    const runner = client.chat.completions.runTools({
      model,
      messages: user(two),
      tools: functions.map((one) => ({
        type: "function" as const,
        function: {
          ...one,
          parse: (text: string): object => JSON.parse(text),
          function: (args: object) => {
            ran.push(`${one.name} ${JSON.stringify(args)}`);
            return `${one.name} done`;
          },
        },
      })) as RunnableToolFunctionWithParse<object>[],
    });
    expect(await runner.finalContent()).toBe("setTimer done\nset_lights done");
    expect(ran).toEqual(['setTimer {"duration":"10 minutes"}', 'set_lights {"room":"kitchen","state":"off"}']);
  });

  test("a request of several turns is the last of the user, and what changes nothing is named", async () => {
    const messages = [
      { role: "system", content: "be kind" },
      { role: "user", content: "turn the lights off" },
      { role: "assistant", content: null, tool_calls: [] },
      { role: "tool", tool_call_id: "call_1", content: "done" },
      {
        role: "user",
        content: [
          { type: "text", text: "set a timer for" },
          { type: "text", text: "10 minutes" },
        ],
      },
    ];
    const body = await (await chat({ messages, temperature: 0.5, seed: 1 })).json();
    expect(read(body.choices[0].message.tool_calls)).toEqual(twoCalls.slice(0, 1) as never);
    expect(body.thimble.ignored).toEqual(["temperature", "seed", "messages before the last of the user"]);
  });

  test("an answer that its token limit cut says length", async () => {
    for (const limit of [{ max_tokens: 12 }, { max_completion_tokens: 1 }]) {
      const { choices, usage } = await (await chat(limit)).json();
      expect(choices[0].finish_reason).toBe("length");
      // Nothing is known of the tools where the answer had no room.
      expect(choices[0].message.content || null).toBeNull();
      expect(usage.completion_tokens).toBeLessThanOrEqual(13);
    }
  });

  test("responses: calls and words, whole and in events that the openai package reads", async () => {
    const body = { model, input: two, tools: flat };
    const whole = await client.responses.create(body);
    const calls = whole.output.map((item) =>
      item.type === "function_call" ? [item.name, JSON.parse(item.arguments)] : [],
    );
    expect(calls).toEqual(twoCalls);
    expect(whole.status).toBe("completed");
    const types: string[] = [];
    const stream = client.responses.stream(body);
    for await (const { type, sequence_number } of stream) expect(types.push(type) - 1).toBe(sequence_number);
    const final = await stream.finalResponse();
    expect(final.output.map((item) => (item.type === "function_call" ? item.arguments : ""))).toEqual(
      whole.output.map((item) => (item.type === "function_call" ? item.arguments : "")),
    );
    expect(types.slice(0, 3)).toEqual(["response.created", "response.in_progress", "response.output_item.added"]);
    expect(types.filter((type) => type === "response.output_item.done")).toHaveLength(2);
    expect(types.at(-1)).toBe("response.completed");

    const results = whole.output.flatMap((item) =>
      item.type === "function_call"
        ? [item, { type: "function_call_output" as const, call_id: item.call_id, output: `${item.name} done` }]
        : [],
    );
    const input = [{ role: "user" as const, content: two }, ...results] as OpenAI.Responses.ResponseInput;
    expect((await client.responses.create({ ...body, input })).output_text).toBe("set_lights done");
    const words = client.responses.stream({ ...body, input: "what is the meaning of life" });
    expect((await words.finalResponse()).output_text).toContain("tools");
    const stored = client.responses.create({ ...body, previous_response_id: "resp_1" });
    expect(await stored.catch(({ status, param }) => [status, param])).toEqual([400, "previous_response_id"]);
  });

  test("models are listed, health is told, and our own route gives all that a call says", async () => {
    expect((await post("/thimble/call", { request: "set a timer", tools: 0 })).status).toBe(400);
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual([model]);
    expect((await client.models.retrieve(model)).object).toBe("model");
    expect(await (await fetch(`${served.url}/health`)).json()).toMatchObject({ status: "ok" });
    const body = await (await post("/thimble/call", { request: "wake me at 7:15 tomorrow" })).json();
    expect(body.calls).toMatchObject([{ name: "set_alarm", sources: { time: { grounded: true } } }]);
  });

  test("errors are of the classes that the openai package knows, and name the field", async () => {
    const messages = user(two);
    const unknown = client.chat.completions.create({ model: "gpt-4", messages, tools });
    expect(await unknown.catch((error) => error)).toBeInstanceOf(OpenAI.NotFoundError);
    const choice = { type: "function" as const, function: { name: "nope" } };
    const wrong = await client.chat.completions.create({ model, messages, tools, tool_choice: choice }).catch((e) => e);
    expect(wrong).toBeInstanceOf(OpenAI.BadRequestError);
    expect(wrong.param).toBe("tool_choice");
    expect(wrong.message).toContain("expected one of setTimer, set_lights");
  });

  test.each<[what: string, body: object, param: string | null]>([
    ["no messages", { messages: [] }, "messages"],
    ["messages that are none", { messages: "hi" }, "messages"],
    ["a message that is none", { messages: [1] }, "messages[0]"],
    ["a role that is none", { messages: [{ role: "king", content: "x" }] }, "messages[0].role"],
    ["no user", { messages: [{ role: "system", content: "x" }] }, "messages"],
    ["an empty request", { messages: user(" ") }, "messages[0].content"],
    ["a request that is too long", { messages: user("x ".repeat(5000)) }, "messages"],
    ["a picture", { messages: [{ role: "user", content: [{ type: "image_url" }] }] }, "messages[0].content[0]"],
    ["tools that are no list", { tools: {} }, "tools"],
    ["a custom tool", { tools: [{ type: "custom", custom: { name: "x" } }] }, "tools[0].type"],
    [
      "a schema that is none",
      {
        tools: [
          {
            type: "function",
            function: { name: "f", parameters: { type: "object", properties: { a: { type: "strng" } } } },
          },
        ],
      },
      "tools[0].function.parameters.properties.a.type",
    ],
    ["a choice that is none", { tool_choice: "maybe" }, "tool_choice"],
    ["a choice without tools", { tools: [], tool_choice: "required" }, "tool_choice"],
    ["several answers", { n: 2 }, "n"],
    ["another format", { response_format: { type: "json_object" } }, "response_format"],
    ["a flag that is none", { parallel_tool_calls: 1 }, "parallel_tool_calls"],
    ["no tokens", { max_tokens: 0 }, "max_tokens"],
    ["the form before tools", { functions: [] }, "functions"],
    ["a model that is no name", { model: 7 }, "model"],
  ])("%s is a 400 that names its field, streamed or not", async (_, body, param) => {
    for (const stream of [false, true]) {
      const error = await errorOf(await chat({ ...body, stream }));
      expect(error).toMatchObject({ status: 400, param, type: "invalid_request_error" });
      expect(error.message).toMatch(/expected .* got |room|shorten/);
    }
  });

  test("bodies that are no JSON, no object, no UTF-8, empty, or too large are refused, told or not how long", async () => {
    for (const body of ["", "{", "[]", "null", '"x"', "{}}"]) {
      expect(await errorOf(await post("/v1/chat/completions", body))).toMatchObject({
        status: 400,
        code: "invalid_json",
      });
    }
    const deep = "[".repeat(1e5) + "]".repeat(1e5);
    for (const [path, body] of [
      ["chat/completions", `{"messages":[{"role":${deep}}]}`],
      ["chat/completions", `{"messages":[{"role":"user","content":"x"}],"tool_choice":${deep}}`],
      ["responses", `{"input":"x","metadata":${deep}}`],
    ])
      expect(await errorOf(await post(`/v1/${path}`, body))).toMatchObject({ status: 400, code: "invalid_json" });
    const bytes = Uint8Array.of(0x7b, 0xff, 0x7d);
    expect(await errorOf(await post("/v1/chat/completions", "", { body: bytes }))).toMatchObject({ status: 400 });
    const large = "x".repeat(5 * 2 ** 20);
    expect((await post("/v1/chat/completions", large)).status).toBe(413);
    const endless = new ReadableStream({
      pull: (out) => out.enqueue(new Uint8Array(2 ** 16)),
    });
    const refused = await post("/v1/chat/completions", "", { body: endless, duplex: "half" } as RequestInit).catch(
      () => null,
    );
    // Either the answer came first or the connection was closed on what was still sent: the server goes on.
    expect(refused?.status ?? 413).toBe(413);
    expect((await chat({})).status).toBe(200);
  });

  test("a body that is compressed is a 415 that says so, and what it takes", async () => {
    const body = JSON.stringify({ messages: user(two), tools });
    const packed = { gzip: gzipSync(body), br: brotliCompressSync(body), deflate: deflateSync(body) };
    for (const [encoding, bytes] of Object.entries(packed))
      for (const path of ["/v1/chat/completions", "/v1/responses", "/thimble/call"]) {
        const response = await post(path, "", { body: bytes, headers: { "content-encoding": encoding } });
        expect(response.headers.get("accept-encoding")).toBe("identity");
        const { status, message } = await errorOf(response);
        expect([status, message]).toEqual([
          415,
          `content-encoding: expected none, got "${encoding}"; send the body as it is`,
        ]);
      }
    const plain = { headers: { "content-encoding": "Identity" } };
    expect((await post("/v1/chat/completions", body, plain)).status).toBe(200);
  });

  test("paths and methods that are none are told what there is", async () => {
    expect(await errorOf(await fetch(`${served.url}/v1/embeddings`))).toMatchObject({
      status: 404,
      code: "unknown_url",
    });
    const response = await fetch(`${served.url}/v1/responses`);
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST");
    expect((await fetch(`${served.url}/health`, { method: "HEAD" })).status).toBe(200);
    expect((await fetch(`${served.url}/v1/models/%`)).status).toBe(404);
  });

  test("another site's pages, and names that are not this machine's, are refused", async () => {
    const from = (headers: Record<string, string>) => raw(served.port, "GET /v1/models", headers);
    expect(await from({ host: "localhost" })).toStartWith("HTTP/1.1 200");
    expect(await from({ host: "evil.example" })).toStartWith("HTTP/1.1 403");
    const origin = await from({ host: "localhost", origin: "http://evil.example" });
    expect(origin).toStartWith("HTTP/1.1 403");
    expect(origin.toLowerCase()).not.toContain("access-control-allow-origin");
    expect(await from({ host: "localhost:1", origin: "http://localhost:1" })).toStartWith("HTTP/1.1 200");
  });

  test("a body that says it is too large is refused before it is sent", async () => {
    const answer = await raw(served.port, "POST /v1/responses", { host: "localhost", "content-length": "99999999" });
    expect(answer).toStartWith("HTTP/1.1 413");
  });

  test("a host that is none, or is not said, is told so in JSON", async () => {
    for (const head of ["1.1\r\nHost: [::bad", "1.1\r\nHost: a b", "1.1\r\nHost: 127.0.0.1:99999999", "1.0"]) {
      const said = await new Promise<string>((resolve) => {
        let text = "";
        const socket = connect(served.port, "127.0.0.1");
        socket.write(`GET /health HTTP/${head}\r\nConnection: close\r\n\r\n`);
        socket.on("data", (data) => {
          text += data;
          if (text.includes("}")) socket.destroy();
        });
        socket.on("close", () => resolve(text));
      });
      expect(said).toMatch(/^HTTP\/1.1 (400 Bad Request|200 OK)\r\n/);
      expect(said.toLowerCase()).toContain("application/json");
    }
  });

  test("bytes that are no HTTP end their connection, and no other", async () => {
    await raw(served.port, "\0\xff nonsense", {});
    expect((await chat({})).status).toBe(200);
  });

  test("a client that goes away ends its call; those after it are answered", async () => {
    const before = await served.metric("aborted_total");
    for (const stream of [false, true]) {
      // So many tools, never seen before, take the model seconds to read.
      const many = Array.from({ length: 2000 }, (_, i) => ({
        type: "function",
        function: {
          name: `tool_${stream}_${i}`,
          description: `Does the thing number ${i} of the ${host} and then another.`,
        },
      }));
      const away = new AbortController();
      const asked = post(
        "/v1/chat/completions",
        { model, messages: user(two), tools: many, stream },
        { signal: away.signal },
      );
      await until(async () => (await served.metric("queue")) === 1);
      away.abort();
      expect(await asked.catch(({ name }) => name)).toBe("AbortError");
      await until(async () => (await served.metric("queue")) === 0);
    }
    expect(await served.metric("aborted_total")).toBe(before + 2);
    expect((await chat({})).status).toBe(200);
  });

  test("a client that hangs up within its request is counted as gone, not as a fault of ours, and holds no place", async () => {
    const gone = 'requests_total{route="/v1/chat/completions",status="499"}';
    const before = [await served.metric("aborted_total"), await served.metric(gone)];
    const head = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n";
    const halves = ['content-length: 99\r\n\r\n{"mess', 'transfer-encoding: chunked\r\n\r\n6\r\n{"mess\r\n'];
    for (const half of halves)
      for (const end of ["destroy", "resetAndDestroy"] as const) {
        const socket = connect(served.port, "127.0.0.1");
        await new Promise((sent) => socket.write(head + half, sent));
        await Bun.sleep(50);
        socket[end]();
      }
    await until(async () => (await served.metric(gone)) === before[1] + 4);
    expect(await served.metric("aborted_total")).toBe(before[0] + 4);
    expect(await served.metric("queue")).toBe(0);
    expect(await served.metric('requests_total{route="/v1/chat/completions",status="500"}')).toBe(0);
    expect((await chat({})).status).toBe(200);
  });

  test("a host that is not this machine's, and a port that another serves on, are one line and exit code 1", async () => {
    const ended = async (...args: string[]) => {
      const child = Bun.spawn(commandOf(host, ...args), { stdout: "ignore", stderr: "pipe", timeout: 20_000 });
      return [await child.exited, await new Response(child.stderr).text()];
    };
    for (const address of ["nosuch.invalid", "203.0.113.7", ""]) {
      const said = new RegExp(`^thimble: --host: expected an address of this machine, got "${address}": .*; .*\n$`);
      expect(await ended("--port", "0", "--host", address)).toEqual([1, expect.stringMatching(said)]);
    }
    const port = String(served.port);
    for (const address of ["127.0.0.1", "0.0.0.0"])
      expect(await ended("--port", port, "--host", address)).toEqual([
        1,
        `thimble: --port: expected a free port of ${address}, got ${port}: EADDRINUSE; give another\n`,
      ]);
  }, 60_000);

  test("sixteen at once are each answered with their own", async () => {
    const minutes = Array.from({ length: 64 }, (_, i) => i + 5);
    const left = [...minutes];
    const answers = new Map<number, unknown>();
    const worker = async () => {
      for (let n = left.shift(); n !== undefined; n = left.shift()) {
        const content = `set a timer for ${n} minutes`;
        const runner = client.chat.completions.stream({ model, messages: user(content), tools });
        const { choices } =
          n % 2
            ? await runner.finalChatCompletion()
            : await client.chat.completions.create({ model, messages: user(content), tools });
        answers.set(n, read(choices[0].message.tool_calls ?? []));
      }
    };
    await Promise.all(Array.from({ length: 16 }, worker));
    for (const n of minutes) expect(answers.get(n)).toEqual([["setTimer", { duration: `${n} minutes` }]]);
  });
});

test("a key is asked for everywhere but of health; pages of the one other origin may ask and read", async () => {
  const origin = "https://app.example";
  await using served = await startServer("Bun", "--api-key", "s3cret", "--cors", origin);
  const ask = (headers: Record<string, string>, path = "/v1/models", method = "GET") =>
    fetch(`${served.url}${path}`, { headers, method });
  for (const headers of [{}, { authorization: "Bearer nope" }, { authorization: "s3cret" }])
    expect((await ask(headers as Record<string, string>)).status).toBe(401);
  expect((await ask({}, "/metrics")).status).toBe(401);
  expect((await ask({}, "/health")).status).toBe(200);
  const read = await ask({ authorization: "Bearer s3cret", origin });
  expect(read.headers.get("access-control-allow-origin")).toBe(origin);
  // A refusal too, or a page could not say why.
  expect((await ask({ origin })).headers.get("access-control-allow-origin")).toBe(origin);
  const preflight = await ask(
    { origin, "access-control-request-headers": "authorization" },
    "/v1/responses",
    "OPTIONS",
  );
  expect([preflight.status, preflight.headers.get("access-control-allow-headers")]).toEqual([204, "authorization"]);
  expect((await ask({ authorization: "Bearer s3cret", origin: "https://evil.example" })).status).toBe(403);
  const client = new OpenAI({ baseURL: `${served.url}/v1`, apiKey: "wrong", maxRetries: 0 });
  expect(await client.models.list().catch((error) => error)).toBeInstanceOf(OpenAI.AuthenticationError);
});

test("what the README shows of curl, the openai package and an MCP host holds in a fresh shell", async () => {
  const readme = await Bun.file(new URL("../README.md", import.meta.url)).text();
  const section = readme.slice(readme.indexOf("## Serve it"), readme.indexOf("## Watch and glasses"));
  const [sh, js, config] = [...section.matchAll(/```\w+\n([\s\S]*?)```/g)].map(([, code]) => code);
  const free = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = free;
  free.stop(true);
  // As it stands but for the port, and an end to what it leaves in the background.
  const here = (code: string) => code.replaceAll("7861", String(port));
  const script = here(sh).replace("npx thimble serve", commandOf("Node", "--port", String(port)).join(" "));
  const js$ = [`node --input-type=module -e "$JS"`, "kill $!"].join("\n");
  const { stdout } = Bun.spawnSync(["sh", "-c", `${script}echo\n${js$}`], {
    cwd: fileURLToPath(new URL("../", import.meta.url)),
    env: { ...process.env, JS: here(js), THIMBLE_API_KEY: undefined },
  });
  const [answer, ...shown] = stdout.toString().trim().split("\n");
  const [{ message }] = JSON.parse(answer).choices;
  expect(read(message.tool_calls)).toEqual([["set_timer", { duration: "10 minutes" }]]);
  expect(shown.join("\n")).toBe(/\/\/ (\{.*\})/.exec(js)?.[1] as string);
  const { args } = JSON.parse(config).mcpServers.thimble;
  expect(args.slice(args.lastIndexOf("thimble") + 1)).toEqual(["serve", "--mcp", "--stdio"]);
});

test("a fault of ours is told to the client without its words, and logged, once a stream has begun too", async () => {
  const log: string[] = [];
  const write = spyOn(process.stderr, "write").mockImplementation((text) => log.push(String(text)) > 0);
  const stream = await eventStream(
    async (send) => {
      send("first");
      throw new RangeError("out of bounds");
    },
    new AbortController(),
    (error, send) => send(error.body),
  );
  const text = await stream.text();
  write.mockRestore();
  expect(text).toMatch(/^data: first\n\ndata: .*see the server's log/);
  expect(text).not.toContain("out of bounds");
  expect(log.join("")).toMatch(/^thimble: RangeError: out of bounds\n +at /);
});

test("under Node a slow reader of a long answer is waited for, and one that goes away ends it", async () => {
  const listen = new URL("../dist/tools/serve/listen.js", import.meta.url);
  const script = `
    import { connect } from "node:net";
    import { setTimeout as sleep } from "node:timers/promises";
    import { onNode } from ${JSON.stringify(listen.href)};
    let parts = 0;
    let isEnded = false;
    const pull = (out) => void (parts++, out.enqueue(new Uint8Array(1 << 16)));
    const body = () => new ReadableStream({ pull, cancel: () => void (isEnded = true) });
    const { port } = await onNode(async () => new Response(body()), 0, "127.0.0.1");
    const reader = connect(port, "127.0.0.1", () => reader.write("GET / HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n"));
    let read = 0;
    let most = 0;
    reader.on("data", ({ length }) => (read += length, reader.pause()));
    while (read < 1 << 24) {
      await sleep(1);
      most = Math.max(most, parts * 65536 - read);
      reader.resume();
    }
    reader.destroy();
    while (!isEnded) await sleep(1);
    console.log(most < 1 << 24);
    process.exit();`;
  const child = Bun.spawn(["node", "--input-type=module", "-e", script], { stderr: "pipe" });
  const said = [await new Response(child.stdout).text(), await new Response(child.stderr).text()];
  expect(said).toEqual(["true\n", ""]);
});

test("whatever the pieces of a text, its calls are those of the call itself, and the pieces of arguments their text", async () => {
  const model = await load();
  const odd: ToolInput[] = [
    {
      name: "sendMessage",
      description: "Send a text message.",
      parameters: { recipient: { type: "string", required: true }, text: { type: "string", required: true } },
    },
    {
      name: "mix",
      inputSchema: {
        type: "object",
        properties: {
          2: { type: "number" },
          list: { type: "array", items: { type: "string" } },
          at: { type: "object", properties: { "a,b}": { enum: ["x}", 'q"', "[,"] } }, required: ["a,b}"] },
        },
        required: ["at", "2"],
      },
    },
  ];
  const set = ToolSet.from(odd);
  for (const request of ["tell Anna I’m “late”, (very) late", "MIX 5 AND 2.50", "text Zoë: a, b } c", "mix x} and 7"]) {
    const { calls, text } = await model.call(request, set, { calls: "some" });
    for (const size of [1, 2, 7, text.length]) {
      const pieces: string[] = [];
      const writing = new Writing(request, set, {
        begin: (_, index) => expect(pieces.push("") - 1).toBe(index),
        piece: (piece, index) => {
          pieces[index] += piece;
        },
      });
      for (let at = 0; at < text.length; at += size) writing.push(text.slice(at, at + size));
      expect(writing.calls.map(({ name, arguments: args }) => [name, JSON.parse(args)])).toEqual(
        calls.map(({ name, arguments: args }) => [name, args]),
      );
      expect(pieces).toEqual(writing.calls.map(({ arguments: args }) => args));
    }
  }
});

test("a model is named as its file is, whatever stands in the name", async () => {
  const folder = mkdtempSync(join(tmpdir(), "thimble-serve-"));
  const pack = join(folder, "sp ace%20#1.thimble");
  copyFileSync(defaultModel(), pack);
  await using served = await startServer("Bun", "--model", pack);
  expect((await (await fetch(`${served.url}/v1/models`)).json()).data[0].id).toBe("sp ace%20#1");
});

/** Names and arguments of calls as the API gives them. */
function read(calls: OpenAI.ChatCompletionMessageToolCall[]): [name: string, args: object][] {
  return calls.map((call) => {
    if (call.type !== "function") throw new Error(`expected a function, got ${call.type}`);
    return [call.function.name, JSON.parse(call.function.arguments)];
  });
}

/** What comes back on a socket that says what it likes. */
function raw(port: number, line: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = connect(port, "127.0.0.1", () =>
      socket.write(`${line} HTTP/1.1\r\n${lines.join("")}connection: close\r\n\r\n`),
    );
    socket.on("data", (bytes) => {
      text += bytes;
    });
    socket.on("error", () => resolve(text));
    socket.on("close", () => resolve(text));
    socket.setTimeout(5000, () => socket.destroy());
  });
}
