/** What clients of OpenAI-compatible servers share. */

/** Where a server completes chats: its base, …/v1, or the whole address is given. */
export function completionsAt(url: string): string {
  const base = url.replace(/\/+$/, "");
  return base.endsWith("/chat/completions") ? base : `${base}/chat/completions`;
}

/** Seconds or a date. Source: RFC 9110, 10.2.3. */
export function retryAfterMs(header: string | null): number | undefined {
  if (!header) return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
