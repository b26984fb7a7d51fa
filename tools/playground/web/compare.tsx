/** The same examples to two models, side by side: packs, or a server of OpenAI's API. */
import { batch, computed, signal } from "@preact/signals";
import { FileButton } from "./file.tsx";
import type { Compared, Side } from "./messages.ts";
import { compare, loadModel } from "./model.ts";
import { packName, partsOf } from "./state.ts";

/** Most lines of a file: the first. */
const mostExamples = 500;

const other = signal<{ side: Side; name: string } | null>(null);
const examples = signal<string[]>([]);
const rows = signal<{ a: Compared; b: Compared | null }[]>([]);
const problem = signal("");
const url = signal("http://127.0.0.1:7861/v1");
let running: AbortController | null = null;
const isRunning = signal(false);

/** Right answers of each, of those that say what is right. */
const score = computed(() => {
  const judged = rows.value.filter(({ a }) => a.exact !== null);
  const right = (side: "a" | "b") => judged.filter((row) => row[side]?.exact).length;
  const differ = rows.value.filter(({ a, b }) => b && a.answer !== b.answer).length;
  return { judged: judged.length, a: right("a"), b: right("b"), differ };
});

async function readExamples(file: File): Promise<void> {
  const lines = (await file.text()).split("\n").filter((line) => line.trim());
  batch(() => {
    problem.value =
      lines.length > mostExamples ? `${file.name}: the first ${mostExamples} of ${lines.length} lines` : "";
    examples.value = lines.slice(0, mostExamples);
    rows.value = [];
  });
}

async function readPack(file: File): Promise<void> {
  problem.value = "";
  try {
    await loadModel("other", ...partsOf(file));
    other.value = { side: "other", name: file.name };
  } catch (error) {
    problem.value = (error as Error).message;
  }
}

async function useServer(): Promise<void> {
  problem.value = "";
  const name = url.value;
  try {
    const response = await fetch(name.replace(/(\/chat\/completions)?\/*$/, "/models"));
    const model = response.ok && (await response.json()).data?.[0]?.id;
    if (!model) throw new Error(`status ${response.status}`);
    other.value = { side: { url: name, model }, name };
  } catch (error) {
    problem.value = `${name}: expected a server that lists its models, got ${(error as Error).message}; start it with --cors ${location.origin}`;
  }
}

async function run(): Promise<void> {
  const own = new AbortController();
  running = own;
  batch(() => {
    isRunning.value = true;
    rows.value = [];
    problem.value = "";
  });
  const beside = other.value;
  try {
    for (const [i, example] of examples.value.entries()) {
      const place = `line ${i + 1}`;
      const ask = (side: Side) =>
        compare(side, example, own.signal).catch((error: Error) => {
          if (own.signal.aborted) throw error;
          return { request: place, answer: error.message, exact: null };
        });
      const a = await ask("main");
      const b = beside && (await ask(beside.side));
      rows.value = [...rows.value, { a, b }];
    }
  } catch (error) {
    if (!own.signal.aborted) problem.value = (error as Error).message;
  } finally {
    isRunning.value = false;
  }
}

export function Compare() {
  const { judged, a, b, differ } = score.value;
  const name = other.value?.name;
  return (
    <details class="wide compare">
      <summary>Compare two models on a file of examples</summary>
      <div class="row">
        <FileButton label="Examples (JSONL)" accept=".jsonl,.json" take={readExamples} />
        <FileButton label="Second pack" accept=".thimble,.tuning" take={readPack} />
        <label>
          or a server
          <input
            value={url.value}
            onInput={({ currentTarget }) => {
              url.value = currentTarget.value;
            }}
          />
        </label>
        <button type="button" onClick={useServer}>
          Use it
        </button>
        <button
          type="button"
          class="main"
          disabled={!examples.value.length}
          onClick={() => (isRunning.value ? running?.abort() : void run())}
        >
          {isRunning.value ? "Stop" : "Run"}
        </button>
      </div>
      <p role="status" id="compared">
        {`${examples.value.length} examples, ${packName.value}${name ? ` beside ${name}` : ""}. `}
        {rows.value.length > 0 &&
          `${rows.value.length} answered; ${judged ? `right: ${a}${name ? ` and ${b}` : ""} of ${judged}. ` : ""}${name ? `${differ} differ.` : ""}`}
      </p>
      <p role="alert" class="bad">
        {problem.value}
      </p>
      {rows.value.length > 0 && (
        <section class="scroll" aria-label="Answers">
          <table>
            <thead>
              <tr>
                <th>Request</th>
                <th>{packName.value}</th>
                {name && <th>{name}</th>}
              </tr>
            </thead>
            <tbody>
              {rows.value.map((row, i) => (
                <tr key={i} class={row.b && row.a.answer !== row.b.answer ? "differs" : ""}>
                  <td>{row.a.request}</td>
                  <Cell compared={row.a} />
                  {row.b && <Cell compared={row.b} />}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  );
}

function Cell({ compared: { answer, exact } }: { compared: Compared }) {
  return (
    <td>
      {exact !== null && <span class={exact ? "good" : "bad"}>{exact ? "right " : "wrong "}</span>}
      <code>{answer}</code>
    </td>
  );
}
