/**
 * Makes dist/ anew, everything in it once: types, the runtime in a few files, the commands, kernels, the default model.
 *
 *   runtime/core.js                 what a call needs, in one file: each costs a fresh process half a millisecond
 *   runtime/index.js companion.js … the package's exports, over core.js and what a few of them share
 *   runtime/insides.js              what the commands use beyond these
 *   tools/cli.js                    dispatch and `run`, over core.js alone
 *   tools/data/tables.br            the generator's plain data, of which one page goes on one command
 */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { brotliCompressSync } from "node:zlib";
import type { BunPlugin } from "bun";
import { type BuildOptions, build, type Metafile } from "esbuild";
import { minify } from "terser";
import { buildPage } from "./playground/build.ts";

const filesOf = (pattern: string) => [...new Bun.Glob(pattern).scanSync(".")].sort();
/** The runtime's modules that the package exports. */
const doorNames = [...readFileSync("package.json", "utf8").matchAll(/"default": ".\/dist\/runtime\/(\w+)\.js"/g)].map(
  ([, name]) => name,
);
const doors = new RegExp(`^runtime/(${doorNames.join("|")})\\.`);
const isOfRuntime = (path: string) => /^(runtime|wasm)\//.test(path);

rmSync("dist", { recursive: true, force: true });
execFileSync("node", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
for (const path of filesOf("dist/{runtime,wasm}/**/*.js")) rmSync(path);
keepPublicTypes(doorNames.map((name) => `dist/runtime/${name}.d.ts`));
await bundleRuntime();
await minifyTools();
await bundleCommandLine();
await writeTables();
await buildPage("dist/tools/playground/web");

cpSync("wasm/built", "dist/wasm/built", { recursive: true, filter: (from) => !from.endsWith(".ts") });
cpSync("runtime/model", "dist/runtime/model", { recursive: true, filter: (from) => !from.endsWith(".md") });
// What a bundler gives for it: an address, or bytes.
writeFileSync("dist/runtime/model/default.d.ts", "declare const pack: string & ArrayBuffer;\nexport default pack;\n");
cpSync("tools/watch.json", "dist/tools/watch.json");
mkdirSync("dist/firmware/espruino", { recursive: true });
// Comments stay in the repository: here they would only be size.
for (const file of ["thimble.js", "thimble.tools.js", "actions.js", "spoken.js"])
  writeFileSync(
    `dist/firmware/espruino/${file}`,
    readFileSync(`firmware/espruino/${file}`, "utf8").replace(/ *\/\*.*?\*\/\n/gs, ""),
  );
cpSync("firmware/companion", "dist/firmware/companion", { recursive: true });
for (const path of filesOf("dist/firmware/companion/*.js"))
  writeFileSync(path, (await minify(readFileSync(path, "utf8"), { module: true })).code as string);
mkdirSync("dist/tools/profile/uplot", { recursive: true });
for (const file of ["LICENSE", "dist/uPlot.iife.min.js", "dist/uPlot.min.css"])
  writeFileSync(
    `dist/tools/profile/uplot/${basename(file)}.br`,
    brotliCompressSync(readFileSync(`node_modules/uplot/${file}`)),
  );

/** Leaves the types that the exports lead to: nobody imports the others. */
function keepPublicTypes(entries: string[]): void {
  const kept = new Set<string>();
  const keep = (path: string) => {
    if (kept.has(path)) return;
    kept.add(path);
    for (const [, from] of readFileSync(path, "utf8").matchAll(/(?:from|import\(?)\s*"(\.[^"]+)\.[tj]s"/g))
      keep(join(dirname(path), `${from}.d.ts`));
  };
  entries.forEach(keep);
  // What is said of insides that nobody can name.
  const ofPrivate = /\n *\/\*\*(?:(?!\*\/).)*\*\/(?=\n *private )/gs;
  for (const path of kept) writeFileSync(path, readFileSync(path, "utf8").replace(ofPrivate, ""));
  for (const path of filesOf("dist/**/*.d.ts")) if (!kept.has(path)) rmSync(path);
}

/** Functions and classes keep their names, and lines are short, for traces; comments stay in the types. */
async function bundleRuntime(): Promise<void> {
  const insides = resolve("runtime/insides.ts");
  const outdir = "dist/runtime";
  const options: BuildOptions = {
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    legalComments: "none",
    metafile: true,
  };
  const { metafile } = await build({
    ...options,
    entryPoints: [...doorNames.map((name) => `runtime/${name}.ts`), insides],
    outdir,
    plugins: [
      {
        name: "insides",
        setup(build) {
          build.onResolve({ filter: /\/insides\.ts$/ }, ({ path }) => ({ path }));
          build.onLoad({ filter: /\/insides\.ts$/ }, () => ({
            contents: usedExports(),
            resolveDir: resolve("runtime"),
          }));
        },
      },
    ],
  });
  await mergeCore((metafile as Metafile).outputs, options);
  for (const path of filesOf("dist/runtime/*.js")) {
    const names = { keep_fnames: true, keep_classnames: true };
    const { code } = await minify(readFileSync(path, "utf8"), {
      module: true,
      // Not computed ahead: a bundler for the web must not find the built-in whose name stands in a variable.
      compress: {
        defaults: false,
        arrows: true,
        conditionals: true,
        if_return: true,
        join_vars: true,
        properties: true,
      },
      ...names,
      mangle: names,
      // One letter beyond Latin and hosts keep a file at two bytes a character.
      format: { max_line_len: 160, ascii_only: true },
    });
    writeFileSync(path, code as string);
  }
}

/** Makes one file of the chunks that the commands share: core.js. Two chunks with exports of one name do not bundle. */
async function mergeCore(outputs: Metafile["outputs"], options: BuildOptions): Promise<void> {
  const parts = new Set<string>();
  const take = (path: string) => {
    for (const { path: next, kind } of outputs[path].imports) {
      if (kind !== "import-statement" || parts.has(resolve(next))) continue;
      parts.add(resolve(next));
      take(next);
    }
  };
  take("dist/runtime/insides.js");
  const core = resolve("dist/runtime/core.js");
  const isChunk = (path: string) => path.includes("/chunk-");
  await build({
    ...options,
    entryPoints: [core, ...Object.keys(outputs).filter((path) => !isChunk(path))],
    outdir: "dist/runtime",
    allowOverwrite: true,
    chunkNames: "shared-[hash]",
    plugins: [
      {
        name: "core",
        setup(build) {
          build.onResolve({ filter: /\/core\.js$/ }, ({ path }) => ({ path }));
          build.onLoad({ filter: /\/core\.js$/ }, () => ({
            contents: [...parts].map((path) => `export * from "${path}";`).join("\n"),
          }));
          build.onResolve({ filter: /^\./ }, ({ path, kind, importer, resolveDir }) => {
            if (kind === "dynamic-import") return { path, external: true };
            const isWithin = importer === core || parts.has(importer);
            if (isWithin || !parts.has(resolve(resolveDir, path))) return undefined;
            return { path: "./core.js", external: true };
          });
        },
      },
    ],
  });
  for (const path of Object.keys(outputs).filter(isChunk)) rmSync(path);
}

/** An export of each name that a tool imports from a module of the runtime. Two modules with one such name do not bundle. */
function usedExports(): string {
  const names = new Map<string, Set<string>>();
  for (const path of filesOf("dist/tools/**/*.js")) {
    const text = readFileSync(path, "utf8");
    for (const [, list, from] of text.matchAll(
      /(?:import|const)\s*\{([^}]*)\}\s*(?:from|= await import\()\s*"(\.[^"]+)"/g,
    )) {
      const module = relative("dist", join(dirname(path), from)).replace(/js$/, "ts");
      if (!isOfRuntime(module) || doors.test(module)) continue;
      const known = names.get(module) ?? new Set();
      for (const name of list.split(",").filter((one) => one.trim())) known.add(name.trim().split(/\s+as\s+|:/)[0]);
      names.set(module, known);
    }
  }
  return [...names].map(([module, list]) => `export { ${[...list].join(", ")} } from "../${module}";`).join("\n");
}

