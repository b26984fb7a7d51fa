/** The tools' editor: JSON with what is wrong with it marked in its place. Fetched once the first answer is on screen. */
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { bracketMatching, HighlightStyle, syntaxHighlighting, syntaxTree } from "@codemirror/language";
import { type Diagnostic, forceLinting, linter, lintGutter, lintKeymap } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { effect } from "@preact/signals";
import { checked, toolsFault, toolsText, typeTools } from "./state.ts";

/** Colours are the page's, so that dark and light are one editor. */
const theme = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", color: "var(--ink)", backgroundColor: "var(--sunk)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-gutters": { backgroundColor: "var(--sunk)", color: "var(--faint)", border: "none" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line)" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground, ::selection": { backgroundColor: "var(--select)" },
});

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--key)" },
  { tag: tags.string, color: "var(--string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--number)" },
]);

const parsed = jsonParseLinter();

export function openEditor(parent: HTMLElement): void {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: toolsText.peek(),
      extensions: [
        lineNumbers(),
        history(),
        json(),
        bracketMatching(),
        syntaxHighlighting(colours),
        lintGutter(),
        linter(diagnose, { delay: 200 }),
        keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap]),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": "Tools, as JSON", tabindex: "0" }),
        EditorView.updateListener.of(({ docChanged, state }) => {
          if (docChanged) typeTools(state.doc.toString());
        }),
        theme,
      ],
    }),
  });
  effect(() => {
    const text = toolsText.value;
    if (text === view.state.doc.toString()) return;
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  });
  effect(() => {
    // What the worker found comes later than the text: it is marked then.
    void [toolsFault.value, checked.value];
    forceLinting(view);
  });
}

function diagnose(view: EditorView): Diagnostic[] {
  const broken = parsed(view);
  if (broken.length) return broken;
  const fault = toolsFault.peek();
  const mark = (path: string, severity: "error" | "warning", message: string): Diagnostic => ({
    ...placeOf(view.state, path),
    severity,
    message,
  });
  if (fault) return [mark(fault.path ?? "tools", "error", fault.message)];
  return (checked.peek()?.warnings ?? []).map(({ path, message }) => mark(path, "warning", `${path} ${message}`));
}

/** Where the part stands that a path names, `tools[2].parameters.city.type`; as much of it as there is. */
function placeOf(state: EditorState, path: string): { from: number; to: number } {
  const root = syntaxTree(state).topNode.firstChild;
  if (!root) return { from: 0, to: state.doc.length };
  const steps = [...path.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([text, index]) => index ?? text);
  let node = root;
  for (const [i, step] of steps.entries()) {
    // A bare list is what the path calls tools.
    if (i === 0 && step === "tools" && node.name === "Array") continue;
    const next = childOf(state, node, step);
    if (!next) break;
    node = next;
  }
  // Of a whole tool or schema its first line is enough to see.
  const line = state.doc.lineAt(node.from);
  return { from: node.from, to: Math.min(node.to, line.to) };
}

type Node = ReturnType<typeof syntaxTree>["topNode"];

function childOf(state: EditorState, node: Node, step: string): Node | null {
  if (node.name === "Array") {
    let place = -1;
    for (let child = node.firstChild; child; child = child.nextSibling) {
      if (/^[[\],]$/.test(child.name) || child.name === "⚠") continue;
      if (++place === Number(step)) return child;
    }
    return null;
  }
  for (const property of node.getChildren("Property")) {
    const name = property.getChild("PropertyName");
    if (name && state.sliceDoc(name.from, name.to) === JSON.stringify(step)) return property.lastChild;
  }
  return null;
}
