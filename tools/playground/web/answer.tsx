/** The call as JSON, how sure the model is of it, where its values stand in the request, and what it cost. */
import type { Timings, ToolCall, ValueSource } from "../../../runtime/index.ts";
import { answered, calls } from "./state.ts";

/** A call's value and its colour, by its place among all values. */
interface Value {
  key: string;
  source: ValueSource;
  hue: number;
}

export function Answer() {
  const answer = answered.value;
  if (!answer) return null;
  const { result, request } = answer;
  return (
    <>
      <section aria-label="Calls" aria-live="polite">
        <h2>
          Calls <span class={`decision ${result.decision}`}>{result.decision}</span>
          {result.cutShort && <span class="note">cut short</span>}
        </h2>
        {calls.value.length ? null : <p>No tool fits.</p>}
        {calls.value.map((call, i) => (
          <Call key={i} call={call} />
        ))}
      </section>
      <Words request={request} values={valuesOf(calls.value)} />
      <Times timings={result.timings} />
    </>
  );
}

function Call({ call }: { call: ToolCall }) {
  const { name, arguments: args, confidence, certainty, decision } = call;
  const percent = Math.round(100 * confidence);
  return (
    <article>
      <pre id="call">{`${name} ${JSON.stringify(args, null, 1).replace(/\n\s*/g, " ")}`}</pre>
      <p class="confidence">
        <meter min={0} max={1} value={confidence} aria-label={`Confidence of ${name}`} />
        <span>
          {percent}% sure: {decision}
        </span>
        <span class="note">{certainty.runnerUp ? `else ${certainty.runnerUp}` : "no runner-up"}</span>
      </p>
    </article>
  );
}

function valuesOf(list: readonly ToolCall[]): Value[] {
  return list
    .flatMap(({ sources }) => Object.entries(sources))
    .map(([key, source], i) => ({ key, source, hue: i % 6 }));
}

/** The request, with the words that became values marked by the value's colour. */
function Words({ request, values }: { request: string; values: Value[] }) {
  const placed = values
    .filter(({ source }) => source.start !== undefined)
    .sort((a, b) => (a.source.start as number) - (b.source.start as number));
  const parts: preact.ComponentChild[] = [];
  let at = 0;
  for (const { key, source, hue } of placed) {
    const [start, end] = [source.start as number, source.end as number];
    // Two values of the same words: the legend has both.
    if (start < at) continue;
    parts.push(
      request.slice(at, start),
      <mark key={`${key}${start}`} class={`hue${hue}`} title={key}>
        {request.slice(start, end)}
      </mark>,
    );
    at = end;
  }
  parts.push(request.slice(at));
  return (
    <section aria-label="Where the values come from">
      <h2>Values</h2>
      <p class="words" id="words">
        {parts}
      </p>
      <ul class="sources">
        {values.map(({ key, source, hue }, i) => (
          <li key={i} class={source.grounded ? "" : "bad"}>
            <span class={`key hue${hue}`}>{key}</span> {origin(source, request)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function origin({ from, start, end, grounded }: ValueSource, request: string): string {
  const said = start === undefined ? "" : ` “${request.slice(start, end)}”`;
  if (!grounded) return "said nowhere: never acted on";
  if (from === "request") return `said:${said}`;
  return from === "number word" ? `a number in words:${said}` : `from the tool's ${from}${said}`;
}

function Times({ timings }: { timings: Timings }) {
  const { prefillMs, decodeMs, totalMs, promptTokens, answerTokens, forcedTokens, tools } = timings;
  const bars: [name: string, ms: number, note: string][] = [
    ["Prefill", prefillMs, `${promptTokens} tokens, ${tools.offered} of ${tools.given} tools, ${tools.read} read anew`],
    ["Decode", decodeMs, `${answerTokens} tokens, ${forcedTokens} forced`],
  ];
  return (
    <section aria-label="Time">
      <h2>
        Time <span class="note">{totalMs.toFixed(1)} ms with the trace</span>
      </h2>
      <dl class="times">
        {bars.map(([name, ms, note]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {ms.toFixed(1)} ms <span class="note">{note}</span>
              <span class="bar" style={{ width: `${Math.max(1, (100 * ms) / totalMs)}%` }} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
