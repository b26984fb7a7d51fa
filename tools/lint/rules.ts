/**
 * What makes tools fail, one rule each: what it looks for, how bad that is, where its number comes from.
 *
 * "Measured" is the default pack on single-call dev requests (hwu64, snips, sgd, fbtod, unseen, homeassistant, clinc;
 * n = 406, 3 to 6 tools: the right name in 83.7%, the whole call in 56.4%), the lists changed in that one respect.
 */

import { valueState } from "../../runtime/grammar/automaton.ts";
import { State } from "../../runtime/grammar/state.ts";
import { isObject, type Json } from "../../runtime/json.ts";
import { mostPromptTokens } from "../../runtime/limits.ts";
import { mostToolRows, usualOffer } from "../../runtime/prompt/apart.ts";
import { isReadApart } from "../../runtime/tools/keywords.ts";
import { snakeCase } from "../../runtime/tools/prompt.ts";
import type { Schema } from "../../runtime/tools/schema.ts";
import { describedOf, enumsOf, enumTextsOf, fieldsOf, firstBy, groupsOf, namesOf, namesTextsOf } from "./parts.ts";
import {
  draft,
  type Found,
  found,
  freeName,
  inOrder,
  isForeign,
  keptForm,
  longer,
  lower,
  nativeOrder,
  ownWord,
  quote,
  renamed,
  rewritten,
  withExample,
} from "./remedies.ts";
import { sound } from "./rewrite.ts";
import { type Entry, pathOf, type Sheet, valueAt } from "./sheet.ts";
import {
  alikeForm,
  escaped,
  hasExample,
  hasVerb,
  isInflected,
  isVerb,
  plainAscii,
  sentence,
  spaced,
  wordsOf,
} from "./words.ts";

/** error: calls fail. warning: a loss is measured, or something differs silently. hint: may help. */
export type Severity = "error" | "warning" | "hint";

export interface Finding extends Found {
  rule: string;
  severity: Severity;
}

interface Rule {
  id: string;
  severity: Severity;
  find(sheet: Sheet): Found[];
}

/** Tokens of a request that 99 in 100 dev requests stay below (measured, n = 4,793; the median is 10). */
const usualRequest = 36;
/** The longest in the dev sets has 29. Measured: 13 tokens more on each tool leave 48.8% whole calls, 26 more 17.3%. */
const longestDescription = 30;
/** With tools in the prompt. Measured: 80.6% right names among 6 tools, 72.9% among 8, 67.8% among 10. */
const mostTools = usualOffer;
/** Read apart: the longest lists of the yardstick, with as many right answers as its lists of ten. */
const mostToolsApart = 30;
/**
 * Tools that may begin with the same word. Measured: "device_" before all names leaves 39.9% right names, before the
 * right one alone 16.3%; the right one's verb on two others 76.8%; where a pair shares a verb by itself nothing is lost
 * (81.9% against 81.8%, n = 1,433).
 */
const mostAlike = 2;
/** Values of an enum that are compared with each other and with the list's words: nobody lints more by reading. */
const mostCompared = 256;
const mostWords = 20_000;
/** Words that the prompt and the answer are framed with. Source: spec, "Prompt". */
const frameWords = "name description parameters arguments type required properties tools tool_call".split(" ");
/** Texts that become one id wherever they stand. Source: SentencePiece, user-defined symbols. */
const marker = /<(tools|tool_call)>/g;

