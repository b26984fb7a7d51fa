/** `thimble finetune --endpoint`: a server on loopback that writes examples well, badly, slowly, or not at all. */
import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ToolSet } from "../runtime/index.ts";
import { generate } from "../tools/data/generate.ts";
import { readLines } from "../tools/data/lines.ts";

const folder = mkdtempSync(join(tmpdir(), "finetune-endpoint-"));
const repository = new URL("../", import.meta.url).pathname;
const tools = [
  {
    name: "soak_beans",
    description: "Soak beans of a kind.",
    parameters: {
      type: "object",
      properties: {
        kind: { type: "string", description: 'Beans, e.g. "black beans".' },
        hours: { type: "integer", minimum: 1, maximum: 24 },
      },
      required: ["kind", "hours"],
    },
  },
];
const toolsPath = join(folder, "tools.json");
writeFileSync(toolsPath, JSON.stringify(tools));

type Reply = (response: ServerResponse, request: IncomingMessage, prompt: string) => void;

/** A real server whose replies are scripted: each entry answers one request, the last one all further ones. */
async function serving(...script: Reply[]) {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const prompt: string = JSON.parse(body).messages[1].content;
    asked.push(prompt);
    script[Math.min(asked.length, script.length) - 1](response, request, prompt);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const address = server.address() as { port: number };
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { asked, url: `http://127.0.0.1:${address.port}/v1`, [Symbol.dispose]: close };
}

const says =
  (list: () => unknown[] | string): Reply =>
  (response) => {
    const given = list();
    const content = typeof given === "string" ? given : JSON.stringify(given);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ choices: [{ message: { role: "assistant", content } }] }));
  };

const [kinds, verbs] = [
  ["black", "white", "kidney", "butter", "runner", "mung", "navy"],
  ["soak", "steep", "wet"],
];
let made = 0;
const fresh = () => {
  const [kind, hours] = [`${kinds[made % 7]} beans`, 1 + (made % 24)];
  const query = `${verbs[made++ % 3]} the ${kind} for ${hours} hours, round ${made}`;
  return { query, kind: "single", calls: [{ name: "soak_beans", arguments: { kind, hours } }] };
};
const good = says(() => [...Array.from({ length: 9 }, fresh), { query: `never mind ${made}`, calls: [] }]);
const call = (query: string, args: object, name = "soak_beans") => ({ query, calls: [{ name, arguments: args }] });
const lies = () => [
  call("soak chickpeas for 8 hours", { kind: "black beans", hours: 8 }),
  call("soak black beans for 8 hours", { kind: "black beans", hours: 9 }),
  call("soak black beans for 48 hours", { kind: "black beans", hours: 48 }),
  call("soak black beans", { kind: "black beans" }),
  call("soak black beans for 8 hours", { kind: "black beans", hours: 8, __proto_: 1 }),
  call("soak black beans for 8 hours", {}, "launch_missile"),
  call(`soak black beans for 8 hours ${"please ".repeat(60)}`, { kind: "black beans", hours: 8 }),
  { query: "soak black beans for 8 hours", calls: "none" },
  { query: 7, calls: [] },
];

function start(args: string[]) {
  const command = [process.execPath, "tools/cli.ts", "finetune", "--tools", toolsPath, ...args];
  return Bun.spawn(command, { cwd: repository, stdout: "pipe", stderr: "pipe", env: { ...process.env, HOME: folder } });
}

