/** A real watch by Web Bluetooth: its own tools, and calls that it runs once they are approved. */
import { batch, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Wearable } from "../../../runtime/companion.ts";
import type { ToolCall } from "../../../runtime/index.ts";
import { wordsOf } from "./acting.ts";
import { call } from "./model.ts";
import { pretty } from "./presets.ts";
import { request, show, takeTools } from "./state.ts";

const watch = signal<Wearable | null>(null);
const state = signal("");
const problem = signal("");
/** What the watch said of the calls that were made. */
const outcomes = signal<string[]>([]);
/** The call that waits for a yes. */
const asking = signal<{ call: ToolCall; answer: (isYes: boolean) => void } | null>(null);

/** Asks one call after another: a question must not change under a finger. */
let asked: Promise<unknown> = Promise.resolve();
function approve(one: ToolCall): Promise<boolean> {
  const answer = asked.then(
    () =>
      new Promise<boolean>((resolve) => {
        asking.value = { call: one, answer: resolve };
      }),
  );
  asked = answer;
  return answer;
}

async function connect(): Promise<void> {
  problem.value = "";
  try {
    // From the package's modules, and only for who has a watch.
    const [{ Companion, connectBluetooth }, { packTools }] = await Promise.all([
      import("../../../runtime/companion.ts"),
      import("../../../runtime/index.ts"),
    ]);
    const companion = new Companion({
      name: "thimble playground",
      model: { call: (text, set, options) => call("main", text, packTools(set), options?.signal) },
      approve: (_, one) => approve(one),
      onDevice: (device) => {
        batch(() => {
          watch.value = device;
          state.value = `${device.name}, ${device.tools?.tools.length} tools`;
        });
        if (device.tools) takeTools(pretty(JSON.parse(device.tools.prompt)));
      },
      onGone: (device, reason) => {
        if (device !== watch.value) return;
        batch(() => {
          watch.value = null;
          state.value = `${device.name} is gone: ${reason}`;
        });
      },
      onResult: (device, text, result) => show({ request: text, tools: device.tools?.prompt ?? "[]", result }),
      onError: (_, code, text) => {
        problem.value = `${code}: ${text}`;
      },
    });
    state.value = "Connecting…";
    await connectBluetooth(companion);
  } catch (error) {
    batch(() => {
      state.value = "";
      problem.value = (error as Error).message;
    });
  }
}

async function send(): Promise<void> {
  const device = watch.value;
  if (!device || !request.value.trim()) return;
  batch(() => {
    problem.value = "";
    outcomes.value = [];
  });
  try {
    const answered = await device.request(request.value);
    outcomes.value = answered.outcomes.map(
      ({ call: one, outcome }) => `${wordsOf(one.name)}: ${outcome.value || outcome.ending}`,
    );
  } catch (error) {
    problem.value = (error as Error).message;
  }
}

export function Bluetooth() {
  return (
    <section aria-label="A watch by Bluetooth">
      <div class="row">
        {watch.value ? (
          <button type="button" class="main" onClick={send}>
            Run on the watch
          </button>
        ) : (
          <button type="button" onClick={connect}>
            Connect a watch
          </button>
        )}
        <span role="status" id="watch-state" class="note">
          {state.value}
        </span>
      </div>
      <p role="alert" class="bad">
        {problem.value}
      </p>
      <ul class="sources" id="outcomes" aria-live="polite">
        {outcomes.value.map((text, i) => (
          <li key={i}>{text}</li>
        ))}
      </ul>
      {asking.value && <Approval />}
    </section>
  );
}

function Approval() {
  const dialog = useRef<HTMLDialogElement>(null);
  const waiting = asking.value;
  useEffect(() => {
    if (!dialog.current) return;
    dialog.current.returnValue = "no";
    dialog.current.showModal();
  }, [waiting]);
  if (!waiting) return null;
  const { name, arguments: args } = waiting.call;
  // Escape is a no.
  const close = () => {
    waiting.answer(dialog.current?.returnValue === "yes");
    asking.value = null;
  };
  return (
    <dialog ref={dialog} aria-label="Do this on the watch?" onClose={close}>
      <form method="dialog">
        <p>Do this on the watch?</p>
        <pre>{`${name} ${JSON.stringify(args)}`}</pre>
        <div class="row">
          <button type="submit" value="no">
            No
          </button>
          <button type="submit" value="yes" class="main">
            Yes
          </button>
        </div>
      </form>
    </dialog>
  );
}
