/** The examples as a table to edit, a page at a time. */
import { computed, signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { firstTool } from "./calls.ts";
import { FileButton } from "./file.tsx";
import {
  addRow,
  clear,
  edit,
  faulty,
  isMaking,
  left,
  makeRows,
  mostRows,
  paste,
  problem,
  type Row,
  remove,
  rows,
  saveRows,
} from "./lesson.ts";
import { usable } from "./state.ts";

const perPage = 12;
const none = "(no tool)";

/** What is shown: a tool's rows, "!" those to mend, "" all. As they were when it was chosen: a row that is mended stays. */
const chosen = signal<{ word: string; ids: Set<number> }>({ word: "", ids: new Set() });
const page = signal(0);
const howMany = signal(1000);

const toolOf = ({ calls }: Row): string => firstTool(calls) ?? none;

/** Rows of each tool, the most first. */
const counts = computed(() => {
  const found = new Map<string, number>();
  for (const row of rows.value) found.set(toolOf(row), (found.get(toolOf(row)) ?? 0) + 1);
  return [...found].sort(([, a], [, b]) => b - a);
});

function choose(word: string): void {
  const isMeant = (row: Row) => (word === "!" ? row.fault !== null : toolOf(row) === word);
  chosen.value = { word, ids: new Set(rows.value.filter(isMeant).map(({ id }) => id)) };
  page.value = 0;
}

const shown = computed(() => {
  const { word, ids } = chosen.value;
  const some = word ? rows.value.filter(({ id }) => ids.has(id)) : [];
  return some.length ? some : rows.value;
});

export function Examples() {
  const pages = Math.max(1, Math.ceil(shown.value.length / perPage));
  const at = Math.min(page.value, pages - 1);
  const first = at * perPage;
  return (
    <section aria-label="Examples">
      <h2>1. Examples</h2>
      <Sources />
      <p role="status" id="example-count" class="note">
        {told()}
      </p>
      <p role="alert" class="bad" id="examples-problem">
        {problem.value}
      </p>
      {rows.value.length > 0 && (
        <>
          <div class="row pager">
            <label>
              Show{" "}
              <select
                value={shown.value === rows.value ? "" : chosen.value.word}
                onChange={({ currentTarget }) => choose(currentTarget.value)}
              >
                <option value="">all, {rows.value.length}</option>
                {(faulty.value + left.value > 0 || chosen.value.word === "!") && (
                  <option value="!">to mend, {faulty.value + left.value}</option>
                )}
                {counts.value.map(([name, count]) => (
                  <option key={name} value={name}>
                    {name}, {count}
                  </option>
                ))}
              </select>
            </label>
            <span class="turn">
              <span class="note">
                {first + 1}–{Math.min(shown.value.length, first + perPage)} of {shown.value.length}
              </span>
              <button type="button" aria-label="Page before" disabled={at === 0} onClick={() => (page.value = at - 1)}>
                ‹
              </button>
              <button
                type="button"
                aria-label="Next page"
                disabled={at === pages - 1}
                onClick={() => (page.value = at + 1)}
              >
                ›
              </button>
            </span>
          </div>
          <section class="scroll whole" aria-label="Examples, page by page">
            <table class="examples">
              <thead>
                <tr>
                  <th>Request</th>
                  <th>Calls, one a line; none where no tool fits</th>
                  <th>
                    <span class="unseen">Remove</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {shown.value.slice(first, first + perPage).map((row, i) => (
                  <Line key={row.id} row={row} number={first + i + 1} />
                ))}
              </tbody>
            </table>
          </section>
          <div class="row">
            <button type="button" onClick={addOne}>
              Add one
            </button>
            <button type="button" onClick={saveRows}>
              Save as JSONL
            </button>
            <button
              type="button"
              onClick={() => {
                clear();
                choose("");
              }}
            >
              Remove all
            </button>
          </div>
        </>
      )}
    </section>
  );
}

function told(): string {
  if (isMaking.value) return "Making examples…";
  const count = rows.value.length;
  if (!count) return "None yet. Make some from the tools in the editor, or paste your own.";
  const wrong = faulty.value ? `, ${faulty.value} to mend` : "";
  const out = left.value ? `, ${left.value} left out: their requests do not say a value` : "";
  return `${count.toLocaleString("en")} examples${wrong}${out}. A part is held out to measure on.`;
}

/** The row that takes the focus once it is drawn, so that what is typed next goes into it. */
let added: number | undefined;

function addOne(): void {
  added = addRow();
  choose("");
  page.value = Math.floor((rows.value.length - 1) / perPage);
}

function focusAdded(field: HTMLTextAreaElement | null, id: number): void {
  if (!field || id !== added) return;
  added = undefined;
  field.focus();
}

function Sources() {
  const text = useRef<HTMLTextAreaElement>(null);
  const pasted = useRef<HTMLDetailsElement>(null);
  return (
    <>
      <div class="row">
        <label>
          How many{" "}
          <input
            type="number"
            min={20}
            max={mostRows}
            step={1}
            value={howMany.value}
            onInput={({ currentTarget }) => {
              howMany.value = currentTarget.valueAsNumber;
            }}
          />
        </label>
        <button
          type="button"
          class={rows.value.length ? "" : "main"}
          disabled={isMaking.value || !usable.value || !(howMany.value >= 1 && howMany.value <= mostRows)}
          onClick={() => void makeRows(Math.round(howMany.value))}
        >
          Make examples
        </button>
        <FileButton
          label="Open examples"
          accept=".jsonl,.json"
          take={async (file) => void paste(await file.text(), `${file.name}: `)}
        />
      </div>
      <details ref={pasted}>
        <summary>Paste examples</summary>
        <label>
          A line each: <code>{'{"query": "…", "answers": [{"name": "…", "arguments": {…}}]}'}</code>
          <textarea ref={text} class="paste" rows={4} spellcheck={false} />
        </label>
        <button
          type="button"
          onClick={() => {
            if (!text.current || !paste(text.current.value)) return;
            text.current.value = "";
            if (pasted.current) pasted.current.open = false;
          }}
        >
          Add them
        </button>
      </details>
    </>
  );
}

function Line({ row: { id, query, calls, fault }, number }: { row: Row; number: number }) {
  const at = (field: "query" | "calls") => ({
    "aria-invalid": fault?.field === field && !fault.isOut,
    ...(fault?.field === field && { "aria-describedby": `fault-${id}` }),
  });
  const Said = ({ field }: { field: "query" | "calls" }) =>
    fault?.field === field ? (
      <p id={`fault-${id}`} class={fault.isOut ? "warn" : "bad"}>
        {fault.message}
      </p>
    ) : null;
  return (
    <tr>
      <td>
        <textarea
          ref={(field) => focusAdded(field, id)}
          rows={1}
          aria-label={`Request ${number}`}
          spellcheck={false}
          value={query}
          {...at("query")}
          onInput={({ currentTarget }) => edit(id, { query: currentTarget.value.replaceAll("\n", " ") })}
        />
        <Said field="query" />
      </td>
      <td>
        <textarea
          class="mono"
          rows={Math.max(1, calls.split("\n").length)}
          aria-label={`Calls ${number}`}
          placeholder="no tool fits"
          spellcheck={false}
          value={calls}
          {...at("calls")}
          onInput={({ currentTarget }) => edit(id, { calls: currentTarget.value })}
        />
        <Said field="calls" />
      </td>
      <td>
        <button type="button" aria-label={`Remove example ${number}`} onClick={() => remove(id)}>
          ×
        </button>
      </td>
    </tr>
  );
}
