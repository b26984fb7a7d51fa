/** The parts of tools that rules look at: texts, names, fields, enums. */
import { snakeCase } from "../../runtime/tools/prompt.ts";
import { freeName, keyRenamed, type Rename } from "./remedies.ts";
import { type Entry, type Field, type Group, type Keys, pathOf } from "./sheet.ts";
import { escaped } from "./words.ts";

/** The first item of each key. */
export function firstBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T> {
  const first = new Map<string, T>();
  for (const item of items) {
    const key = keyOf(item);
    if (!first.has(key)) first.set(key, item);
  }
  return first;
}

export interface Text {
  keys: Keys;
  text: string;
}

export interface Named {
  keys: Keys;
  name: string;
  /** As the prompt has it. */
  read: string;
  rename: Rename;
}

export function groupsOf(entries: readonly Entry[]): Group[] {
  return entries.flatMap(({ groups }) => groups);
}

export function fieldsOf(entries: readonly Entry[]): Field[] {
  return groupsOf(entries).flatMap(({ fields }) => fields);
}

export function describedOf(entries: readonly Entry[]): Text[] {
  return [...entries.map(({ keys, tool }) => ({ keys, description: tool.description })), ...fieldsOf(entries)]
    .filter(({ description }) => description.trim())
    .map(({ keys, description }) => ({ keys: [...keys, "description"], text: description }));
}

export function namesTextsOf(entries: readonly Entry[]): Text[] {
  const tools = entries.map(({ keys, tool }) => ({ keys: [...keys, "name"], text: tool.promptName }));
  return [...tools, ...fieldsOf(entries).map(({ keys, name }) => ({ keys, text: name }))];
}

/** The strings of each enum. */
export function enumsOf(entries: readonly Entry[]): { field: Field; keys: Keys; path: string; texts: Text[] }[] {
  return fieldsOf(entries).flatMap((field) =>
    field.enums.map(({ keys, values }) => {
      const at = (i: number) => (keys.at(-1) === "const" ? keys : [...keys, i]);
      const texts = values.flatMap((text, i) => (typeof text === "string" && text ? { keys: at(i), text } : []));
      return { field, keys, path: pathOf(keys), texts };
    }),
  );
}

export function enumTextsOf(entries: readonly Entry[]): Text[] {
  return enumsOf(entries).flatMap(({ texts }) => texts);
}

/** Names of tools and of their keys. */
export function namesOf(list: unknown, entries: readonly Entry[]): Named[] {
  const tools = entries.map(({ keys, tool }) => {
    const at = [...keys, "name"];
    const rename = (name: string) => {
      const to = freeName(entries, snakeCase(name));
      return { to, rewrites: [{ at, value: to }] };
    };
    return { keys: at, name: tool.name, read: tool.promptName, rename };
  });
  const keys = groupsOf(entries).flatMap((group) => {
    const taken = new Set(group.fields.map(({ name }) => name));
    return group.fields.map(({ keys, name }) => {
      const rename = (wanted: string) => {
        const to = taken.has(wanted) ? `${wanted}_2` : wanted;
        return { to, rewrites: keyRenamed(list, group.keys, name, to) };
      };
      return { keys, name, read: escaped(name), rename };
    });
  });
  return [...tools, ...keys];
}
