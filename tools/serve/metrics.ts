/** What a server has done, in Prometheus' text. Source: prometheus.io, "Exposition formats", version 0.0.4. */
import type { CallResult, Thimble } from "../../runtime/index.ts";

/** Upper bounds of a call's seconds, waiting apart. */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export class Metrics {
  /** Requests whose client went away before their answer. */
  aborted = 0;
  private readonly requests = new Map<string, number>();
  private readonly decisions = new Map<string, number>();
  private readonly below = bounds.map(() => 0);
  private calls = 0;
  private seconds = 0;
  private promptTokens = 0;
  private answerTokens = 0;

  /** Counts a request by the route of the table and its status. */
  requested(route: string, status: number): void {
    add(this.requests, `route="${route}",status="${status}"`);
  }

  answered({ decision, timings }: CallResult): void {
    const seconds = timings.totalMs / 1000;
    add(this.decisions, `decision="${decision}"`);
    this.calls++;
    this.seconds += seconds;
    this.promptTokens += timings.promptTokens;
    this.answerTokens += timings.answerTokens;
    for (const [i, bound] of bounds.entries()) if (seconds <= bound) this.below[i]++;
  }

  text(model: Thimble, waiting: number): string {
    const families: [name: string, kind: string, help: string, samples: [labels: string, value: number][]][] = [
      ["requests_total", "counter", "Requests by route and status.", [...this.requests]],
      ["calls_total", "counter", "Calls of the model by decision.", [...this.decisions]],
      ["aborted_total", "counter", "Requests whose client went away before their answer.", [["", this.aborted]]],
      ["prompt_tokens_total", "counter", "Tokens of requests.", [["", this.promptTokens]]],
      ["answer_tokens_total", "counter", "Tokens of answers.", [["", this.answerTokens]]],
      ["queue", "gauge", "Calls that run or wait.", [["", waiting]]],
      ["linear_memory_bytes", "gauge", "Memory of the model and its sessions.", [["", model.linearMemoryBytes]]],
      ["resident_bytes", "gauge", "Memory of the process.", [["", process.memoryUsage.rss()]]],
    ];
    const lines = families.flatMap(([name, kind, help, samples]) => [
      `# HELP thimble_${name} ${help}`,
      `# TYPE thimble_${name} ${kind}`,
      ...samples.map(([labels, value]) => `thimble_${name}${labels && `{${labels}}`} ${value}`),
    ]);
    const name = "thimble_call_seconds";
    return [
      ...lines,
      `# HELP ${name} Time of a call, without waiting for its turn.`,
      `# TYPE ${name} histogram`,
      ...bounds.map((bound, i) => `${name}_bucket{le="${bound}"} ${this.below[i]}`),
      `${name}_bucket{le="+Inf"} ${this.calls}`,
      `${name}_sum ${this.seconds}`,
      `${name}_count ${this.calls}`,
      "",
    ].join("\n");
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
