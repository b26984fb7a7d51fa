/**
 * The small language that phrasings are written in.
 *
 *     [set|start] a {duration} timer( for {label})
 *
 *     [a|b]      one of them, with equal chance      (x)          x or nothing
 *     <a|b|c>    all of them, in any order: "book< a table| for {people}| at {time}>"
 *     {slot}     a value                             {slot=word}  an argument that is meant, not said
 *     {slot~pool} its value from another pool: "tell {who} to {text~deed}"
 *     {slot'}    a value of a second call, which otherwise repeats the first: "lights off in the {room} and {room'}"
 */
import type { Random } from "./random.ts";

type Part =
  | { kind: "text"; text: string }
  | { kind: "slot"; name: string; second: boolean; pool?: string; meant?: string }
  | { kind: "choice" | "shuffle"; options: Part[][] };

export interface Template {
  parts: Part[];
  source: string;
}

/** What a template said: plain text, or a slot whose value the caller fills. */
export type Said = { text: string } | { slot: string; second: boolean; pool?: string; meant?: string };

const compiled = new Map<string, Template>();

/** Reads a template that will be used again. Throws: SyntaxError naming the template. */
export function template(source: string): Template {
  let known = compiled.get(source);
  if (!known) {
    known = readTemplate(source);
    compiled.set(source, known);
  }
  return known;
}

/** Reads a template and forgets it. Throws: SyntaxError naming the template. */
export function readTemplate(source: string): Template {
  return { parts: readParts(source, 0, "")[0], source };
}

const closing: Record<string, string> = { "[": "]", "(": ")", "<": ">" };

/** Reads until one of `stops`, which it leaves. */
function readParts(source: string, from: number, stops: string): [Part[], number] {
  const parts: Part[] = [];
  let at = from;
  while (at < source.length && !stops.includes(source[at])) {
    const char = source[at];
    if (char in closing) {
      const close = closing[char];
      const options: Part[][] = char === "(" ? [[]] : [];
      do {
        const [option, end] = readParts(source, at + 1, `|${close}`);
        options.push(option);
        at = end;
      } while (source[at] === "|");
      if (source[at] !== close) throw new SyntaxError(`template ${JSON.stringify(source)}: expected ${close}`);
      parts.push({ kind: char === "<" ? "shuffle" : "choice", options });
      at++;
    } else if (char === "{") {
      const end = source.indexOf("}", at);
      const match = /^(\w+)('?)(?:~(\w+))?(?:=([^{}]+))?$/.exec(source.slice(at + 1, end));
      if (end < 0 || !match) throw new SyntaxError(`template ${JSON.stringify(source)}: expected {slot} at ${at}`);
      parts.push({ kind: "slot", name: match[1], second: match[2] === "'", pool: match[3], meant: match[4] });
      at = end + 1;
    } else if ("])>}|".includes(char)) {
      throw new SyntaxError(`template ${JSON.stringify(source)}: unexpected "${char}"`);
    } else {
      let end = at;
      while (end < source.length && !"[](){}<>|".includes(source[end])) end++;
      parts.push({ kind: "text", text: source.slice(at, end) });
      at = end;
    }
  }
  return [parts, at];
}

/** Walks one way through the template. */
export function say({ parts }: Template, random: Random, out: Said[] = []): Said[] {
  for (const part of parts) {
    if (part.kind === "text") out.push({ text: part.text });
    else if (part.kind === "slot")
      out.push({ slot: part.name, second: part.second, pool: part.pool, meant: part.meant });
    else if (part.kind === "choice") say({ parts: random.pick(part.options), source: "" }, random, out);
    else {
      const from = out.length;
      for (const option of random.shuffled(part.options)) say({ parts: option, source: "" }, random, out);
      const first = out[from];
      // A comma parts one from the next: the first needs none.
      if (first && "text" in first) first.text = first.text.replace(/^,/, "");
    }
  }
  return out;
}

/** How many ways lead through a template, values aside. */
export function ways({ parts }: Template): number {
  return parts.reduce((product, part) => {
    if (part.kind === "text" || part.kind === "slot") return product;
    const each = part.options.map((option) => ways({ parts: option, source: "" }));
    if (part.kind === "choice") return product * each.reduce((sum, one) => sum + one, 0);
    return each.reduce((all, one, i) => all * one * (i + 1), product);
  }, 1);
}

/** The slots a template may fill. */
export const slotsOf = (template: Template): string[] => slotParts(template).map(({ name }) => name);

/** The arguments that a template means without saying them. */
export const meantOf = (template: Template): { slot: string; meant: string }[] =>
  slotParts(template).flatMap(({ name, meant }) => (meant === undefined ? [] : [{ slot: name, meant }]));

function slotParts({ parts }: Pick<Template, "parts">): Extract<Part, { kind: "slot" }>[] {
  return parts.flatMap((part) => {
    if (part.kind === "slot") return [part];
    return part.kind === "text" ? [] : part.options.flatMap((option) => slotParts({ parts: option }));
  });
}
