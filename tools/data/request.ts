/** A tool → a request for it: pieces of text, some of which are values, and the calls they mean. */

import type { Fill } from "./numerals.ts";
import type { Random } from "./random.ts";
import { type Said, say, slotsOf, type Template } from "./template.ts";
import { dayRank } from "./times.ts";
import { type BaseTool, isBoolean, type Param } from "./tool.ts";
import { article, isTime, make, typeOfSlot, withoutDeterminer } from "./values.ts";

/** Text of a request. A value's piece may be respelled until the request is done: the answer copies what it then says. */
export interface Piece {
  text: string;
  /** Set for values. */
  param?: Param;
}

/** An argument: said in a piece, or only meant. */
export interface Argument {
  value?: Fill["value"] | readonly (string | number | boolean)[];
  piece?: Piece;
  /** Of a list: all its pieces. */
  pieces?: Piece[];
}

export interface Ask {
  tool: BaseTool;
  args: Map<Param, Argument>;
}

export interface Request {
  pieces: Piece[];
  asks: Ask[];
}

/** Fills one way through the template; `smooth` mends the seams. */
export function ask(tool: BaseTool, phrase: Template, random: Random): Request {
  const first: Ask = { tool, args: new Map() };
  const second: Ask = { tool, args: new Map() };
  const pieces = merged(say(phrase, random).flatMap((said) => piece(said, tool, first, second, random)));
  for (const { args } of [first, second]) orderRange(args);
  const asks = second.args.size ? [first, { tool, args: new Map([...first.args, ...second.args]) }] : [first];
  return { pieces, asks };
}

const isLeast = ({ name }: Param) => /(^|_)(least|min|low)(_|$)/.test(name);
const isMost = ({ name }: Param) => /(^|_)(most|max|high)(_|$)/.test(name);

/** Swaps the ends of a range that runs backwards: nobody wants at least 9 and at most 5. */
function orderRange(args: Ask["args"]): void {
  const [least, most] = [isLeast, isMost].map((isEnd) => [...args].find(([param]) => isEnd(param)));
  if (!least || !most || !sameKind(least[0], most[0])) return;
  const [low, high] = [least[1], most[1]];
  if (!low.piece || !high.piece || typeof low.value !== "number" || typeof high.value !== "number") return;
  if (low.value <= high.value) return;
  [low.value, high.value] = [high.value, low.value];
  [low.piece.text, high.piece.text] = [high.piece.text, low.piece.text];
}

/** Without empty pieces, and with texts that follow each other made one. */
function merged(pieces: readonly Piece[]): Piece[] {
  const out: Piece[] = [];
  for (const one of pieces) {
    const last = out.at(-1);
    if (last && !last.param && !one.param) last.text += one.text;
    else if (one.text) out.push(one);
  }
  return out;
}

const plurals =
  /^((?: [a-z]+)?) (ticket|seat|room|cup|portion|slice|bedroom|bathroom|night|day|hour|pass|liter|bath|star|adult|kid|set|rep|suitcase|bag|crate|box|infant|guest|point|round|row|column|grown up|minute|second|time)(?:e?s)\b/;
const oddPlurals: Record<string, string> = { people: "person", children: "child", babies: "baby" };