export const rules: readonly Rule[] = [
  {
    id: "unreadable",
    severity: "error",
    find: ({ refused }) => refused.map(({ path, message }) => ({ path, message })),
  },
  {
    id: "name-collision",
    severity: "error",
    find: ({ entries }) => {
      const first = firstBy(entries, ({ tool }) => tool.promptName);
      return entries.flatMap((entry) => {
        const { keys, tool } = entry;
        const twin = first.get(tool.promptName);
        if (!twin || twin === entry) return [];
        const both = `both become ${quote(tool.promptName)}`;
        const said = `expected a name unlike ${pathOf(twin.keys)}, got ${quote(tool.name)}: ${both}`;
        return found([...keys, "name"], said, freeName(entries, `${ownWord(entry, twin)}_${tool.promptName}`));
      });
    },
  },
  {
    id: "name-unsafe",
    severity: "error",
    // Every object has these: a handler looked up as handlers["constructor"] is a function that nobody wrote.
    find: ({ list, entries }) =>
      namesOf(list, entries)
        .filter(({ name }) => name in {})
        .flatMap(({ keys, name, rename }) =>
          renamed(
            keys,
            `expected a name that not every object has, got ${quote(name)}`,
            rename,
            `${snakeCase(name)}_value`,
          ),
        ),
  },
  {
    id: "special-text",
    severity: "error",
    find: ({ entries }) =>
      [...describedOf(entries), ...enumTextsOf(entries)].flatMap(({ keys, text }) => {
        const [got] = text.match(marker) ?? [];
        if (!got) return [];
        const said = `expected plain text, got ${got}, which the model reads as the prompt's own mark`;
        return found(keys, said, text.replace(marker, "$1"));
      }),
  },
  {
    id: "prompt-over",
    severity: "error",
    find: (sheet) => {
      const { way, promptLimit, promptTokens, entries, shares } = sheet;
      if (way === "apart") {
        const said = (rows: number) =>
          `expected a tool of at most ${promptLimit} rows, got ${rows}; shorten it${orLoadWith(rows)}`;
        return entries.flatMap(({ keys }, i) => (shares[i] > promptLimit ? found(keys, said(shares[i])) : []));
      }
      if (roomOf(sheet) > 0) return [];
      return found(
        [],
        `expected fewer than ${promptLimit} tokens, got ${promptTokens} without a request; ${cuts(sheet)}`,
      );
    },
  },
  {
    id: "prompt-tight",
    severity: "warning",
    find: (sheet) => {
      const { way, promptLimit, promptTokens, entries } = sheet;
      if (way === "apart") {
        // Of more tools a request sees few: `too-many-tools` says so.
        if (promptTokens <= promptLimit || entries.length > usualOffer) return [];
        const said = `expected at most ${promptLimit} rows, got ${promptTokens}: a request sees the likeliest that fit`;
        return found([], `${said}; shorten descriptions${orLoadWith(promptTokens)}`);
      }
      const room = roomOf(sheet);
      if (room <= 0 || room >= usualRequest) return [];
      return found([], `expected ${usualRequest} tokens left for the request, got ${room}; ${cuts(sheet)}`);
    },
  },
  {
    id: "non-ascii",
    severity: "warning",
    find: ({ list, entries }) => [
      ...namesOf(list, entries)
        .filter(({ name }) => isForeign(name))
        .flatMap(({ keys, name, read, rename }) =>
          renamed(
            keys,
            `expected ASCII, got ${quote(name)}, which the model reads as ${read}`,
            rename,
            plainAscii(name),
          ),
        ),
      ...enumTextsOf(entries)
        .filter(({ text }) => isForeign(text))
        .flatMap(({ keys, text }) => {
          const said = `expected ASCII, got ${quote(text)}, which the model reads as ${escaped(text)}`;
          return found(keys, said, plainAscii(text).trim() || undefined);
        }),
    ],
  },
  {
    id: "name-namespace",
    severity: "warning",
    find: ({ entries }) =>
      alike(entries)
        .filter(({ start }) => !isVerb(start))
        .flatMap(({ start, entry: { keys, tool }, count }) => {
          const said = `expected a name that begins with what the tool does, got ${quote(tool.name)}: ${count} tools begin with ${quote(start)}`;
          return found([...keys, "name"], said, freeName(entries, tool.promptName.slice(start.length + 1)));
        }),
  },
  {
    id: "name-shared-verb",
    severity: "hint",
    find: ({ entries }) =>
      alike(entries)
        .filter(({ start }) => isVerb(start))
        .flatMap(({ start, entry: { keys, tool }, count }) => {
          const said = `expected at most ${mostAlike} tools that begin alike, got ${quote(tool.name)}: ${count} begin with ${quote(start)}`;
          const [verb] = wordsOf(tool.description);
          if (verb === start || !isVerb(verb))
            return found([...keys, "name"], `${said}; use other verbs or merge them`);
          return found([...keys, "name"], said, freeName(entries, `${verb}${tool.promptName.slice(start.length)}`));
        }),
  },
  {
    id: "name-in-name",
    severity: "warning",
    // Measured: another tool with the right one's name and an "s" leaves 66.7% right names, with "_all" 76.8%.
    find: ({ entries }) => {
      const first = firstBy(entries, ({ tool }) => tool.promptName);
      return entries.flatMap(({ keys, tool: { promptName: name } }) => {
        const beginnings = Array.from({ length: name.length - 1 }, (_, i) => first.get(name.slice(0, i + 1)));
        const within = beginnings.find((entry) => entry);
        if (!within) return [];
        const said = `expected a name that parts from ${quote(within.tool.promptName)} before its end, got ${quote(name)}`;
        // What differs goes first: turn_on_device to device_turn_on, set_lights to lights_set.
        const words = name.split("_");
        if (words.length === 1) return found([...keys, "name"], `${said}; use another word`);
        return found([...keys, "name"], said, freeName(entries, [words.at(-1), ...words.slice(0, -1)].join("_")));
      });
    },
  },
  {
    id: "name-reserved",
    severity: "warning",
    find: ({ entries }) =>
      entries.flatMap(({ keys, tool: { promptName } }) => {
        if (!frameWords.includes(promptName)) return [];
        const said = `expected a name unlike the words around it in the prompt, got ${quote(promptName)}`;
        return found([...keys, "name"], said, freeName(entries, `run_${promptName}`));
      }),
  },
  {
    id: "key-order",
    severity: "warning",
    // Measured: parameters, description, name leaves 48.8% whole calls. Forms but the native one are put in order anyway.
    find: ({ entries }) =>
      entries.flatMap(({ keys, source, isNative }) => {
        const given = Object.keys(source);
        const trained = nativeOrder.filter((key) => given.includes(key));
        const order = given.filter((key) => trained.includes(key));
        if (!isNative || order.join() === trained.join()) return [];
        const message = `expected ${trained.join(", ")} in this order, got ${order.join(", ")}; reorder them`;
        return [{ path: pathOf(keys), message, rewrites: [inOrder(keys)] }];
      }),
  },
  {
    id: "enum-in-enum",
    severity: "warning",
    find: ({ entries }) =>
      enumsOf(entries).flatMap(({ field, texts }) =>
        texts.slice(0, mostCompared).flatMap(({ keys, text }) => {
          const inner = lower(text);
          const outer = texts.find(
            (other) => alikeForm(other.text) !== alikeForm(text) && lower(other.text).includes(inner),
          );
          if (!outer) return [];
          const said = `expected a value that stands in no other, got ${quote(text)}, which stands in ${quote(outer.text)}`;
          return found(keys, said, longer(text, field));
        }),
      ),
  },
  {
    id: "enum-in-word",
    severity: "hint",
    find: ({ entries }) => {
      const said = [...namesTextsOf(entries), ...describedOf(entries), ...enumTextsOf(entries)];
      const all = said.flatMap(({ keys, text }) => wordsOf(spaced(text)).map((word) => ({ word, path: pathOf(keys) })));
      const words = all.slice(0, mostWords);
      return enumsOf(entries).flatMap(({ field, keys: at, path, texts }) => [
        ...(texts.length > mostCompared
          ? found(
              at,
              `expected at most ${mostCompared} values, got ${texts.length}; ask for text and check it: only the first are linted`,
            )
          : []),
        ...texts.slice(0, mostCompared).flatMap(({ keys, text }) => {
          const inner = lower(text);
          const hides = (word: string) => word !== inner && word.includes(inner) && !isInflected(word, inner);
          const around = words.filter((other) => hides(other.word) && !other.path.startsWith(path));
          if (!around.length) return [];
          const some = [...new Set(around.map(({ word }) => quote(word)))].slice(0, 3).join(", ");
          const where = `${some} (${around[0].path})`;
          return found(
            keys,
            `expected a value that no word hides, got ${quote(text)}, which is in ${where}`,
            longer(text, field),
          );
        }),
      ]);
    },
  },
  {
    id: "not-kept",
    severity: "warning",
    find: ({ list, unkept }) => {
      // Another key in its place may say the type.
      const telling = unkept.filter(({ meant = "required" }) => meant !== "required" && !isReadApart(meant));
      const told = new Set(telling.map(({ keys = [] }) => pathOf(keys.slice(0, -1))));
      const open = unkept.filter(({ keyword, path }) => keyword !== "type" || !told.has(path));
      return open.map((one) => {
        const { got = one.keyword, remedy, rewrites } = keptForm(list, one);
        const message = `expected what the grammar can hold to, got ${got}, which ${one.message}; ${remedy}`;
        return { path: one.path, message, ...(rewrites && { rewrites }) };
      });
    },
  },
  {
    id: "default-unfit",
    severity: "warning",
    // The model reads it, and no call can have it.
    find: ({ entries }) =>
      fieldsOf(entries).flatMap(({ keys, schema, default: usual = null, enums }) => {
        // The grammar writes an object's keys in their own order.
        if (usual === null || isObject(usual) || isHeld(schema, usual)) return [];
        const said = `expected a value that the parameter may have, got ${JSON.stringify(usual)}`;
        const textOf = (value: Json) => (typeof value === "string" ? value : JSON.stringify(value));
        const text = textOf(usual);
        const values = [true, false, Number(text), text, ...enums.flatMap(({ values }) => values)];
        const meant = values.find((value) => alikeForm(textOf(value)) === alikeForm(text) && isHeld(schema, value));
        const at = [...keys, "default"];
        return meant === undefined ? found(at, `${said}; mend it or leave it out`) : rewritten(said, at, meant);
      }),
  },
  {
    id: "enum-twin",
    severity: "warning",
    find: ({ entries }) =>
      fieldsOf(entries).flatMap(({ enums }) =>
        enums.flatMap(({ keys, values }) => {
          const first = firstBy(values, alikeForm);
          return values.flatMap((value, i) => {
            const twin = first.get(alikeForm(value));
            if (twin === undefined || values.indexOf(twin) === i) return [];
            const said = `expected each value once, got ${JSON.stringify(value)} beside ${JSON.stringify(twin)}`;
            return found([...keys, i], `${said}; leave one out`);
          });
        }),
      ),
  },
  {
    id: "too-many-tools",
    severity: "warning",
    find: ({ way, entries }) => {
      const most = way === "apart" ? mostToolsApart : mostTools;
      if (entries.length <= most) return [];
      const said = `expected at most ${most} tools, got ${entries.length}`;
      if (way === "apart") return found([], `${said}: a request sees the likeliest ${usualOffer}; split the list`);
      return found([], `${said}; call with { offer: ${usualOffer} } or split the list`);
    },
  },
  {
    id: "description-long",
    severity: "warning",
    find: (sheet) =>
      describedOf(sheet.entries).flatMap(({ keys, text }) => {
        const tokens = sheet.tokensOf(text);
        if (tokens <= longestDescription) return [];
        const said = `expected at most ${longestDescription} tokens, got ${tokens}`;
        const first = text.trim().match(/^.*?[.!?](?=\s)/s)?.[0];
        if (first && sheet.tokensOf(first) <= longestDescription) return found(keys, said, first);
        return found(keys, `${said}; say it in one short sentence`);
      }),
  },
  {
    id: "description-missing",
    severity: "hint",
    // Measured: none on tools leaves 83.5% right names, none on parameters 84.7%; tools unlike those trained on need them.
    find: ({ entries }) => [
      ...entries.flatMap(({ keys, tool, isNative }) => {
        if (tool.description.trim()) return [];
        const at = [...keys, "description"];
        const all = found(at, "expected what the tool does, got nothing", `${sentence(tool.promptName)}.`);
        return isNative ? all.map((one) => ({ ...one, rewrites: [...(one.rewrites ?? []), inOrder(keys)] })) : all;
      }),
      ...fieldsOf(entries).flatMap((field) => {
        if (field.description.trim()) return [];
        return found([...field.keys, "description"], "expected what the value is, got nothing", draft(field));
      }),
    ],
  },
  {
    id: "description-example",
    severity: "hint",
    // Measured: without any example 55.7% whole calls.
    find: ({ entries }) =>
      fieldsOf(entries).flatMap((field) => {
        const { keys, description } = field;
        if (!field.kinds.has("string") || !description.trim() || hasExample(description)) return [];
        return found(
          [...keys, "description"],
          `expected an example of the text, got ${quote(description)}`,
          withExample(description, field),
        );
      }),
  },
  {
    id: "description-twin",
    severity: "hint",
    // Measured: one description for all tools leaves 83.0% right names.
    find: ({ entries }) => {
      const tools = entries.map(({ keys, tool }) => ({ keys, name: tool.promptName, description: tool.description }));
      return [tools, ...groupsOf(entries).map(({ fields }) => fields)].flatMap((siblings) => {
        const first = firstBy(siblings, ({ description }) => wordsOf(description).join(" "));
        return siblings.flatMap(({ keys, name, description }, i) => {
          const said = wordsOf(description).join(" ");
          const twin = first.get(said);
          if (!said || !twin || twin === siblings[i]) return [];
          const message = `expected a text unlike that of ${pathOf(twin.keys)}, got ${quote(description)}`;
          return found([...keys, "description"], message, `${sentence(name)}: ${description.trim()}`);
        });
      });
    },
  },
  {
    id: "required-first",
    severity: "hint",
    // Measured: required ones last leaves 54.9% whole calls, required ones first 56.7%.
    find: ({ list, entries }) =>
      groupsOf(entries).flatMap(({ keys, fields }) => {
        const optional = fields.findIndex(({ required }) => !required);
        const late = fields.find(({ required }, i) => required && optional >= 0 && i > optional);
        if (!late) return [];
        const names = [...fields].sort((a, b) => Number(b.required) - Number(a.required)).map(({ name }) => name);
        const got = `optional ${quote(fields[optional].name)} before ${quote(late.name)}`;
        const message = `expected required parameters first, got ${got}; order them ${names.join(", ")}`;
        const source = valueAt(list, keys);
        const isWhole = isObject(source) && names.every((name) => Object.hasOwn(source, name));
        return [{ path: pathOf(keys), message, ...(isWhole && { rewrites: [{ at: keys, order: names }] }) }];
      }),
  },
  {
    id: "boolean-verb",
    severity: "hint",
    find: ({ entries }) =>
      fieldsOf(entries).flatMap(({ keys, name, description, kinds }) => {
        // Of what may be text too, nothing says that it is true or false.
        if (!kinds.has("boolean") || kinds.has("string") || !description.trim() || hasVerb(name, description))
          return [];
        const text = description.trim();
        const said = `expected what true means, got ${quote(description)}`;
        return found([...keys, "description"], said, `Whether to have ${lower(text[0])}${text.slice(1)}`);
      }),
  },
  {
    id: "name-snake-case",
    severity: "hint",
    find: ({ entries }) =>
      entries.flatMap(({ keys, tool: { name, promptName } }) => {
        if (name === promptName || isForeign(name)) return [];
        const said = `expected snake_case, got ${quote(name)}, which calls keep but the model reads otherwise`;
        return found([...keys, "name"], said, promptName);
      }),
  },
];

