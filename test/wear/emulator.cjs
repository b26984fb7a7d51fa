/*
 * Runs a Bangle.js 2 emulator (a folder of someone else's, named by BANGLE_EMULATOR) for a test: a JSON command a line on
 * standard input, a JSON answer a line on standard output. Its own process, since it wants the global context and may hang.
 *
 *   {files: {name: latin1}}  writes Storage files      {say: code}  types a line      {waitMs: n}  lets time pass
 *   {screen: true}           the screen's bytes in base64, 176 × 176 RGBA
 *   answer: {lines: what was printed}
 */
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const readline = require("node:readline");
const vm = require("node:vm");

const folder = process.env.BANGLE_EMULATOR;
globalThis.require = require;
globalThis.__dirname = folder;
for (const file of ["emulator_banglejs2.js", "emu_banglejs2.js", "common.js"])
  vm.runInThisContext(readFileSync(join(folder, file), "utf8"), { filename: file });

let lines = [];
globalThis.jsRXCallback = () => {};
globalThis.jsUpdateGfx = () => {};
globalThis.onConsoleOutput = (line) => lines.push(line.replace(/\r$/, ""));

function idle(turns) {
  for (let turn = 0; turn < turns; turn++) jsIdle();
  jsStopIdle();
}

function say(code) {
  for (const c of `\x10${code}\n`) jsTransmitChar(c.charCodeAt(0));
  idle(3);
}

const chunk = 600;
function write(name, bytes) {
  say(`require("Storage").erase(${JSON.stringify(name)})`);
  for (let at = 0; at < bytes.length; at += chunk) {
    const text = Buffer.from(bytes.slice(at, at + chunk), "latin1").toString("base64");
    say(`require("Storage").write(${JSON.stringify(name)},atob("${text}"),${at},${bytes.length})`);
  }
}

async function obey({ files, say: code, waitMs, screen }) {
  lines = [];
  for (const [name, bytes] of Object.entries(files ?? {})) write(name, bytes);
  if (code !== undefined) say(code);
  const endMs = Date.now() + (waitMs ?? 0);
  do {
    idle(2);
    if (waitMs) await new Promise((resolve) => setTimeout(resolve, 5));
  } while (Date.now() < endMs);
  if (!screen) return { lines };
  const rgba = new Uint8Array(176 * 176 * 4);
  jsGetGfxContents(rgba);
  return { lines, screen: Buffer.from(rgba).toString("base64") };
}

setTimeout(async () => {
  jsInit();
  idle(20);
  process.stdout.write(`${JSON.stringify({ lines })}\n`);
  for await (const line of readline.createInterface({ input: process.stdin }))
    process.stdout.write(`${JSON.stringify(await obey(JSON.parse(line)))}\n`);
  process.exit();
}, 50);
