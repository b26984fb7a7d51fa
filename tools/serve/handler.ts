/** Request → Response, on any host: the table of routes, and what holds for all of them. */

import { readFileSync } from "node:fs";
import type { ToolSet } from "../../runtime/index.ts";
import type { JsonObject } from "../../runtime/json.ts";
import { chat } from "./chat.ts";
import type { Desk } from "./desk.ts";
import type { Guard } from "./guard.ts";
import { ApiError, badField, json, kindOf, readFields } from "./http.ts";
import { responses } from "./responses.ts";
import { told } from "./sse.ts";
import { readTools, unusedOf } from "./turn.ts";

export interface Service {
  desk: Desk;
  /** What clients name the model. */
  name: string;
  /** Offered where a call of our own route, or of MCP, brings no tools. */
  tools: ToolSet;
  guard: Guard;
  /** GET of all other paths: a page's files, null for none. */
  page?: (path: string) => Promise<Response | null>;
  /** POST, GET and DELETE /mcp, where it is served. */
  mcp?: (request: Request) => Promise<Response>;
  /** /thimble/tunes and what is under it, where courses are given. */
  tunes?: (request: Request, rest: string, gone: AbortController) => Promise<Response>;
}

export type Handler = (request: Request) => Promise<Response>;

interface Route {
  methods: string[];
  /** No key is asked for. */
  isOpen?: boolean;
  answer(request: Request, gone: AbortController, rest: string): Promise<Response> | Response;
}

export function handlerOf(service: Service): Handler {
  const { desk, guard, name } = service;
  const routes = routesOf(service);
  const startedAt = Math.floor(Date.now() / 1000);
  const described = { id: name, object: "model", created: startedAt, owned_by: "thimble" };
  const models: Route = {
    methods: ["GET"],
    answer: (_, __, id) => {
      if (!id) return json({ object: "list", data: [described] });
      checkModel(id, name);
      return json(described);
    },
  };
  routes.set("/v1/models", models);

  return async (request) => {
    const path = new URL(request.url).pathname;
    const [at, rest] = underOf(path);
    const route = routes.get(at);
    let response: Response;
    try {
      guard.check(request, route?.isOpen ?? false);
      const file = !route && /^(GET|HEAD)$/.test(request.method) ? await service.page?.(path) : null;
      if (file) return file;
      if (!route) {
        const known = [...routes.keys()].join(", ");
        throw new ApiError(404, "unknown_url", `path: expected one of ${known}, got ${JSON.stringify(path)}`);
      }
      if (request.method === "OPTIONS") response = guard.preflight(request);
      else {
        const method = request.method === "HEAD" ? "GET" : request.method;
        if (!route.methods.includes(method)) {
          const allow = route.methods.join(", ");
          throw new ApiError(405, null, `method: expected ${allow}, got ${method}; ask so`, null, { allow });
        }
        const encoding = request.headers.get("content-encoding") ?? "identity";
        if (encoding.toLowerCase() !== "identity") {
          const message = `content-encoding: expected none, got ${JSON.stringify(encoding)}; send the body as it is`;
          throw new ApiError(415, "unsupported_encoding", message, null, { "accept-encoding": "identity" });
        }
        response = await route.answer(request, goneWith(request), rest);
      }
    } catch (error) {
      // Cut within its body; the desk counts whose call waited or ran.
      if (error instanceof ApiError && error.status === 499) desk.metrics.aborted++;
      response = told(error, request.signal).response();
    }
    desk.metrics.requested(route ? at : "other", response.status);
    for (const [header, value] of Object.entries(guard.headers(request))) response.headers.set(header, value);
    return response;
  };
}

function routesOf({ desk, name, tools, mcp, tunes }: Service): Map<string, Route> {
  const asked =
    (answer: typeof chat): Route["answer"] =>
    async (request, gone) => {
      const fields = await readFields(request);
      const { model = "" } = fields;
      if (typeof model !== "string") throw badField("model", `expected a name, got ${kindOf(model)}`);
      if (model) checkModel(model, name);
      return answer(fields, name, desk, gone);
    };
  const routes = new Map<string, Route>([
    ["/v1/chat/completions", { methods: ["POST"], answer: asked(chat) }],
    ["/v1/responses", { methods: ["POST"], answer: asked(responses) }],
    ["/thimble/call", { methods: ["POST"], answer: (request, gone) => call(request, desk, tools, gone) }],
    ["/health", { methods: ["GET"], isOpen: true, answer: () => json({ status: "ok", model: name, version }) }],
    [
      "/metrics",
      {
        methods: ["GET"],
        answer: () =>
          new Response(desk.metrics.text(desk.model, desk.count), {
            headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
          }),
      },
    ],
  ]);
  if (tunes)
    routes.set("/thimble/tunes", {
      methods: ["GET", "POST", "DELETE"],
      answer: (request, gone, rest) => tunes(request, rest, gone),
    });
  if (mcp) routes.set("/mcp", { methods: ["POST", "GET", "DELETE"], answer: (request) => mcp(request) });
  return routes;
}

/** Our own route: {request, tools?} → the whole CallResult. */
async function call(request: Request, desk: Desk, usual: ToolSet, gone: AbortController): Promise<Response> {
  const fields: JsonObject = await readFields(request);
  const { request: text, tools } = fields;
  if (typeof text !== "string" || !text.trim())
    throw badField("request", `expected text, got ${typeof text === "string" ? "none" : kindOf(text)}`);
  const ask = { request: text, tools: tools === undefined || tools === null ? usual : readTools(tools) };
  return json({ ...(await desk.call(ask, gone.signal)), ...unusedOf(fields, ["request", "tools"], { ask }) });
}

function checkModel(given: string, name: string): void {
  if (given === name) return;
  const message = `model: expected ${JSON.stringify(name)}, got ${JSON.stringify(given)}; GET /v1/models lists it`;
  throw new ApiError(404, "model_not_found", message, "model");
}

/** Aborts with the client, or when its answer's stream is given up. */
function goneWith(request: Request): AbortController {
  const gone = new AbortController();
  if (request.signal.aborted) gone.abort(request.signal.reason);
  request.signal.addEventListener("abort", () => gone.abort(request.signal.reason), { once: true });
  return gone;
}

/** A path as its route, and what stands under that. */
function underOf(path: string): [at: string, rest: string] {
  const under = ["/v1/models", "/thimble/tunes"].find((route) => path.startsWith(`${route}/`));
  return under ? [under, decoded(path.slice(under.length + 1))] : [path, ""];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The nearest package.json above: the source tree and the built package nest this file differently. */
export const version: string = (() => {
  for (const up of ["../../package.json", "../../../package.json"]) {
    try {
      return JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8")).version;
    } catch {}
  }
  return "unknown";
})();
