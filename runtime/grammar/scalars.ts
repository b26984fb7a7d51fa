/** The states of strings and numbers, character by character. */
import { isFit, mostDigits, type Scaled, someFits, standing } from "../tools/decimal.ts";
import { type Edge, once, type Room, State } from "./state.ts";

const utf8 = new TextEncoder();
const quote = 0x22;
const hyphen = 0x2d;
const backslash = 0x5c;

const anyRoom: Room = { least: 0, most: Number.POSITIVE_INFINITY, isBetween: true };

const deadEnd = new State(() => [], -1);

/** The inside of a string that never ends. */
export const anyText = stringState(deadEnd);

/** A map's key from its opening quote on: any but those of known names, as they stand, without escapes. */
export function keyState(names: readonly string[], next: State): State {
  const edges = once((): Edge[] => [
    ...characterEdges(inside, false).filter(([low]) => low !== backslash),
    [quote, quote, next],
  ]);
  const inside = new State(edges, quote, anyRoom);
  return without(
    inside,
    names.map((name) => utf8.encode(JSON.stringify(name).slice(1))),
  );
}

/** A state less texts that would follow it. Of what leads to others there must be some beside each text. */
function without(state: State, texts: readonly Uint8Array[], at = 0): State {
  if (!texts.length) return state;
  const edges = () => {
    const bytes = [...new Set(texts.map((text) => text[at]))].sort((a, b) => a - b);
    return state.edges.flatMap(([low, high, target]): Edge[] => {
      const cut: Edge[] = [];
      let from = low;
      for (const byte of bytes.filter((one) => one >= low && one <= high)) {
        if (from < byte) cut.push([from, byte - 1, target]);
        const going = texts.filter((text) => text[at] === byte);
        if (going.every((text) => text.length > at + 1)) cut.push([byte, byte, without(target, going, at + 1)]);
        from = byte + 1;
      }
      if (from <= high) cut.push([from, high, target]);
      return cut;
    });
  };
  const ends = texts.some((text) => text.length === at + 1 && text[at] === state.exit);
  return new State(edges, ends ? hyphen : state.exit, state.room);
}

/**
 * The inside of a JSON string up to its closing quote: any escape, any valid UTF-8, from `least` to `most` characters.
 * Where characters count, an escaped surrogate, half a character, is left out.
 */
export function stringState(next: State, least = 0, most = Number.POSITIVE_INFINITY): State {
  const free = least <= 0 && most === Number.POSITIVE_INFINITY;
  const edges = once(() => {
    const after = free ? inside : most > 0 ? stringState(next, Math.max(0, least - 1), most - 1) : null;
    const end: Edge[] = least <= 0 && next !== deadEnd ? [[quote, quote, next]] : [];
    return [...(after ? characterEdges(after, free) : []), ...end];
  });
  const inside = new State(edges, least > 0 ? hyphen : quote, free ? anyRoom : { least, most, isBetween: true });
  return inside;
}

/** One character of a string, raw or escaped, then `inside`. */
function characterEdges(inside: State, surrogates: boolean): Edge[] {
  const room = inside.room && { ...inside.room, isBetween: false };
  /** One byte of a range, then the given state. */
  const range = (low: number, high: number, target: State) => new State(() => [[low, high, target]], low, room);
  const digits: [number, number][] = [
    [0x30, 0x39],
    [0x41, 0x46],
    [0x61, 0x66],
  ];
  const hex = (target: State) => new State(() => digits.map(([low, high]): Edge => [low, high, target]), 0x30, room);
  const three = hex(hex(hex(inside)));
  const low = new State(() => [[0x30, 0x37, hex(hex(inside))]], 0x30, room);
  const notD: [number, number][] = [
    [0x30, 0x39],
    [0x41, 0x43],
    [0x45, 0x46],
    [0x61, 0x63],
    [0x65, 0x66],
  ];
  const whole = (): Edge[] => [...notD.map(([a, b]): Edge => [a, b, three]), [0x44, 0x44, low], [0x64, 0x64, low]];
  const unicode = surrogates ? hex(three) : new State(whole, 0x30, room);
  const escaped = new State(
    () => [...[...'"\\/bfnrt'].map((c): Edge => [c.charCodeAt(0), c.charCodeAt(0), inside]), [0x75, 0x75, unicode]],
    0x6e,
    room,
  );
  const last = range(0x80, 0xbf, inside);
  const two = range(0x80, 0xbf, last);
  // Source: Unicode, table 3-7, "Well-Formed UTF-8 Byte Sequences".
  return [
    [0x20, 0x21, inside],
    [0x23, 0x5b, inside],
    [0x5d, 0x7f, inside],
    [0x5c, 0x5c, escaped],
    [0xc2, 0xdf, last],
    [0xe0, 0xe0, range(0xa0, 0xbf, last)],
    [0xe1, 0xec, two],
    [0xed, 0xed, range(0x80, 0x9f, last)],
    [0xee, 0xef, two],
    [0xf0, 0xf0, range(0x90, 0xbf, two)],
    [0xf1, 0xf3, range(0x80, 0xbf, two)],
    [0xf4, 0xf4, range(0x80, 0x8f, two)],
  ];
}

/** A JSON number; an integer has neither fraction nor exponent. It ends where what follows begins. */
export function numberState(integer: boolean, next: () => State): State {
  const digits = (left: number, tail: () => Edge[]): State =>
    new State(() => [...(left ? [[0x30, 0x39, digits(left - 1, tail)] as Edge] : []), ...tail()], next().exit);
  const ended = () => next().edges;
  const exponent = once(() => {
    const first = new State(() => [[0x30, 0x39, digits(1, ended)]], 0x30);
    return new State(() => [[0x2b, 0x2b, first], [0x2d, 0x2d, first], ...first.edges], 0x30);
  });
  const power = (): Edge[] => [[0x45, 0x45, exponent()], [0x65, 0x65, exponent()], ...ended()];
  const fraction = once(() => new State(() => [[0x30, 0x39, digits(mostDigits - 1, power)]], 0x30));
  const tail = (): Edge[] => (integer ? ended() : [[0x2e, 0x2e, fraction()], ...power()]);
  const unsigned: Edge[] = [
    [0x30, 0x30, new State(tail, next().exit)],
    [0x31, 0x39, digits(mostDigits - 1, tail)],
  ];
  return new State(() => [[0x2d, 0x2d, new State(() => unsigned, 0x30)], ...unsigned], 0x30);
}

/** A number with limits: a byte may follow if some number that begins so fits. Texts that go on alike share a state. */
export function limitedState(limits: Scaled, next: () => State): State {
  const states = new Map<string, State>();
  const after = (typed: string): State => {
    const key = standing(limits, typed);
    const known = states.get(key);
    if (known) return known;
    const continuations = [..."0123456789.-"].filter((c) => someFits(limits, typed + c));
    const complete = isFit(limits, typed);
    const edges = () => [
      ...continuations.map((c): Edge => [c.charCodeAt(0), c.charCodeAt(0), after(typed + c)]),
      ...(complete ? next().edges : []),
    ];
    const state = new State(edges, complete ? next().exit : continuations[0].charCodeAt(0));
    states.set(key, state);
    return state;
  };
  return after("");
}
