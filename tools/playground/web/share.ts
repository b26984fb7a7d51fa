/** Tools and request in the link's fragment, which no browser sends anywhere: deflated JSON in base64 of URLs. */

export interface Shared {
  tools: string;
  request: string;
}

/** Most characters of tools and request that a link brings. */
const mostCharacters = 2 ** 20;

export async function writeShared(shared: Shared): Promise<string> {
  const bytes = await piped(new TextEncoder().encode(JSON.stringify(shared)), new CompressionStream("deflate-raw"));
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return `#s=${btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

/** null for a fragment that is none, or damaged. */
export async function readShared(fragment: string): Promise<Shared | null> {
  const text = /^#s=([\w-]+)$/.exec(fragment)?.[1];
  if (!text) return null;
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const { tools, request } = JSON.parse(
      new TextDecoder().decode(await piped(bytes, new DecompressionStream("deflate-raw"))),
    );
    return typeof tools === "string" && typeof request === "string" ? { tools, request } : null;
  } catch {
    return null;
  }
}

async function piped(bytes: Uint8Array<ArrayBuffer>, through: CompressionStream): Promise<Uint8Array> {
  const reader = new Blob([bytes])
    .stream()
    .pipeThrough(through as TransformStream<Uint8Array<ArrayBuffer>>)
    .getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    length += part.value.length;
    // A small link may unfold to more than a page can hold.
    if (length > mostCharacters) throw new RangeError("share: expected a link of usual size");
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
