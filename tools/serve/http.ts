/** What goes wrong, in OpenAI's envelope; bodies in, JSON out. */
import { isObject, type JsonObject } from "../../runtime/json.ts";
import { mostDepth } from "../../runtime/tools/bounds.ts";
import { utf8Text } from "../command.ts";

/** An answer that is an error. `param` names the field of the body that is wrong. */
export class ApiError extends Error {
  override name = "ApiError";
  constructor(
    readonly status: number,
    readonly code: string | null,
    message: string,
    readonly param: string | null = null,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }

  get body(): { error: { message: string; type: string; param: string | null; code: string | null } } {
    const type =
      this.status === 429 ? "rate_limit_exceeded" : this.status < 500 ? "invalid_request_error" : "server_error";
    return { error: { message: this.message, type, param: this.param, code: this.code } };
  }

  response(): Response {
    return json(this.body, this.status, this.headers);
  }
}

/** What nobody reads: for the figures. 499 is nginx's status for it. */
export function wentAway(): ApiError {
  return new ApiError(499, null, "client: expected one that waits for its answer, got one that went away; ask again");
}

/** A field of the body that is wrong. */
export function badField(param: string, message: string, code: string | null = null): ApiError {
  return new ApiError(400, code, `${param}: ${message}`, param);
}

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json", ...headers } });
}

/** Most bytes of a body: as many as a tool list may have. */
export const mostBodyBytes = 4 * 2 ** 20;

/** The JSON object of a body. Throws: ApiError for one that is too large, is no UTF-8, no JSON or no object. */
export async function readFields(request: Request): Promise<JsonObject> {
  const bytes = await readBody(request);
  let value: unknown;
  try {
    value = JSON.parse(utf8Text(bytes, "body"));
  } catch (error) {
    const got = bytes.length ? (error as Error).message : "nothing";
    throw new ApiError(400, "invalid_json", `body: expected a JSON object, got ${got}`);
  }
  if (!isObject(value)) throw new ApiError(400, "invalid_json", `body: expected a JSON object, got ${kindOf(value)}`);
  if (isDeep(value))
    throw new ApiError(400, "invalid_json", `body: expected at most ${mostDepth} values within one another, got more`);
  return value;
}

/** Of what is said back in messages, too, by a recursion of the host's. */
function isDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length; depth++) {
    if (depth > mostDepth) return true;
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
  }
  return false;
}

async function readBody(request: Request): Promise<Uint8Array> {
  const tooLarge = (got: string) =>
    new ApiError(413, "body_too_large", `body: expected at most ${mostBodyBytes} bytes, got ${got}; send less`, null, {
      // What is left of the body is not read.
      connection: "close",
    });
  const told = Number(request.headers.get("content-length") ?? 0);
  if (told > mostBodyBytes) throw tooLarge(String(told));
  const chunks: Uint8Array[] = [];
  let length = 0;
  // As a stream: a body that says nothing of its length is stopped all the same.
  try {
    for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > mostBodyBytes) throw tooLarge("more");
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof ApiError ? error : wentAway();
  }
  return Buffer.concat(chunks);
}

/** What a value of JSON is, for messages. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** A field that is true, false or absent. Throws: ApiError for all else. */
export function flagOf(fields: JsonObject, name: string, fallback: boolean): boolean {
  const value = fields[name] ?? fallback;
  if (typeof value !== "boolean") throw badField(name, `expected true or false, got ${kindOf(value)}`);
  return value;
}

/** A field that counts something, at least 1, or absent. Throws: ApiError for all else. */
export function countOf(fields: JsonObject, name: string): number | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined) return undefined;
  if (!Number.isInteger(value) || (value as number) < 1)
    throw badField(name, `expected a whole number from 1, got ${JSON.stringify(value)}`);
  return value as number;
}

/** An id as the API's own look: a prefix and 24 characters. */
export function newId(prefix: string): string {
  return `${prefix}_${crypto.randomUUID().replaceAll("-", "").slice(0, 24)}`;
}