async function run(args: string[]) {
  const child = start(args);
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

test("what a server writes is learned beside what is made, through 429, a lost connection, silence and lies, which are counted", async () => {
  using server = await serving(
    (response) => response.writeHead(429, { "retry-after": "0" }).end("slow down"),
    (_, { socket }) => socket.destroy(),
    () => {},
    says(lies),
    says(() => "Sure! I would love to help, but first tell me more."),
    (response) => response.end('{"choices":[{"mess'),
    good,
  );
  const out = join(folder, "beans.tuning");
  const small = ["--asked", "60", "--made", "40", "--examples", "8", "--threads", "1", "--timeout", "1"];
  const guard = join(folder, "guard.jsonl");
  const { query, calls } = fresh();
  writeFileSync(guard, JSON.stringify({ query, tools, answers: calls }));
  const more = ["--endpoint", server.url, "--model", "liar", "--guard", guard, "--json"];
  const got = await run(["-o", out, ...more, ...small]);
  expect([0, 3], got.err).toContain(got.code);
  expect(got.err).toContain(`asking liar at ${server.url} for 60 examples; ${out}.asked.jsonl keeps them`);
  const told = got.err.split("\n").find((line) => line.includes(" refused")) ?? got.err;
  expect(told).toContain('9 refused (the first: answers[0].arguments.kind: "black beans" is not in the request)');
  expect(told).toContain("4 tries again");
  const { lines, faults } = readLines(`${out}.asked.jsonl`);
  expect([lines.length, faults, lines.filter(({ warning }) => warning)]).toEqual([60, [], []]);
  const report = JSON.parse(got.out);
  expect([report.examples, existsSync(out)]).toEqual([8, true]);
  // The server's are split by sentence and value, as DATA is: the test is of what it wrote.
  expect(got.err).not.toContain("the test is made by the same generator");
}, 300_000);

test("Ctrl-C while a server is asked keeps what it wrote, and the same command goes on from there", async () => {
  using server = await serving(good, () => {});
  const out = join(folder, "stopped.tuning");
  const args = ["-o", out, "--endpoint", server.url, "--model", "m", "--asked", "40"];
  const child = start(args);
  while (!existsSync(`${out}.asked.jsonl`) || server.asked.length < 3) await Bun.sleep(20);
  child.kill("SIGINT");
  const err = await new Response(child.stderr).text();
  expect(await child.exited).toBe(130);
  expect(err).toContain("10 examples; 0 refused, 0 repeated, 0 tries again; stopped, the same command goes on");
  expect([existsSync(out), err.trim().split("\n").length]).toEqual([false, 2]);
  const kept = readFileSync(`${out}.asked.jsonl`, "utf8");
  using closed = await serving((response) => response.writeHead(401).end("bad key"));
  const again = await run([...args.slice(0, 3), closed.url, ...args.slice(4)]);
  expect([again.code, again.err]).toEqual([
    1,
    expect.stringContaining(`HTTP 401 bad key; 10 examples are kept in ${out}.asked.jsonl`),
  ]);
  expect(readFileSync(`${out}.asked.jsonl`, "utf8")).toBe(kept);
}, 60_000);

test("a server that is not whole, none, or asked for other tools is an error that says what to do", async () => {
  const server = ["--endpoint", "http://127.0.0.1:9/v1", "--model", "m"];
  const other = join(folder, "other.tuning");
  const line = { query: "ring the bell", tools: [{ name: "ring_bell", parameters: {} }], answers: [] };
  writeFileSync(`${other}.asked.jsonl`, JSON.stringify(line));
  const cases: [string[], number, string][] = [
    [
      ["-o", "x", "--model", "m"],
      2,
      "--model: expected --endpoint URL beside it, got none; the pack to start from is --from",
    ],
    [["-o", "x", "--asked", "5"], 2, "--asked: expected --endpoint URL beside it"],
    [["-o", "x", "--endpoint", "http://127.0.0.1:9"], 2, "--endpoint: expected --model NAME beside it"],
    [
      ["-o", "x", "--endpoint", "localhost:9", "--model", "m"],
      2,
      '--endpoint: expected an http address, got "localhost:9"',
    ],
    [["-o", "x", ...server, "--asked", "0"], 2, "--asked: expected an integer from 1"],
    [
      ["-o", other, ...server],
      1,
      `.asked.jsonl:1: expected a tool of --tools, got another "ring_bell"; name another -o`,
    ],
  ];
  for (const [args, code, message] of cases) {
    const got = await run(args);
    expect([got.code, got.err.trim().split("\n").length, got.err]).toEqual([code, 1, expect.stringContaining(message)]);
  }
}, 60_000);

let files = 0;
const asking = (endpoint: string) => ({
  ...{ endpoint, model: "m", out: join(folder, `${files++}.jsonl`), count: 20, seed: 1, batch: 10, parallel: 1 },
  ...{ timeoutMs: 400, pauseMs: 1, retries: 2, tools: ToolSet.from(JSON.stringify(tools)) },
});

test("calls beyond the schema's limits are refused, though they fit its types", async () => {
  const beyond = () => [call("soak black beans for 48 hours", { kind: "black beans", hours: 48 })];
  using server = await serving(says(beyond), good);
  expect(await generate(asking(server.url))).toMatchObject({
    ...{ kept: 20, refused: 1 },
    fault: expect.stringContaining("answers: expected calls within the tools' limits"),
  });
});

test("a server that drips, floods or hangs up at every try is given up, with a reason", async () => {
  const drips: Reply = (response) => {
    const timer = setInterval(() => response.write(" "), 50);
    response.on("close", () => clearInterval(timer));
  };
  const floods: Reply = (response) => {
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
    };
    response.on("drain", more);
    more();
  };
  const cases: [Reply, RegExp][] = [
    [drips, /no answer within 400 ms, 3 times in a row; 0 examples are kept/],
    [floods, /expected an answer of at most 4194304 bytes, got more/],
    [(_, { socket }) => socket.destroy(), /3 times in a row/],
  ];
  for (const [reply, message] of cases) {
    using server = await serving(reply);
    await expect(generate(asking(server.url))).rejects.toThrow(message);
  }
}, 30_000);

test("of more tools than are trained on at once each has its turn", async () => {
  using server = await serving(good);
  const many = Array.from({ length: 25 }, (_, i) => ({ ...tools[0], name: i ? `soak_${i}` : "soak_beans" }));
  await generate({ ...asking(server.url), count: 12, tools: ToolSet.from(JSON.stringify(many)) });
  const shown = server.asked.map((prompt) => JSON.parse(prompt.slice(7, prompt.indexOf("\n"))) as { name: string }[]);
  for (const list of shown) expect([list.length > 4, JSON.stringify(list).length <= 2400]).toEqual([true, true]);
  const names = shown.map((list) => list.slice(0, 3).map(({ name }) => name));
  expect(names.slice(0, 2)).toEqual([
    ["soak_beans", "soak_1", "soak_2"],
    ["soak_1", "soak_2", "soak_3"],
  ]);
});
