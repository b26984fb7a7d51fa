/** Courses on the machine that serves the page: begun by POST, followed as events, stopped, fetched. One at a time. */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { isObject, type JsonObject } from "../../runtime/json.ts";
import type { Report } from "../finetune/course.ts";
import type { Asked, Order, Progress, Said } from "../finetune/teacher.ts";
import { openThread, type Thread } from "../finetune/thread.ts";
import { usual } from "../finetune/trainer.ts";
import { ApiError, badField, json, kindOf, newId, readFields } from "../serve/http.ts";
import { eventStream, type Send } from "../serve/sse.ts";

/** A course, and what has been said of it. */
interface Tune {
  id: string;
  thread: Thread<Order, Said> | null;
  said: (Progress | { event: "done"; report: Report })[];
  files: { tuning: Uint8Array; pack: Uint8Array } | null;
  /** Wakes whoever follows. */
  woken: Set<() => void>;
}

export class Tunes {
  private tune: Tune | null = null;

  /** `pack`: the file that courses start from. */
  constructor(private readonly pack: string) {}

  /**
   * POST {lists, examples, …} → {id}; GET → {id} of the one that is under way or done, null for none.
   * GET /ID/events, from Last-Event-ID on; POST /ID/stop keeps what is learned, DELETE /ID nothing; GET /ID/tuning and /ID/pack.
   * Throws: ApiError.
   */
  async handle(request: Request, rest: string, gone: AbortController): Promise<Response> {
    const { method } = request;
    if (!rest) {
      if (method === "POST") return this.begin(await readFields(request));
      return json({ id: this.tune?.thread || this.tune?.files ? this.tune.id : null });
    }
    const [id, what = ""] = rest.split("/");
    const tune = this.tune;
    if (tune?.id !== id) {
      const got = JSON.stringify(id);
      throw new ApiError(404, "unknown_tune", `tunes: expected the last that was begun, got ${got}; begin one by POST`);
    }
    if (method === "GET" && what === "events") return follow(tune, Number(request.headers.get("last-event-id")), gone);
    if (method === "GET" && (what === "tuning" || what === "pack") && tune.files)
      return new Response(tune.files[what] as Uint8Array<ArrayBuffer>, {
        headers: { "content-type": "application/octet-stream" },
      });
    if (method === "POST" && what === "stop") {
      tune.thread?.post({ do: "stop" });
      return json({});
    }
    if (method === "DELETE" && !what) {
      end(tune, { event: "failed", message: "cancelled" });
      return json({});
    }
    const known = "events, stop, tuning and pack once it is done";
    throw new ApiError(404, "unknown_url", `tunes: expected one of ${known}, got ${method} ${JSON.stringify(what)}`);
  }

  /** Ends what is under way. */
  close(): void {
    if (this.tune) end(this.tune, { event: "failed", message: "the server has ended" });
  }

  private async begin(fields: JsonObject): Promise<Response> {
    const asked = readAsked(fields);
    const pack = Uint8Array.from(await readFile(this.pack));
    if (this.tune?.thread) {
      const message = "tunes: expected none under way, got one; follow it, or DELETE it";
      throw new ApiError(409, "busy", message);
    }
    const thread = openThread<Order, Said>("teacher");
    const tune: Tune = { id: newId("tune"), thread, said: [], files: null, woken: new Set() };
    this.tune = tune;
    thread.onMessage = (said) => {
      if ("id" in said || said.event === "left") return;
      if (said.event === "done") {
        const { report, tuning, pack: whole } = said;
        tune.files = { tuning, pack: whole };
        end(tune, { event: "done", report });
      } else if (said.event === "failed") end(tune, said);
      else say(tune, said);
    };
    thread.onError = ({ message }) => end(tune, { event: "failed", message });
    thread.post({ do: "teach", pack, asked });
    return json({ id: tune.id }, 201);
  }
}

function say(tune: Tune, said: Tune["said"][number]): void {
  tune.said.push(said);
  for (const wake of tune.woken) wake();
}

function end(tune: Tune, said: Tune["said"][number]): void {
  if (!tune.thread) return;
  tune.thread.close();
  tune.thread = null;
  say(tune, said);
}

/** What has been said from number `from` on, and then what is, until the course is over. */
function follow(tune: Tune, from: number, gone: AbortController): Promise<Response> {
  let wake = () => {};
  const woken = () => wake();
  tune.woken.add(woken);
  gone.signal.addEventListener("abort", woken, { once: true });
  const work = async (send: Send) => {
    for (let at = Math.max(0, from || 0); ; ) {
      while (at < tune.said.length) {
        const said = tune.said[at++];
        send(said, said.event, String(at));
      }
      if (!tune.thread || gone.signal.aborted) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    tune.woken.delete(woken);
  };
  return eventStream(work, gone, (error, send) => send(error.body, "failed"));
}

/** Throws: ApiError that names the field which is wrong. */
function readAsked({ lists, examples, seed = 1, minutes = null, most = null }: JsonObject): Asked {
  if (!Array.isArray(lists) || lists.some((list) => typeof list !== "string"))
    throw badField("lists", `expected tool lists as JSON in strings, got ${kindOf(lists)}`);
  if (!Array.isArray(examples)) throw badField("examples", `expected a list, got ${kindOf(examples)}`);
  for (const [i, one] of examples.entries()) {
    const { query, answers, tools } = isObject(one) ? one : {};
    if (typeof query !== "string" || !Array.isArray(answers) || typeof lists[tools as number] !== "string")
      throw badField(`examples[${i}]`, "expected {query, answers, tools}, tools a place in lists");
  }
  for (const [name, value, least, greatest] of [
    ["minutes", minutes, 0.05, 1e5],
    ["most", most, 1, 1e7],
  ] as const)
    if (value !== null && !(typeof value === "number" && value >= least && value <= greatest))
      throw badField(name, `expected a number from ${least} to ${greatest}, got ${JSON.stringify(value)}`);
  if (minutes === null && most === null) throw badField("minutes", "expected it, or most, got neither");
  if (!Number.isInteger(seed)) throw badField("seed", `expected a whole number, got ${kindOf(seed)}`);
  const threads = Math.min(availableParallelism(), usual.batch / 4);
  return { lists, examples, seed, minutes, most, threads } as unknown as Asked;
}
