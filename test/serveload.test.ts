/** `thimble serve` with more to do than it can at once: nothing is lost, and nothing is kept. */
import { expect, test } from "bun:test";
import OpenAI from "openai";
import { hosts, startServer } from "./served.ts";

const model = "thimble";
const tools = [
  {
    type: "function" as const,
    function: {
      name: "setTimer",
      description: "Start a countdown timer.",
      parameters: { type: "object", properties: { duration: { type: "string" } }, required: ["duration"] },
    },
  },
];
const user = (content: string) => [{ role: "user" as const, content }];

test("more than the queue holds are told to come again, and do", async () => {
  await using served = await startServer("Node", "--queue", "2");
  const body = JSON.stringify({ model, messages: user("set a timer for 10 minutes"), tools });
  const all = await Promise.all(
    Array.from({ length: 24 }, () => fetch(`${served.url}/v1/chat/completions`, { method: "POST", body })),
  );
  const refused = all.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0].headers.get("retry-after")).toBe("1");
  const client = new OpenAI({ baseURL: `${served.url}/v1`, apiKey: "none", maxRetries: 10 });
  const kept = await Promise.all(
    Array.from({ length: 4 }, () =>
      client.chat.completions.create({ model, messages: user("set a timer for 10 minutes"), tools }),
    ),
  );
  for (const { choices } of kept) expect(choices[0].message.tool_calls).toHaveLength(1);
});

test.each(hosts)(
  "2,000 requests on %s, sixteen at once: none is lost and memory is flat",
  async (host) => {
    await using served = await startServer(host);
    const ask = async (i: number) => {
      const content = `set a timer for ${i % 90} minutes`;
      const body = JSON.stringify({
        model,
        messages: user(content),
        tools,
        stream: i % 3 === 0,
        ...(i % 5 === 0 && { max_tokens: 40 }),
      });
      const response = await fetch(`${served.url}/v1/chat/completions`, { method: "POST", body });
      const text = await response.text();
      if (response.status !== 200 || !text.includes("setTimer")) throw new Error(text);
    };
    const load = async (count: number) => {
      let next = 0;
      await Promise.all(
        Array.from({ length: 16 }, async () => {
          while (next < count) await ask(next++);
        }),
      );
    };
    await load(500);
    const linear = await served.metric("linear_memory_bytes");
    const resident = await served.metric("resident_bytes");
    await load(1500);
    expect(await served.metric("linear_memory_bytes")).toBe(linear);
    expect((await served.metric("resident_bytes")) - resident).toBeLessThan(48 * 2 ** 20);
    expect(await served.metric('requests_total{route="/v1/chat/completions",status="200"}')).toBe(2000);
    expect(await served.metric("queue")).toBe(0);
  },
  300_000,
);
