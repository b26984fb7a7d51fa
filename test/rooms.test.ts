/** The rooms of the runtime: imports point down one list, and no two files import each other in a circle. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

/** From the doors down; rooms end in a slash. A file at the runtime's root that is not named here lies below all rooms. */
const floors = [
  ...[
    "index",
    "companion",
    "glasses",
    "wear/",
    "thimble",
    "prepare",
    "session",
    "turns",
    "default",
    "dispatch",
    "limits",
  ],
  ...["prompt/", "answer/", "load/", "kept/", "grammar/", "engine/", "wire/", "tools/", "pack/", "text/"],
];

const files = [...new Bun.Glob("runtime/**/*.ts").scanSync(root)].sort();

/** Files of the project that one imports, types included. */
function importsOf(path: string): string[] {
  const text = readFileSync(root + path, "utf8");
  return [...text.matchAll(/^(?:import|export)\b[^;"]*?from "(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm)].map(
    ([, from, later]) => new URL(from ?? later, `file:///${path}`).pathname.slice(1),
  );
}

function floor(path: string): number {
  const [, room, file] = path.split("/");
  const at = floors.indexOf(file ? `${room}/` : room.replace(".ts", ""));
  return at < 0 ? floors.length : at;
}

test("every room of the runtime has its floor", () => {
  const found = new Set(files.map((path) => path.split("/")).flatMap(([, room, file]) => (file ? [`${room}/`] : [])));
  expect([...found].sort()).toEqual(floors.filter((name) => name.endsWith("/")).sort());
});

test("imports between rooms point down the list; outside the runtime to the kernels' ABI and bytes alone", () => {
  const back: string[] = [];
  for (const path of files) {
    for (const target of importsOf(path)) {
      const isBelow = target.startsWith("runtime/")
        ? floor(target) >= floor(path)
        : /^wasm\/(abi|built\/bytes)\.ts$/.test(target);
      if (!isBelow) back.push(`${path} -> ${target}`);
    }
  }
  expect(back).toEqual([]);
});

test("no file of the runtime imports itself, by whatever way", () => {
  const graph = new Map(files.map((path) => [path, importsOf(path).filter((target) => target.startsWith("runtime/"))]));
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, way: string[]) => {
    const at = way.indexOf(path);
    if (at >= 0) circles.push([...way.slice(at), path].join(" -> "));
    if (at >= 0 || done.has(path)) return;
    for (const target of graph.get(path) ?? []) walk(target, [...way, path]);
    done.add(path);
  };
  for (const path of files) walk(path, []);
  expect(circles).toEqual([]);
});
