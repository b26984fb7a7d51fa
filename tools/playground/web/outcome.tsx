/** Before and after on the held-out part, what is still wrong, and what was learned as files. */
import { figures } from "../../finetune/figures.ts";
import type { Group, Judged } from "../../finetune/judge.ts";
import { type Outcome, outcome, tryIt } from "./course.ts";
import { download } from "./file.tsx";
import { packName } from "./state.ts";

const words: Record<string, string> = {
  exact: "Whole answer right",
  callF1: "Calls, F1",
  nameF1: "Tools chosen, F1",
  values: "Values right",
  noneRecall: "Rightly no call",
  falseRefusals: "Wrongly no call",
};

const percent = (share: number | null) => (share === null ? "–" : `${(100 * share).toFixed(1)}%`);
const signed = (share: number | null) =>
  share === null ? "–" : `${share < 0 ? "−" : share > 0 ? "+" : ""}${Math.abs(100 * share).toFixed(1)}`;
const size = ({ size: bytes }: Blob) =>
  bytes < 1e6 ? `${Math.round(bytes / 1e3)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;

export function Result() {
  const taught = outcome.value;
  if (!taught) return null;
  const { report, tuning, whole } = taught;
  const isUsed = packName.value.endsWith("what it learned");
  return (
    <section aria-label="What it learned" id="outcome">
      <h2>3. Before and after</h2>
      <p role="status">{verdict(taught)}</p>
      <div class="row">
        <button type="button" class={isUsed ? "" : "main"} onClick={() => void tryIt(!isUsed)}>
          {isUsed ? "Back to the model before" : "Use it in this page"}
        </button>
        <button type="button" onClick={() => download(tuning, "my.tuning")}>
          Save the tuning, {size(tuning)}
        </button>
        <button type="button" onClick={() => download(whole, "my.thimble")}>
          Save the whole pack, {size(whole)}
        </button>
      </div>
      <p class="note">
        The tuning answers what calls your tools and leaves the rest to the model. The whole pack has one decoder for
        everything: for devices that have your tools alone.
      </p>
      <div class="tables">
        <Figures judged={report.own} title={`Yours, held out: ${report.own.examples}`} />
        <Figures judged={report.general} title={`Everybody's tools, yours beside them: ${report.general.examples}`} />
        <Groups title="Tool" groups={report.tools} />
        {report.cells && <Groups title="What is new in it" groups={report.cells} />}
      </div>
      {report.wrong.length > 0 && (
        <details>
          <summary>Still wrong: {report.wrong.length}</summary>
          <section class="scroll" aria-label="Still wrong">
            <table>
              <thead>
                <tr>
                  <th>Request</th>
                  <th>Wanted</th>
                  <th>Got</th>
                </tr>
              </thead>
              <tbody>
                {report.wrong.map(({ request, wants, gets }, i) => (
                  <tr key={i}>
                    <td>{request}</td>
                    <td>
                      <code>{wants}</code>
                    </td>
                    <td>
                      <code>{gets}</code>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        </details>
      )}
    </section>
  );
}

function verdict({ report: { isBetter, hasFallen, examples, spentMs, end } }: Outcome): string {
  const better = isBetter ? "Better on your tools" : "No better on your tools: it needs more examples, or longer";
  const general = hasFallen ? "worse on everybody's" : "no worse on everybody's than chance explains";
  const early = end === "no better" ? ", until no look was better" : "";
  return `${better}, ${general}. ${examples.toLocaleString("en")} examples shown in ${Math.round(spentMs / 1000)} s${early}.`;
}

function Figures({ judged, title }: { judged: Judged; title: string }) {
  return (
    <table>
      <thead>
        <tr>
          <th>{title}</th>
          <th>Before</th>
          <th>After</th>
          <th>Change, points</th>
        </tr>
      </thead>
      <tbody>
        {figures(judged).map(({ key, label, a, b, difference: { value, low, high } }) => (
          <tr key={key}>
            <td>{words[key] ?? label}</td>
            <td>{percent(a)}</td>
            <td>{percent(b)}</td>
            <td>
              {signed(value)} <span class="note">{low === null ? "" : `${signed(low)} … ${signed(high)}`}</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Groups({ title, groups }: { title: string; groups: readonly Group[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th>{title}</th>
          <th>Examples</th>
          <th>Right before</th>
          <th>After</th>
        </tr>
      </thead>
      <tbody>
        {groups.map(({ name, examples, before, after }) => (
          <tr key={name}>
            <td>{name}</td>
            <td>{examples}</td>
            <td>{percent(before)}</td>
            <td>{percent(after)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
