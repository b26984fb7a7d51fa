/** Who may ask: what keeps a page of another origin, a name that was bound anew, and who has no key, away. */
import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { ApiError } from "./http.ts";

export interface GuardOptions {
  /** Where the server listens, as its user said it. */
  host: string;
  key?: string;
  /** The one other origin whose pages may ask, or * for all. */
  cors?: string;
}

export class Guard {
  constructor(private readonly options: GuardOptions) {}

  /** Throws: ApiError 403 for another site's request, 401 without the key. `isOpen`: no key is asked for. */
  check(request: Request, isOpen: boolean): void {
    const host = request.headers.get("host") ?? new URL(request.url).host;
    // A site may bind its own name to this address and ask under it: only a key tells its pages from others.
    if (!this.options.key && !this.isOurs(host)) {
      const remedy = "ask by address, serve with --host that name, or with --api-key";
      throw new ApiError(
        403,
        "unknown_host",
        `host: expected ${this.options.host}, got ${JSON.stringify(host)}; ${remedy}`,
      );
    }
    const origin = request.headers.get("origin");
    if (origin !== null && !this.mayRead(origin, host)) {
      const message = `origin: expected none of another site, got ${JSON.stringify(origin)}; serve with --cors ${origin}`;
      throw new ApiError(403, "unknown_origin", message);
    }
    if (isOpen || !this.options.key || request.method === "OPTIONS") return;
    const [, given] = /^bearer (.*)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
    if (given !== undefined && isEqual(given, this.options.key)) return;
    const got = given === undefined ? "none" : "another";
    const message = `authorization: expected Bearer and the key that the server was given, got ${got}; send it`;
    throw new ApiError(401, "invalid_api_key", message, null, { "www-authenticate": "Bearer" });
  }

  /** Headers that let a page of an allowed origin read the answer. */
  headers(request: Request): Record<string, string> {
    const { cors } = this.options;
    const origin = request.headers.get("origin");
    if (!cors || origin === null || (cors !== "*" && cors !== origin)) return {};
    return { "access-control-allow-origin": cors, vary: "origin", "access-control-expose-headers": "mcp-session-id" };
  }

  /** The answer to a browser that asks before it sends. */
  preflight(request: Request): Response {
    const allowed = request.headers.get("access-control-request-headers") ?? "";
    return new Response(null, {
      status: 204,
      headers: {
        "access-control-allow-methods": "GET, POST, DELETE",
        "access-control-allow-headers": allowed,
        "access-control-max-age": "600",
      },
    });
  }

  private isOurs(host: string): boolean {
    const name = host
      .replace(/:\d+$/, "")
      .replace(/^\[|\]$/g, "")
      .toLowerCase();
    return name === "localhost" || isIP(name) > 0 || name === this.options.host.toLowerCase();
  }

  private mayRead(origin: string, host: string): boolean {
    const { cors } = this.options;
    return origin === `http://${host}` || origin === `https://${host}` || cors === "*" || cors === origin;
  }
}

/** In a time that tells nothing of the key. */
function isEqual(given: string, key: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(key));
}