/** Everything that the rules find, the worst first; what two references lead to counts once. */
export function findAll(sheet: Sheet): Finding[] {
  const severities: Severity[] = ["error", "warning", "hint"];
  const all = rules.flatMap(({ id, severity, find }) => find(sheet).map((one) => ({ rule: id, severity, ...one })));
  const once = new Map(all.map((finding) => [`${finding.rule} ${finding.path} ${finding.message}`, finding]));
  const sorted = [...once.values()].sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
  return sound(sheet, applicable(sorted));
}

/** Findings whose rewrites can be applied together: each place has the first of its own, and what a renamed key mends is none. */
function applicable(findings: readonly Finding[]): Finding[] {
  const [taken, renamed] = [new Set<string>(), new Set<string>()];
  return findings.flatMap(({ rewrites = [], ...finding }) => {
    const [first] = rewrites;
    if (first && renamed.has(pathOf(first.at))) return [];
    const free = rewrites.filter(({ at }) => !taken.has(pathOf(at)) && !renamed.has(pathOf(at)));
    for (const { at, key } of free) {
      taken.add(pathOf(at));
      if (key !== undefined) renamed.add(pathOf([...at.slice(0, -1), key]));
    }
    return [free.length ? { ...finding, rewrites: free } : finding];
  });
}

