/** A state of the automaton over an answer's bytes, and the states of a fixed text or one of several. Made when first reached. */
import type { ArraySchema, ObjectSchema } from "../tools/schema.ts";

export type Edge = readonly [low: number, high: number, target: State];

/** How many characters a string still takes, between two of them or within one. */
export interface Room {
  least: number;
  most: number;
  isBetween: boolean;
}

/** What begins at a state is an item of a list or a key of a map, `isFirst` where that is new. */
export interface Begun {
  of: ArraySchema | ObjectSchema;
  isFirst: boolean;
}

/** Where the text stands: the bytes that may follow. */
export class State {
  private made: Edge[] | null = null;
  begun: Begun | null = null;

  constructor(
    private readonly make: () => Edge[],
    /** The byte that leads to the end of the text by a short way, −1 at the end. */
    readonly exit: number,
    /** Within a string. */
    readonly room: Room | null = null,
  ) {}

  /** Whether a string may go on or end here: not from within a character or an escape. */
  get inString(): boolean {
    return this.room?.isBetween ?? false;
  }

  get edges(): Edge[] {
    this.made ??= this.make();
    return this.made;
  }

  step(byte: number): State | null {
    const { edges } = this;
    for (let i = 0; i < edges.length; i++) {
      const edge = edges[i];
      if (byte >= edge[0] && byte <= edge[1]) return edge[2];
    }
    return null;
  }

  /** The only byte that can follow, or −1. */
  get onlyByte(): number {
    const { edges } = this;
    return edges.length === 1 && edges[0][0] === edges[0][1] ? edges[0][0] : -1;
  }

  get atEnd(): boolean {
    return this.exit < 0;
  }
}

const utf8 = new TextEncoder();

export interface Alternative {
  text: string;
  next: () => State;
}

/** One of several texts, each with what follows it. The way out is the first. */
export function oneOf(alternatives: Alternative[]): State {
  const items = alternatives.map(({ text, next }) => ({ bytes: utf8.encode(text), next }));
  return branch(items, 0);
}

function branch(items: { bytes: Uint8Array; next: () => State }[], at: number): State {
  const [first] = items;
  if (items.length === 1 && first.bytes.length === at) return first.next();
  const edges = () => {
    const groups = new Map<number, typeof items>();
    const ended: Edge[] = [];
    for (const item of items) {
      const group = groups.get(item.bytes[at]);
      if (item.bytes.length === at) ended.push(...item.next().edges);
      else if (group) group.push(item);
      else groups.set(item.bytes[at], [item]);
    }
    return [...ended, ...[...groups].map(([byte, group]): Edge => [byte, byte, branch(group, at + 1)])];
  };
  return new State(edges, first.bytes.length > at ? first.bytes[at] : first.next().exit);
}

export const literal = (text: string, next: () => State) => oneOf([{ text, next }]);
/** Returns a function that computes once. */
export function once<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= make();
    return value;
  };
}
