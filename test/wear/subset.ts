/**
 * What of JavaScript Espruino 2v29 runs as written. It fails aloud on some of the rest and silently on more: hoisting,
 * regular expressions, shared loop variables. The table is fixtures/espruino.json; where BANGLE_EMULATOR names the
 * firmware the test asks it, row by row.
 */
import { type Node, parse } from "acorn";

export interface Finding {
  line: number;
  what: string;
}

type Tree = Node & Record<string, unknown>;

const refusedTypes = new Set([
  ...["SpreadElement", "RestElement", "ArrayPattern", "ObjectPattern", "AssignmentPattern", "LabeledStatement"],
  ...["YieldExpression", "AwaitExpression", "ChainExpression", "PrivateIdentifier", "MetaProperty", "ImportExpression"],
  ...["ImportDeclaration", "ExportNamedDeclaration", "ExportDefaultDeclaration", "ExportAllDeclaration"],
  ...["TaggedTemplateExpression", "WithStatement", "StaticBlock"],
]);
const refusedOperators = new Set(["**", "**=", "??=", "||=", "&&="]);
const missingNames = new Set([
  ...["Map", "Set", "WeakMap", "WeakSet", "Symbol", "Proxy", "Reflect", "BigInt", "TextDecoder", "TextEncoder"],
  ...["queueMicrotask", "structuredClone"],
]);
const missingMembers = new Set([
  ...["flat", "flatMap", "at", "findLast", "lastIndexOf", "trimStart", "trimEnd", "matchAll", "codePointAt"],
  ...["fromCodePoint", "normalize", "localeCompare", "finally", "hasOwn", "imul"],
]);
const missingOf: Record<string, string[]> = {
  Array: ["from", "of"],
  Uint8Array: ["from"],
  Number: ["isInteger", "isFinite", "isSafeInteger", "MAX_SAFE_INTEGER"],
  Object: ["freeze", "seal"],
  Promise: ["race", "allSettled", "any"],
};
/** Groups that look ahead or keep nothing, counts, ?, lazy quantifiers, word bounds, back references, \u. */
const refusedPatterns = /\(\?|\{\d|\?|\\b|\\B|\\[1-9]|\\u|\\p/;

/** Everything in a script that Espruino would not run as it stands. Throws: SyntaxError for what is no script. */
export function outsideSubset(code: string): Finding[] {
  const findings: Finding[] = [];
  const root = parse(code, { ecmaVersion: 2022, sourceType: "script", locations: true }) as unknown as Tree;
  const say = (node: Tree, what: string) =>
    findings.push({ line: (node as unknown as { loc: { start: { line: number } } }).loc.start.line, what });

  walk(root, [], (node, above) => {
    const { type } = node;
    if (refusedTypes.has(type)) say(node, type);
    if (node.async || node.generator) say(node, node.async ? "async" : "generator");
    if ((type === "Property" || type === "MethodDefinition" || type === "PropertyDefinition") && node.computed)
      say(node, "computed key");
    if (typeof node.operator === "string" && refusedOperators.has(node.operator)) say(node, node.operator);
    if (type === "Literal") literal(node, say);
    if (type === "ClassDeclaration" && (node.superClass as Tree | null)?.name === "Error") say(node, "extends Error");
    if (type === "Identifier" && missingNames.has(node.name as string) && !isKey(node, above.at(-1)))
      say(node, node.name as string);
    if (type === "MemberExpression") member(node, say);
    if (type === "AssignmentExpression") {
      const left = node.left as Tree;
      if (left.type === "MemberExpression" && !left.computed && (left.property as Tree).name === "length")
        say(node, "length =");
    }
    if (type === "CallExpression") call(node, say);
    if (type === "ForStatement" || type === "ForOfStatement" || type === "ForInStatement") loop(node, say);
  });
  for (const { name, node } of usedBefore(root)) say(node, `${name} before its line`);
  return findings;
}

type Say = (node: Tree, what: string) => void;

function literal(node: Tree, say: Say): void {
  if (node.bigint) say(node, "bigint");
  const { pattern } = (node.regex ?? {}) as { pattern?: string };
  // What is in a class stands for itself.
  if (pattern && refusedPatterns.test(pattern.replace(/\[[^\]]*\]/g, "[]"))) say(node, `regex /${pattern}/`);
  if (typeof node.value === "string" && String(node.raw).includes("\\u{")) say(node, "\\u{}");
}

function member(node: Tree, say: Say): void {
  const name = (node.property as Tree).name as string;
  if (node.computed) return;
  const owner = (node.object as Tree).name as string | undefined;
  if (missingMembers.has(name)) say(node, `.${name}`);
  if (owner && Object.hasOwn(missingOf, owner) && missingOf[owner].includes(name)) say(node, `${owner}.${name}`);
}

function call(node: Tree, say: Say): void {
  const callee = node.callee as Tree;
  const args = node.arguments as Tree[];
  if (callee.type !== "MemberExpression") return;
  const name = (callee.property as Tree).name;
  const isFunction = (arg?: Tree) => arg !== undefined && /Function/.test(arg.type);
  if ((callee.object as Tree).name === "JSON" && isFunction(args[1])) say(node, `JSON.${name} with a function`);
  if (name === "split" && args.length > 1) say(node, "split with a limit");
}

/** `for (let i…)` shares one i among closures. */
function loop(node: Tree, say: Say): void {
  const declared = (node.init ?? node.left) as Tree | null;
  if (declared?.type !== "VariableDeclaration" || declared.kind === "var") return;
  const names = (declared.declarations as Tree[]).map(({ id }) => (id as Tree).name);
  walk(node.body as Tree, [], (inner, above) => {
    if (inner.type !== "Identifier" || !names.includes(inner.name)) return;
    if (above.some(({ type }) => /Function/.test(type))) say(inner, "a loop's let in a closure");
  });
}

/** Functions and variables used in their own scope above the line that makes them: nothing is hoisted. */
function usedBefore(root: Tree): { name: string; node: Tree }[] {
  const found: { name: string; node: Tree }[] = [];
  const visit = (scope: Tree) => {
    const made = new Map<string, number>();
    const used: { name: string; node: Tree }[] = [];
    const params = new Set(((scope.params ?? []) as Tree[]).map(({ name }) => name as string));
    const body = (scope.body ?? scope) as Tree | Tree[];
    const nodes = Array.isArray(body) ? body : [body];
    for (const node of nodes)
      walk(
        node,
        [],
        (inner, above) => {
          const parent = above.at(-1);
          if (inner.type === "FunctionDeclaration") made.set((inner.id as Tree).name as string, inner.start);
          else if (inner.type === "VariableDeclarator") made.set((inner.id as Tree).name as string, inner.start);
          else if (inner.type === "Identifier" && !isKey(inner, parent))
            used.push({ name: inner.name as string, node: inner });
        },
        (inner) => /Function/.test(inner.type),
      );
    for (const { name, node } of used) {
      const at = made.get(name);
      if (at !== undefined && node.start < at && !params.has(name)) found.push({ name, node });
    }
  };
  visit(root);
  walk(root, [], (node) => {
    if (/Function/.test(node.type)) visit(node);
  });
  return found;
}

function isKey(node: Tree, parent?: Tree): boolean {
  if (!parent) return false;
  if (parent.type === "MemberExpression") return parent.property === node && !parent.computed;
  return (parent.type === "Property" || parent.type === "MethodDefinition") && parent.key === node && !parent.computed;
}

/** Visits every node with those above it; goes not below one that `stop` names. */
function walk(
  node: Tree,
  above: Tree[],
  visit: (node: Tree, above: Tree[]) => void,
  stop?: (node: Tree) => boolean,
): void {
  visit(node, above);
  if (stop?.(node)) return;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child && typeof child === "object" && typeof (child as Tree).type === "string")
        walk(child as Tree, [...above, node], visit, stop);
    }
  }
}
