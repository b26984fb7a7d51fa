/** A server of MCP for the router to connect to: a house, whose every tool tells what it was asked. */
import { fromJsonSchema, McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";

const [, , name = "house"] = process.argv;
const schema = (properties: object, required: string[]) =>
  fromJsonSchema<object>({ type: "object", properties: properties as Record<string, object>, required });

serveStdio(() => {
  const server = new McpServer({ name, version: "1.0.0" });
  const add = (tool: string, description: string, inputSchema: ReturnType<typeof schema>, annotations?: object) =>
    server.registerTool(tool, { description, inputSchema, ...(annotations && { annotations }) }, (args: object) => ({
      content: [{ type: "text", text: `${name}: ${tool} ${JSON.stringify(args)}` }],
    }));
  const room = { room: { type: "string", description: "A room of the house." } };
  add("get_weather", "Get the weather forecast of a place.", schema({ location: { type: "string" } }, ["location"]), {
    readOnlyHint: true,
  });
  if (name === "house") {
    add("open_door", "Open the door of a room.", schema(room, ["room"]), { destructiveHint: true });
    server.registerTool(
      "play_music",
      {
        description: "Play music on a speaker.",
        inputSchema: schema({ query: { type: "string", description: "Song, artist or genre." } }, ["query"]),
        annotations: { destructiveHint: false },
      },
      () => {
        throw new Error("no speaker is on");
      },
    );
  }
  return server;
});
