/** Teaches the model the tools in the editor: examples, a course, before and after. Fetched when it is opened. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Stage } from "../../finetune/course.ts";
import {
  cancel,
  dismiss,
  findLeft,
  findServer,
  goOn,
  hasServer,
  isServers,
  notes,
  offered,
  type Place,
  place,
  points,
  type Running,
  running,
  start,
  stop,
  trouble,
} from "./course.ts";
import { Curve } from "./curve.tsx";
import { Examples } from "./examples.tsx";
import type { Facts } from "./keep.ts";
import { faulty, left, rows } from "./lesson.ts";
import { Result } from "./outcome.tsx";

/** A course of fewer has nothing to hold out. */
const leastRows = 40;
const minutes = signal(3);

/** A tuning keeps all that it learned: a page chooses nothing. */
const stageWords: Partial<Record<Stage, string>> = {
  base: "Measuring the model as it is",
  train: "Training",
  fit: "Fitting when to act",
  score: "Measuring what it learned",
};
const order = Object.keys(stageWords) as Stage[];

export function Teach() {
  useEffect(() => {
    void findServer();
    void findLeft();
  }, []);
  return (
    <div class="teaching">
      <Examples />
      <section aria-label="Course">
        <h2>2. Course</h2>
        {running.value ? <Now running={running.value} /> : <Begin />}
        <p role="alert" class="bad" id="trouble">
          {trouble.value}
        </p>
        <ul class="notes">
          {notes.value.map((text, i) => (
            <li key={i} class="note">
              {text}
            </li>
          ))}
        </ul>
        {points.value.length > 0 && <Curve />}
      </section>
      <Result />
    </div>
  );
}

/** A button that takes the focus where the one that had it went away. */
function useHeir() {
  const heir = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (document.activeElement === document.body) heir.current?.focus({ preventScroll: true });
  }, []);
  return heir;
}

function Begin() {
  const heir = useHeir();
  const minutesField = useRef<HTMLInputElement>(null);
  const usable = rows.value.length - left.value;
  const why = faulty.value
    ? "Mend or remove the examples that are wrong first."
    : usable < leastRows
      ? `It takes ${leastRows} examples at least.`
      : "";
  return (
    <>
      {offered.value && <Offer {...offered.value} dismissed={() => minutesField.current?.focus()} />}
      {hasServer.value && <Places />}
      <div class="row">
        <label>
          Minutes{" "}
          <input
            ref={minutesField}
            type="number"
            min={0.1}
            max={600}
            step="any"
            value={minutes.value}
            onInput={({ currentTarget }) => {
              minutes.value = currentTarget.valueAsNumber;
            }}
          />
        </label>
        <button
          ref={heir}
          type="button"
          class={why ? "" : "main"}
          disabled={Boolean(why) || !(minutes.value >= 0.05)}
          aria-describedby="why"
          onClick={() => void start(minutes.value)}
        >
          Teach
        </button>
      </div>
      <p class="note" id="why">
        {why ||
          "Its decoder learns, on the weights as they are deployed; measuring before and after takes some time more."}
      </p>
    </>
  );
}

/** What a page that is loaded anew finds. */
function Offer({ began, examples, dismissed }: Facts & { dismissed: () => void }) {
  const when = timeSince(new Date(began));
  return (
    <div class="offer">
      <p role="status" id="left">
        The course of {when} was left after {examples.toLocaleString("en")} examples. A new one takes its place.
      </p>
      <div class="row">
        <button type="button" class="main" onClick={() => void goOn()}>
          Go on with the course of {when}
        </button>
        <button type="button" onClick={() => void dismiss().then(dismissed)}>
          Dismiss it
        </button>
      </div>
    </div>
  );
}

function Places() {
  const choices: [Place, string][] = [
    ["page", "In this page"],
    ["server", "On the machine that serves it"],
  ];
  return (
    <fieldset class="presets" aria-label="Where">
      {choices.map(([name, label]) => (
        <button
          key={name}
          type="button"
          aria-pressed={place.value === name}
          disabled={name === "server" && !isServers()}
          onClick={() => (place.value = name)}
        >
          {label}
        </button>
      ))}
    </fieldset>
  );
}

function Now({ running: { stage, share, step, isStopping, place: where } }: { running: Running }) {
  const said = stage ? `${order.indexOf(stage) + 1} of ${order.length}: ${stageWords[stage]}` : "Reading the examples";
  const isTraining = stage === "train";
  const heir = useHeir();
  return (
    <>
      <p role="status" id="stage">
        {said}
        {where === "server" && ", on the machine that serves this page"}
      </p>
      <progress value={share} max={1} aria-label={stage ? stageWords[stage] : "Reading"} />
      <p class="note">
        {isTraining && step
          ? `${step.examples.toLocaleString("en")} examples, ${step.perSecond.toFixed(0)} a second, loss ${step.loss.toFixed(2)}; ${timeOf(step.leftS)} left`
          : " "}
      </p>
      <div class="row">
        <button type="button" disabled={!isTraining || isStopping} onClick={stop}>
          {isStopping ? "Stopping…" : "Stop, and keep what it learned"}
        </button>
        <button ref={heir} type="button" onClick={cancel}>
          Cancel
        </button>
      </div>
    </>
  );
}

/** hh:mm, of another day with its date. */
function timeSince(date: Date): string {
  const time = date.toTimeString().slice(0, 5);
  return date.toDateString() === new Date().toDateString() ? time : `${date.toLocaleDateString()}, ${time}`;
}

const timeOf = (seconds: number): string =>
  seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