/** Mends what filling or correcting leaves askew: "on tomorrow", "at in an hour", "a espresso", "one tickets". */
export function smooth({ pieces }: Request): void {
  for (const [i, { text: said, param }] of pieces.entries()) {
    if (!param) continue;
    const [left, right] = [pieces[i - 1], pieces[i + 1]];
    if (left && !left.param) {
      if (isTime(param.slot) && /^(today|tomorrow|tonight|next |this |in |the day after)/.test(said))
        left.text = left.text.replace(/(^| )(on|at|around|in) $/, "$1");
      left.text = left.text.replace(/(^| )(?:the|an?|my|this|that) ((?:the|an?|my|this|that) )$/, "$1$2");
      if (/^\p{Lu}[\p{L}]*['’]s /u.test(said)) left.text = left.text.replace(/(^| )(?:the|an?|my) $/, "$1");
      left.text = left.text.replace(/(?<=^| )(a)n? $/i, (_, a: string) => `${a}${article(said).slice(1)} `);
    }
    if (/^(1|one)$/.test(said) && right && !right.param)
      right.text = right.text
        .replace(plurals, "$1 $2")
        .replace(/^ (people|children|babies)\b/, (_, many: string) => ` ${oddPlurals[many]}`);
  }
}

function piece(said: Said, tool: BaseTool, first: Ask, second: Ask, random: Random): Piece[] {
  if (!("slot" in said)) return [{ text: said.text }];
  const param = tool.params.find(({ name }) => name === said.slot);
  if (!param) return [{ text: make(said.slot, random).text }];
  const { args } = said.second ? second : first;
  if (said.meant !== undefined) {
    args.set(param, { value: meantAs(param, said.meant) });
    return [];
  }
  if (param.list) return listed(param, args, random);
  const { text, value } = said.pool ? make(said.pool, random) : unlike([...first.args, ...second.args], param, random);
  const [determiner, rest] = value === undefined ? withoutDeterminer(param.slot, text) : ["", text];
  const made = { text: rest, param };
  args.set(param, { value, piece: made });
  return determiner ? [{ text: determiner }, made] : [made];
}

/** One to four values, joined as they are spoken. */
function listed(param: Param, args: Ask["args"], random: Random): Piece[] {
  const count = random.pick([1, 2, 2, 2, 3, 3, 4]);
  const texts = new Set<string>();
  for (let tries = 0; texts.size < count && tries < 20; tries++)
    texts.add(withoutDeterminer(param.slot, fill(param, random).text)[1]);
  const pieces = [...texts].map((text): Piece => ({ text, param }));
  args.set(param, { pieces });
  const last = random.pick([" and ", " and ", " and ", ", ", ...(pieces.length > 2 ? [", and "] : [])]);
  return pieces.flatMap((one, i) => (i ? [{ text: i === pieces.length - 1 ? last : ", " }, one] : [one]));
}

function meantAs(param: Param, text: string): Fill["value"] {
  if (isBoolean(param)) return text === "true";
  return param.slot !== "choice" && typeOfSlot(param.slot) !== "string" ? Number(text) : text;
}

/** A value that suits the others of its kind: nobody flies from Rome to Rome. Numbers and booleans may agree. */
function unlike(others: readonly [Param, Argument][], param: Param, random: Random): Fill {
  const kin = others.filter(([other]) => sameKind(other, param) && !other.list);
  let made = fill(param, random);
  // Some cannot: of three values of an enum of two, two agree.
  for (let tries = 0; tries < 20 && kin.some(([other, { piece }]) => clash(param, made, other, piece?.text)); tries++)
    made = fill(param, random);
  return made;
}

const valuesOf = ({ choices }: Param) => choices.map(({ value }) => value).join("|");
/** Equal slots; of enums, equal lists. */
export const sameKind = (a: Param, b: Param): boolean => a.slot === b.slot && valuesOf(a) === valuesOf(b);

const endsSpan = ({ name }: Param) => /^(return|dropoff|check_out|end|until)/.test(name);

/** Whether both say the same, or a span ends before it starts. */
function clash(param: Param, { text, value }: Fill, other: Param, said = ""): boolean {
  if (isBoolean(param) || typeof value === "number") return false;
  const [, told] = withoutDeterminer(param.slot, text);
  if (told.toLowerCase() === said.toLowerCase()) return true;
  if (endsSpan(param) === endsSpan(other)) return false;
  const [start, end] = (endsSpan(param) ? [said, text] : [text, said]).map(dayRank);
  return start >= 0 && end >= 0 && end <= start;
}

export function fill(param: Param, random: Random): Fill {
  if (param.slot === "flag") return random.chance(0.5) ? { text: "on", value: true } : { text: "off", value: false };
  if (param.values) return { text: random.pick(param.values) };
  if (param.slot !== "choice") return make(param.slot, random);
  const { value, said } = random.pick(param.choices);
  return { text: random.pick(said), value };
}

/** The phrases that ask in full, those that lack a required value, and those that ask twice. */
export function sorted(tool: BaseTool): { full: Template[]; bare: Template[]; twin: Template[] } {
  const required = tool.params.filter((param) => param.required).map(({ name }) => name);
  const full: Template[] = [];
  const bare: Template[] = [];
  const twin: Template[] = [];
  for (const phrase of tool.say) {
    const slots = slotsOf(phrase);
    const isBare = required.some((name) => !slots.includes(name));
    (isBare ? bare : phrase.source.includes("'}") || phrase.source.includes("'=") ? twin : full).push(phrase);
  }
  return { full, bare, twin };
}

/** A sentence that asks for nothing. */
export function chatter(phrase: Template, random: Random): Request {
  const pieces = say(phrase, random).map((said) => ({
    text: "slot" in said ? make(said.slot, random).text : said.text,
  }));
  return { pieces, asks: [] };
}
