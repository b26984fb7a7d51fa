/** The companion as a page: a watch by Bluetooth, requests by keyboard or voice, calls that are shown before they are made. */
import { load } from "thimble";
import { Companion, connectBluetooth, Device } from "thimble/companion";
import { simulatedTools } from "./simulated.js";

const find = (id) => document.getElementById(id);
const [state, watch, problem, log, request] = ["state", "watch", "problem", "log", "request"].map(find);
const [connectButton, simulateButton, goButton, listenButton] = ["connect", "simulate", "go", "listen"].map(find);

/** The device that requests from here go to: the last whose tools are known. */
let current = null;
/** The entry of the request that is under way, by its text. */
const entries = new Map();

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

function entryOf(text) {
  const known = entries.get(text);
  if (known) return known;
  const made = element("li", "");
  made.append(element("strong", text));
  log.prepend(made);
  entries.set(text, made);
  return made;
}

const words = (call) =>
  [call.name.replaceAll("_", " "), ...Object.values(call.arguments).map((value) => String(value))].join(" ");

function showResult(text, { calls }) {
  const entry = entryOf(text);
  if (!calls.length) entry.append(element("p", "No tool fits.", "faint"));
  for (const call of calls) {
    const line = element("p", "");
    const percent = Math.round(100 * call.confidence);
    const meter = element("meter", `${percent}%`);
    meter.value = call.confidence;
    meter.setAttribute("aria-label", `Confidence ${percent}%`);
    line.append(element("code", `${call.name} ${JSON.stringify(call.arguments)}`), " ", meter, ` ${percent}%`);
    entry.append(line);
  }
}

function showOutcomes({ text, outcomes }) {
  const entry = entryOf(text);
  for (const { call, outcome } of outcomes) {
    const isDone = outcome.ending === "done";
    const said = outcome.value === null || outcome.value === "" ? outcome.ending : String(outcome.value);
    const line = isDone ? said : `${words(call)}: ${outcome.ending}, ${said}`;
    entry.append(element("p", line, isDone ? "" : "bad"));
  }
  entries.delete(text);
}

function complain(error) {
  problem.textContent = error.message ?? String(error);
}

/** Asks in a dialog, one call after another. */
let asking = Promise.resolve();
function approve(device, call) {
  const answer = asking.then(
    () =>
      new Promise((resolve) => {
        const dialog = find("approve");
        const risk = device.tools.tools.find(({ name }) => name === call.name)?.risk;
        find("approve-call").textContent = words(call);
        find("approve-why").textContent =
          risk === "safe" ? `Confidence ${Math.round(100 * call.confidence)}%.` : "This cannot simply be undone.";
        dialog.returnValue = "no";
        dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
        dialog.showModal();
      }),
  );
  asking = answer;
  return answer;
}

function use(device) {
  current = device;
  watch.textContent = `${device.name}, ${device.tools.tools.length} tools: ${device.tools.tools
    .map(({ name }) => name.replaceAll("_", " "))
    .join(", ")}.`;
  request.disabled = goButton.disabled = listenButton.disabled = false;
  request.focus();
}

async function start() {
  const model = await load(undefined, {
    onProgress: ({ loadedBytes, totalBytes }) => {
      state.textContent = `Loading the model, ${Math.round((100 * loadedBytes) / totalBytes)}%`;
    },
    promptTokens: 1024,
    answerTokens: 256,
  });
  const companion = new Companion({
    model,
    name: "thimble companion",
    approve,
    log: (line) => console.warn(line),
    onDevice: use,
    onGone: (device, reason) => {
      if (device !== current) return;
      const other = [...companion.devices].findLast(({ tools }) => tools);
      if (other) return use(other);
      current = null;
      watch.textContent = `${device.name} is gone: ${reason}.`;
      request.disabled = goButton.disabled = listenButton.disabled = true;
    },
    onRequest: (_, text) => void entryOf(text),
    onResult: (_, text, result) => showResult(text, result),
    onAnswer: (_, answered) => showOutcomes(answered),
    onError: (_, code, text) => complain(`${code}: ${text}`),
  });
  state.textContent = "Ready.";
  connectButton.disabled = simulateButton.disabled = false;
  connectButton.addEventListener("click", async () => {
    problem.textContent = "";
    try {
      watch.textContent = "Connecting…";
      await connectBluetooth(companion);
    } catch (error) {
      watch.textContent = "None connected.";
      complain(error);
    }
  });
  simulateButton.addEventListener("click", () => {
    problem.textContent = "";
    simulate(companion);
  });
  find("ask").addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = request.value.trim();
    if (!text || !current) return;
    request.value = "";
    problem.textContent = "";
    await current.request(text).catch(complain);
  });
  prepareListening();
  await keep();
}

/** A watch within the page: its tools change lines of text. */
function simulate(companion) {
  const ends = [null, null];
  const pipe = (side) => ({
    mtu: 128,
    send: (bytes) => void setTimeout(() => ends[1 - side]?.(bytes), 20),
    receive: (take) => {
      ends[side] = take;
    },
  });
  const { tools, run } = simulatedTools;
  const device = new Device({ name: "Simulated watch", tools, run, confirm: async () => true });
  companion.connect(pipe(0));
  device.link.attach(pipe(1));
}

/** Speech where the browser recognises it on the device itself. */
async function prepareListening() {
  const Recognition = globalThis.SpeechRecognition;
  if (!Recognition?.available) return;
  const options = { langs: ["en-US"], processLocally: true };
  if ((await Recognition.available(options).catch(() => "unavailable")) !== "available") return;
  listenButton.hidden = false;
  let recognition = null;
  listenButton.addEventListener("click", () => {
    if (recognition) return recognition.stop();
    recognition = Object.assign(new Recognition(), { lang: "en-US", processLocally: true, interimResults: true });
    recognition.onresult = ({ results }) => {
      request.value = [...results].map(([best]) => best.transcript).join(" ");
    };
    recognition.onerror = ({ error }) => complain(`speech: ${error}`);
    recognition.onend = () => {
      recognition = null;
      listenButton.setAttribute("aria-pressed", "false");
      if (request.value.trim()) find("ask").requestSubmit();
    };
    listenButton.setAttribute("aria-pressed", "true");
    recognition.start();
  });
}

/** Has the worker keep all parts of the page, so that it opens without a network. */
async function keep() {
  if (!navigator.serviceWorker) return;
  try {
    await navigator.serviceWorker.register("worker.js");
    const { active } = await navigator.serviceWorker.ready;
    const parts = performance.getEntriesByType("resource").map(({ name }) => name);
    const mine = [...parts, location.href, new URL("manifest.webmanifest", location.href).href];
    const itself = new URL("worker.js", location.href).href;
    const urls = [...new Set(mine)].filter((url) => url.startsWith(location.origin) && url !== itself);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => {
      state.textContent = data.error ? `Ready, not kept for offline: ${data.error}` : "Ready, also offline.";
    };
    active.postMessage({ keep: urls }, [port2]);
  } catch (error) {
    state.textContent = `Ready, not kept for offline: ${error.message}`;
  }
}

start().catch((error) => {
  state.textContent = "The model could not be loaded.";
  complain(error);
});