/** Whether a call may have the value. */
function isHeld(schema: Schema, value: Json): boolean {
  let state: State | null = valueState(schema, () => new State(() => [], -1));
  for (const byte of new TextEncoder().encode(JSON.stringify(value))) state = state?.step(byte) ?? null;
  return state?.atEnd ?? false;
}

/** The other remedy for too many rows, where a session may have so many. */
function orLoadWith(rows: number): string {
  return rows > mostToolRows ? "" : ` or load with toolRows: ${rows}`;
}

/** Tokens left for the request, beside the tools and the mark between the two; tools read apart leave all of them. */
export function roomOf({ way, promptLimit, promptTokens }: Sheet): number {
  return way === "joint" ? promptLimit - promptTokens - 1 : mostPromptTokens;
}

/** Every description by its tokens, the dearest first. */
export function descriptionCosts(sheet: Sheet): { path: string; tokens: number; text: string }[] {
  return describedOf(sheet.entries)
    .map(({ keys, text }) => ({ path: pathOf(keys), tokens: sheet.tokensOf(text), text }))
    .sort((a, b) => b.tokens - a.tokens);
}

/** Tools whose first word too many share. */
function alike(entries: readonly Entry[]): { start: string; entry: Entry; count: number }[] {
  const starts = entries.map(({ tool }) => (tool.promptName.includes("_") ? tool.promptName.split("_")[0] : ""));
  const counts = new Map<string, number>();
  for (const start of starts) counts.set(start, (counts.get(start) ?? 0) + 1);
  return entries.flatMap((entry, i) => {
    const count = counts.get(starts[i]) ?? 0;
    return starts[i] && count > mostAlike ? [{ start: starts[i], entry, count }] : [];
  });
}

/** What to do about tools that take too much of the prompt. */
function cuts(sheet: Sheet): string {
  const needed = sheet.promptTokens + 1 + usualRequest;
  const dearest = sheet.shares.indexOf(Math.max(...sheet.shares));
  const [entry, share] = [sheet.entries[dearest], sheet.shares[dearest]];
  const remedies = [
    ...(needed <= 1024 ? [`load with promptTokens: ${needed}`] : []),
    ...(entry ? [`offer fewer tools or shorten ${pathOf(entry.keys)} (${share} tokens)`] : []),
  ];
  return remedies.join(", ");
}
