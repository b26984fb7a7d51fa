/** MCP's SDK, which is there only if its user installed it. */

/** A part that needs one half of MCP's SDK. Throws: Error with what to install, where that is not there. */
export async function withSdk<T>(half: "server" | "client", part: Promise<T>): Promise<T> {
  const name = `@modelcontextprotocol/${half}`;
  return part.catch((error: NodeJS.ErrnoException) => {
    if (!/ERR_MODULE_NOT_FOUND|ResolveMessage/.test(`${error.code} ${error.name}`) || !error.message.includes(name))
      throw error;
    const remedy = `npm install ${name}, or npx -p thimble -p ${name} thimble serve`;
    throw new Error(
      `${half === "server" ? "--mcp" : "--connect"}: expected ${name}, which thimble does not bring, got none; ${remedy}`,
    );
  });
}