/** What the tools take from the runtime's modules, they take from insides.js; `run`, which needs less, from core.js. */
function overBundles(from: string, others: "insides" | "core"): BunPlugin {
  return {
    name: "over bundles",
    setup(build) {
      build.onResolve({ filter: /^\.\.?\// }, ({ path, importer }) => {
        if (!importer) return undefined;
        const target = relative(from, join(dirname(importer), path));
        if (!isOfRuntime(target)) return undefined;
        const isDoor = others === "insides" && doors.test(target);
        const module = isDoor ? target.replace(/ts$/, "js") : `runtime/${others}.js`;
        return { path: relative(dirname(relative(from, importer)), module), external: true };
      });
    },
  };
}

/** Each tool that is more than types stays a file of its own: it finds what lies beside it, and a command loads no other's. */
async function minifyTools(): Promise<void> {
  const beside: BunPlugin = {
    name: "files apart",
    setup(build) {
      build.onResolve({ filter: /./ }, ({ path, importer }) => (importer ? { path, external: true } : undefined));
    },
  };
  for (const path of filesOf("dist/tools/**/*.js"))
    if (!/^(?!export \{\};|\/[/*]| \*).+/m.test(readFileSync(path, "utf8"))) rmSync(path);
  const entrypoints = filesOf("dist/tools/**/*.js");
  const plugins = [overBundles(resolve("dist"), "insides"), beside];
  await Bun.build({ entrypoints, root: "dist", outdir: "dist", target: "node", minify: true, plugins });
  for (const path of entrypoints) writeFileSync(path, withOneImport(readFileSync(path, "utf8")));
}

/** What a file takes from one module, in one import. */
function withOneImport(text: string): string {
  const [head] = text.match(/^(?:import[{ \w][^;]*;)*/) as RegExpMatchArray;
  const names = new Map<string, string[]>();
  const others = head.replace(/import\{([^}]*)\}from("[^"]+");/g, (_, list, from) => {
    names.set(from, [...(names.get(from) ?? []), list]);
    return "";
  });
  return others + [...names].map(([from, lists]) => `import{${lists}}from${from};`).join("") + text.slice(head.length);
}

/** `run` travels within cli.js; the other commands are loaded when asked for. */
async function bundleCommandLine(): Promise<void> {
  const apart = /^\.\/(?!run)[a-z]+\.ts$/;
  const plugin: BunPlugin = {
    name: "one file for run",
    setup(build) {
      build.onResolve({ filter: apart }, ({ path, kind, importer }) =>
        kind === "dynamic-import" && /\/tools\/\w+\.ts$/.test(importer)
          ? { path: path.replace(/ts$/, "js"), external: true }
          : undefined,
      );
    },
  };
  await Bun.build({
    entrypoints: ["tools/cli.ts"],
    outdir: "dist/tools",
    target: "node",
    minify: true,
    plugins: [plugin, builtInsAsked(), overBundles(resolve("."), "core")],
  });
  chmodSync("dist/tools/cli.js", 0o755);
}

/**
 * The host's modules by asking for them: Node looks at each export of one that is imported, and loads its streams to show
 * those of node:fs, 8 ms of a fresh process.
 */
function builtInsAsked(): BunPlugin {
  return {
    name: "built-ins asked for",
    setup(build) {
      // A module of its own for each that imports one, with the names of that.
      build.onResolve({ filter: /^node:(fs|url|util)$/ }, ({ path, importer }) => ({
        path: `${importer} ${path}`,
        namespace: "built-in",
      }));
      build.onLoad({ filter: /./, namespace: "built-in" }, ({ path }) => {
        const [importer, module] = path.split(" ");
        const pattern = new RegExp(`^import \\{([^}]*)\\} from "${module}"`, "m");
        const [, names] = readFileSync(importer, "utf8").match(pattern) as RegExpMatchArray;
        return { contents: `export const {${names}} = process.getBuiltinModule("${module}");`, loader: "js" };
      });
    },
  };
}

/** Modules that export plain data, unless code says it much shorter, become lines of one compressed file. */
async function writeTables(): Promise<void> {
  // Data may be longer than the code that makes it: it shrinks to a fifth.
  const mostLonger = 2.5;
  const tables: Record<string, unknown> = {};
  for (const path of [
    ...filesOf("tools/data/domains/*.ts"),
    ...filesOf("tools/data/{words,actions,roles,things}.ts"),
  ]) {
    const built = join("dist", path.replace(/ts$/, "js"));
    if (!existsSync(built)) continue;
    const values: Record<string, unknown> = { ...(await import(resolve(path))) };
    const text = JSON.stringify(values);
    if (text.length > mostLonger * readFileSync(built).length || !Bun.deepEquals(JSON.parse(text), values, true))
      continue;
    Object.assign(tables, values);
    const names = Object.keys(values).join(",");
    const from = relative(dirname(built), "dist/tools/data/tables.js");
    writeFileSync(
      built,
      `import{tables}from"${from.startsWith(".") ? from : `./${from}`}";export const{${names}}=tables;\n`,
    );
  }
  writeFileSync("dist/tools/data/tables.br", brotliCompressSync(JSON.stringify(tables)));
  const read = `brotliDecompressSync(readFileSync(new URL("./tables.br",import.meta.url)))`;
  // What only these modules used.
  const texts = filesOf("dist/tools/**/*.js").map((path) => readFileSync(path, "utf8"));
  for (const path of filesOf("dist/tools/data/*.js"))
    if (!texts.some((text) => text.includes(`/${basename(path)}"`))) rmSync(path);
  const imports = `import{readFileSync}from"node:fs";import{brotliDecompressSync}from"node:zlib";`;
  writeFileSync("dist/tools/data/tables.js", `${imports}export const tables=JSON.parse(${read});\n`);
}
