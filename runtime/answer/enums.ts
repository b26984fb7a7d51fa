/**
 * The values of enums that a request says, put into the choice of what a call holds: "lunch was soup" is of the meal "lunch"
 * and not "breakfast", "business class to Doha" leaves no cabin out. What nobody said stays possible, at a price.
 *
 * Of 13,373 arguments in tools/train/hand whose enum's values the request says in part, 98% are of that part; of 2,840 that
 * may be left out and of which one value is said, 98% are there.
 */
import { patternOf } from "../text/letters.ts";
import { lowerCased } from "../text/request.ts";
import type { Property } from "../tools/schema.ts";
import type { Tool } from "../tools/tools.ts";
import { isCommon } from "../tools/words.ts";
import { Arguments } from "./arguments.ts";

/** What a device keeps a bit of each: of a tool the first parameters, of an enum the values. */
const mostProperties = 32;
const mostValues = 64;

/** Letters of a value: of "on", "no" and "am" a request has too many. */
const leastLetters = 3;

/** An enum of which the request says a part. Texts are JSON, a character a byte. */
interface Said {
  key: string;
  values: readonly string[];
  /** The value that a call must not leave out, without its quotes: it may, and the request says no other. */
  alone: string | null;
}

export class Enums {
  private readonly words: readonly string[];
  private readonly byTool = new Map<Tool, readonly Said[]>();

  /** `price`: of what is not said, in logits. */
  constructor(
    request: string,
    private readonly tools: readonly Tool[],
    private readonly price: number,
  ) {
    this.words = wordsOf(request).map(stem);
  }

  /**
   * Takes the price from the logits of ids that lead, after these bytes, to a value that is not said, or to the end of a call
   * without the one that is. The call that is open begins at `from`. `bytesOf`: of an id.
   */
  add(
    logits: Float32Array,
    ids: Iterable<number>,
    bytes: readonly number[],
    from: number,
    bytesOf: (id: number) => ArrayLike<number>,
  ): void {
    const call = textOf(bytes.slice(from));
    const tool = this.tools.find(({ promptName }) => call.startsWith(opening(promptName)));
    const said = tool ? this.of(tool) : [];
    if (!tool || !said.length) return;
    const before = new Arguments(call.slice(opening(tool.promptName).length));
    const written = inSmall(textOf(bytes));
    const due = said.filter(({ alone }) => alone !== null && !written.includes(alone)).map(({ key }) => key);
    for (const id of ids) {
      const { values, keys, isClosed } = before.with(textOf(bytesOf(id)));
      const isUnsaid = values.some(({ key, text, isWhole }) => {
        const some = said.find((one) => one.key === key)?.values;
        return some && !some.some((value) => (isWhole ? value === text : value.startsWith(text)));
      });
      if (isUnsaid || (isClosed && due.some((key) => !keys.includes(key)))) logits[id] -= this.price;
    }
  }

  private of(tool: Tool): readonly Said[] {
    let said = this.byTool.get(tool);
    if (!said) {
      said = tool.parameters.slice(0, mostProperties).flatMap((property) => this.saidOf(property));
      this.byTool.set(tool, said);
    }
    return said;
  }

  private saidOf({ name, schema, required }: Property): Said[] {
    if (schema.kind !== "enum" || schema.values.length > mostValues) return [];
    const texts = schema.values.map((value) => JSON.stringify(value));
    const spoken = texts.map((text) => wordsOf(text.replace(/([a-z])(?=[A-Z])/g, "$1 ")));
    if (!texts.every((text, i) => text.startsWith('"') && isTelling(spoken[i]))) return [];
    const values = texts.filter((_, i) => this.says(spoken[i].map(stem))).map(binary);
    if (!values.length || values.length === texts.length) return [];
    const alone = !required && values.length === 1 ? inSmall(values[0].slice(1, -1)) : null;
    return [{ key: binary(JSON.stringify(name)), values, alone }];
  }

  private says(words: readonly string[]): boolean {
    return this.words.some((_, at) => words.every((word, i) => this.words[at + i] === word));
  }
}

/** How a call of a tool begins. */
const opening = (promptName: string) => `{"name":${JSON.stringify(promptName)},"arguments":{`;

const wordPattern = patternOf(String.raw`[\p{L}\p{N}]+`, "gu");
const wordsOf = (text: string): readonly string[] => lowerCased(text).match(wordPattern(text)) ?? [];

/** Without an "s" at its end: "parks" says "park", and "car" "cars". */
const stem = (word: string) => (word.length > 3 && word.endsWith("s") ? word.slice(0, -1) : word);

const isTelling = (words: readonly string[]): boolean =>
  words.join("").length >= leastLetters && !words.every((word) => isCommon(word));

const utf8 = new TextEncoder();
const textOf = (bytes: ArrayLike<number>): string => String.fromCharCode(...Array.from(bytes));
const binary = (text: string): string => textOf(utf8.encode(text));
const inSmall = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
