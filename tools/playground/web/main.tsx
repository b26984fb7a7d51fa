/** The page: requests and tools to the left, what came of them to the right. */
import { signal } from "@preact/signals";
import { type ComponentType, render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Answer } from "./answer.tsx";
import { Bluetooth } from "./bluetooth.tsx";
import { Compare } from "./compare.tsx";
import { FileButton } from "./file.tsx";
import { leftFacts } from "./keep.ts";
import { Devices } from "./screens.tsx";
import {
  answered,
  checked,
  choosePreset,
  facts,
  fault,
  isBusy,
  lists,
  openTrace,
  packName,
  preset,
  progress,
  replay,
  request,
  saveTrace,
  start,
  toolsFault,
  toolsText,
  typeRequest,
  typeTools,
  useFile,
} from "./state.ts";
import { Tokens } from "./tokens.tsx";

function Head() {
  const known = facts.value;
  const about = known
    ? `${packName}, ${known.params}, ${known.build} kernels, ${(known.bytes / 2 ** 20).toFixed(1)} MiB`
    : `Loading ${packName}, ${Math.round(100 * progress.value)}%`;
  return (
    <header>
      <h1>thimble</h1>
      <p role="status" id="state">
        {about}
      </p>
      <nav aria-label="Model and link">
        <FileButton label="Load a pack" accept=".thimble,.tuning" take={useFile} />
        <CopyButton label="Copy link" text={() => location.href} />
        <CopyButton label="Copy curl" text={curl} />
      </nav>
    </header>
  );
}

/** The same request for the server that this page came from. */
function curl(): string {
  const body = JSON.stringify({ request: request.value, tools: JSON.parse(toolsText.value) });
  return `curl ${new URL("/thimble/call", location.href)} -d '${body.replaceAll("'", "'\\''")}'`;
}

function CopyButton({ label, text }: { label: string; text: () => string }) {
  const button = useRef<HTMLButtonElement>(null);
  const copy = async () => {
    const said = await Promise.resolve()
      .then(() => navigator.clipboard.writeText(text()))
      .then(
        () => "Copied",
        () => "Not copied",
      );
    if (!button.current) return;
    button.current.textContent = said;
    setTimeout(() => button.current?.replaceChildren(label), 1500);
  };
  return (
    <button type="button" ref={button} onClick={copy}>
      {label}
    </button>
  );
}

function Ask() {
  return (
    <section aria-label="Request">
      <label for="request">What do you want done?</label>
      <input
        id="request"
        autocomplete="off"
        spellcheck={false}
        value={request.value}
        onInput={({ currentTarget }) => typeRequest(currentTarget.value)}
      />
    </section>
  );
}

function Tools() {
  const place = useRef<HTMLDivElement>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const isReady = answered.value !== null || fault.value !== "" || toolsFault.value !== null;
  useEffect(() => {
    if (!isReady || !place.current || place.current.childElementCount) return;
    const parent = place.current;
    void import("./editor.ts").then(({ openEditor }) => {
      if (parent.childElementCount) return;
      area.current?.remove();
      openEditor(parent);
    });
  }, [isReady]);
  const wrong = toolsFault.value;
  return (
    <section class="tools" aria-label="Tools">
      <h2>Tools</h2>
      <fieldset class="presets" aria-label="Tool lists to try">
        {Object.entries(lists.value).map(([name, { label }]) => (
          <button key={name} type="button" aria-pressed={preset.value === name} onClick={() => choosePreset(name)}>
            {label}
          </button>
        ))}
      </fieldset>
      <div class="editor">
        <div ref={place} />
        <textarea
          ref={area}
          aria-label="Tools, as JSON"
          spellcheck={false}
          value={toolsText.value}
          onInput={({ currentTarget }) => typeTools(currentTarget.value)}
        />
      </div>
      <p role="alert" id="tools-fault" class="bad">
        {wrong && `${wrong.message}. ${checked.value ? "The list before stays in force." : ""}`}
      </p>
    </section>
  );
}

function Trace() {
  if (!answered.value) return null;
  return (
    <nav aria-label="Trace">
      <button type="button" onClick={replay}>
        Replay
      </button>
      <button type="button" onClick={saveTrace}>
        Save trace
      </button>
      <FileButton label="Open trace" accept=".json" take={openTrace} />
      {answered.value.isReplay && <span class="note">from a file</span>}
    </nav>
  );
}

const teaching = signal<ComponentType | null>(null);
const unfetched = signal("");

/** Whoever teaches nothing does not fetch what it takes. */
function Teach() {
  const Teaching = teaching.value;
  const place = useRef<HTMLDetailsElement>(null);
  // A course that was left is offered where it was.
  useEffect(() => {
    void leftFacts().then((left) => {
      if (left && place.current) place.current.open = true;
    });
  }, []);
  const open = async () => {
    try {
      const { Teach: fetched } = await import("./teach.tsx");
      teaching.value = fetched;
    } catch (error) {
      unfetched.value = `${(error as Error).message}; load the page again`;
    }
  };
  return (
    <details
      class="wide"
      ref={place}
      onToggle={({ currentTarget }) => currentTarget.open && !teaching.value && void open()}
    >
      <summary>Teach the model these tools</summary>
      {Teaching ? (
        <Teaching />
      ) : (
        <p role="alert" class="bad">
          {unfetched.value}
        </p>
      )}
    </details>
  );
}

function Page() {
  return (
    <>
      <Head />
      <main>
        <div class="left">
          <Ask />
          <Tools />
        </div>
        <div class="right" aria-busy={isBusy.value}>
          <p role="alert" id="fault" class="bad">
            {fault.value}
          </p>
          <Devices />
          <Bluetooth />
          <Answer />
          <Tokens />
          <Trace />
        </div>
        <Teach />
        <Compare />
      </main>
    </>
  );
}

const root = document.getElementById("page");
if (root) render(<Page />, root);
void start();
