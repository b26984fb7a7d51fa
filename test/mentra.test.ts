/** The MentraOS server with its real SDK, and a double of the cloud's documented messages over a local socket. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const command = "npm install --no-save @mentra/sdk@2.1.29";
const absent = !existsSync(`${root}node_modules/@mentra/sdk`);
if (absent) console.warn(`skipped: node_modules/@mentra/sdk is missing; ${command}`);

test("its README says how to get the SDK", () => {
  expect(readFileSync(`${root}firmware/glasses/mentra/README.md`, "utf8")).toContain(command);
});

describe.skipIf(absent)("a session", () => {
  const port = 30_000 + (process.pid % 10_000);
  let server: ReturnType<typeof Bun.spawn>;
  let cloud: ReturnType<typeof Bun.serve>;
  const sockets = new Map<string, Bun.ServerWebSocket<unknown>>();
  const shown = new Map<string, string[]>();

  beforeAll(async () => {
    cloud = Bun.serve({
      port: 0,
      fetch: (request, self) => (self.upgrade(request, { data: undefined }) ? undefined : new Response("no")),
      websocket: {
        message(socket, data) {
          const message = JSON.parse(String(data));
          const { sessionId } = message;
          if (message.type === "tpa_connection_init") {
            sockets.set(sessionId, socket);
            shown.set(sessionId, []);
            socket.send(JSON.stringify({ type: "tpa_connection_ack", sessionId, settings: [], capabilities: null }));
          }
          const text = message.layout?.text;
          if (text !== undefined) shown.get([...sockets].find(([, known]) => known === socket)?.[0] ?? "")?.push(text);
        },
      },
    });
    const env = {
      ...process.env,
      PACKAGE_NAME: "org.example.thimble",
      MENTRAOS_API_KEY: "none",
      PORT: `${port}`,
      WAKE: "hey thimble",
    };
    server = Bun.spawn(["timeout", "100", "node", "firmware/glasses/mentra/app.js"], {
      cwd: root,
      env,
      stdout: "ignore",
      stderr: "inherit",
    });
    const isUp = () =>
      fetch(`http://127.0.0.1:${port}/health`).then(
        () => true,
        () => false,
      );
    for (let tries = 0; tries < 200 && !(await isUp()); tries++) await Bun.sleep(100);
  }, 60_000);
  afterAll(() => {
    server?.kill();
    cloud?.stop(true);
  });

  async function begin(sessionId: string) {
    const mentraOSWebsocketUrl = `ws://localhost:${cloud.port}/app-ws`;
    const body = JSON.stringify({ type: "session_request", sessionId, userId: sessionId, mentraOSWebsocketUrl });
    const headers = { "content-type": "application/json" };
    const { status } = await fetch(`http://127.0.0.1:${port}/webhook`, { method: "POST", headers, body });
    expect(status).toBe(200);
  }
  const stream = (sessionId: string, streamType: string, data: object) =>
    sockets
      .get(sessionId)
      ?.send(JSON.stringify({ type: "data_stream", sessionId, streamType, data, timestamp: new Date() }));
  const hear = (sessionId: string, text: string, isFinal = false) =>
    stream(sessionId, "transcription:en-US", {
      type: "transcription",
      text,
      isFinal,
      startTime: 0,
      endTime: 1,
      transcribeLanguage: "en-US",
    });
  const until = async (sessionId: string, is: (text: string) => boolean) => {
    const last = () => shown.get(sessionId)?.at(-1) ?? "";
    for (let tries = 0; tries < 200 && !is(last()); tries++) await Bun.sleep(50);
    return last();
  };

  test("what a wearer says is done once it is over, shown to that wearer alone, and asked about where it has a risk", async () => {
    await begin("anna");
    await begin("bob");
    for (const name of ["anna", "bob"]) expect(await until(name, (text) => text === "Ready.")).toBe("Ready.");
    hear("anna", "hey thimble start");
    hear("anna", "hey thimble start the");
    hear("anna", "Hey Thimble, start the stopwatch.", true);
    hear("bob", "Did you see the match last night?", true);
    expect(await until("anna", (text) => text === "Stopwatch started")).toBe("Stopwatch started");
    hear("anna", "Hey Thimble, erase all my notes.", true);
    expect(await until("anna", (text) => text.startsWith("erase"))).toBe("erase notes?\nyes or no");
    stream("anna", "button_press", { type: "button_press", buttonId: "main", pressType: "short" });
    expect(await until("anna", (text) => text.startsWith("0"))).toBe("0 notes erased");
    expect(shown.get("bob")).toEqual(["Ready."]);
  }, 60_000);
});
