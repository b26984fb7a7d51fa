/**
 * Writes unicode.h: what request.c needs to know of characters, as this host's JavaScript has it.
 * bun firmware/mcu/unicode.ts > firmware/mcu/unicode.h; test/mcu.test.ts says when it is old.
 */
const mostPoint = 0x10ffff;
const classes = [/\p{L}/u, /\p{M}/u, /\p{N}/u, /\p{Lu}/u, /\p{Ll}/u, /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}]/u];

const [capital, small] = [1 << 3, 1 << 4];
const alternate = 1 << 6;

/** Of a run: points that its first byte counts at the most; what is more follows as a `varint`. */
const shortRun = 15;
/** Bytes of runs between two places from which to look. */
const blockBytes = 128;

/** Seven bits a byte, the lowest first; all but the last have the top bit. */
const varint = (value: number): number[] => (value > 0x7f ? [0x80 | (value & 0x7f), ...varint(value >>> 7)] : [value]);

interface Run {
  first: number;
  last: number;
  bits: number;
}

/** All points in runs of the same classes; one for a run in which capitals and small letters alternate. */
function classRuns(): Run[] {
  const runs: Run[] = [{ first: 0, last: -1, bits: 0 }];
  const bitsOf = (point: number) => {
    const char = String.fromCodePoint(point);
    return classes.reduce((sum, kind, i) => sum | (kind.test(char) ? 1 << i : 0), 0);
  };
  for (let point = 0; point <= mostPoint; point++) {
    const bits = bitsOf(point);
    const run = runs[runs.length - 1];
    const isOdd = (point - run.first) % 2 === 1;
    const other = run.bits ^ capital ^ small;
    if (run.bits & alternate && bits === ((isOdd ? other : run.bits) & ~alternate)) run.last = point;
    else if (bits & (capital | small) && run.first === run.last && bits === other) {
      run.bits |= alternate;
      run.last = point;
    } else if (bits === run.bits && !(run.bits & alternate)) run.last = point;
    else runs.push({ first: point, last: point, bits });
  }
  return runs;
}

/** The runs as bytes, the classes that they have, and where to begin to look. */
function classTables(): { kinds: number[]; bytes: number[]; blocks: string[] } {
  const runs = classRuns();
  const kinds = [...new Set(runs.map(({ bits }) => bits))];
  const bytes: number[] = [];
  const blocks: string[] = [];
  for (const [i, { first, last, bits }] of runs.entries()) {
    if (bytes.length >= blockBytes * blocks.length) blocks.push(`{${first}, ${bytes.length}}`);
    // The last reaches as far as four bytes of UTF-8 could.
    const more = i + 1 < runs.length ? last - first : 0x1fffff - first;
    bytes.push((kinds.indexOf(bits) << 4) | Math.min(more, shortRun));
    if (more < shortRun) continue;
    bytes.push(...varint(more - shortRun));
  }
  if (kinds.length > 16) throw new Error(`classes: expected 16 kinds at most, got ${kinds.length}`);
  return { kinds, bytes, blocks };
}

/** Runs of capitals, a step apart, whose small letters are as far away: step, first and span in one, and distance. */
function capitals(): string[] {
  const runs: { first: number; last: number; step: number; distance: number }[] = [];
  for (let point = 0; point <= mostPoint; point++) {
    const char = String.fromCodePoint(point);
    const small = char.toLowerCase();
    if (!/\p{Lu}/u.test(char) || small === char || small.length !== char.length) continue;
    const distance = (small.codePointAt(0) as number) - point;
    const run = runs.at(-1);
    const step = run ? point - run.last : 0;
    if (run && run.distance === distance && step <= 2 && (run.step === 0 || run.step === step)) {
      run.last = point;
      run.step = step;
    } else runs.push({ first: point, last: point, step: 0, distance });
  }
  return runs.map(({ first, last, step, distance }) => {
    if (last - first > 0xff) throw new Error(`capitals: expected runs of 256 at most, got ${last - first + 1}`);
    return `{0x${(((step === 2 ? 2 ** 31 : 0) + first * 256 + (last - first)) >>> 0).toString(16)}, ${distance}}`;
  });
}

/** A letter, a mark, and the letter that has the mark. */
type Composite = readonly [letter: number, mark: number, both: number];

/** Pairs of characters that are one in NFC, and characters that are another in it, or two, or one beyond 16 bits. */
function normal(): { pairs: Composite[]; runs: string[]; ones: string[]; others: string[] } {
  const pairs: Composite[] = [];
  const runs: { first: number; count: number }[] = [];
  const ones: string[] = [];
  const many = new Map<string, number>();
  for (let point = 0x80; point <= 0xffff; point++) {
    if (point >= 0xd800 && point < 0xe000) continue;
    const char = String.fromCodePoint(point);
    const composed = char.normalize("NFC");
    if (composed !== char) {
      const first = composed.codePointAt(0) as number;
      if (composed.length > 1) many.set(composed, point);
      else {
        const run = runs.at(-1);
        if (run && run.first + run.count === point) run.count++;
        else runs.push({ first: point, count: 1 });
        ones.push(`${first}`);
      }
      continue;
    }
    const parts = [...char.normalize("NFD")];
    const last = parts.pop() as string;
    const isHangul = point >= 0xac00 && point <= 0xd7a3;
    if (!parts.length || isHangul) continue;
    const [base] = [...parts.join("").normalize("NFC")];
    pairs.push([base.codePointAt(0) as number, last.codePointAt(0) as number, point]);
  }
  const others = [...many].map(([composed, point]) => {
    const parts = [...composed];
    const second = parts[1] ? (parts.pop() as string).codePointAt(0) : 0;
    // Of three the first two are a character that is two itself.
    const first = parts[1] ? many.get(parts.join("")) : parts[0].codePointAt(0);
    if (!first) throw new Error(`others: expected two parts, the first of two at most, got ${composed} of ${point}`);
    return `{${point}, ${second}, ${first}}`;
  });
  return {
    pairs,
    runs: runs.map(({ first, count }) => `{${first}, ${count}}`),
    ones,
    others,
  };
}

/** Pairs in the order of what they make, each as far from the one before as it is; and the marks. */
function composites(pairs: readonly Composite[]): { marks: number[]; bytes: number[] } {
  const marks = [...new Set(pairs.map(([, mark]) => mark))].sort((a, b) => a - b);
  let [before, made] = [0, 0];
  const bytes = pairs.flatMap(([letter, mark, both]) => {
    const [way, more] = [letter - before, both - made];
    [before, made] = [letter, both];
    const place = 2 * marks.indexOf(mark);
    const far = way < 0 ? -2 * way - 1 : 2 * way;
    return more === 1 ? [place, ...varint(far)] : [place + 1, ...varint(more), ...varint(far)];
  });
  if (marks.length > 128) throw new Error(`composites: expected 128 marks at most, got ${marks.length}`);
  return { marks, bytes };
}

/** A table, as many rows to a line as fit. */
function table(about: string, declaration: string, rows: string[]): string {
  const lines = [""];
  for (const row of rows) {
    if (lines[lines.length - 1].length + row.length > 114) lines.push("");
    lines[lines.length - 1] += ` ${row},`;
  }
  return `/* ${about} */\nstatic const ${declaration} = {\n${lines.map((line) => ` ${line}`).join("\n")}\n};\n`;
}

export function unicodeHeader(): string {
  const { pairs, runs, ones, others } = normal();
  const { kinds, bytes, blocks } = classTables();
  const { marks, bytes: letters } = composites(pairs);
  return [
    "/* Made by unicode.ts from Unicode's tables as JavaScript has them. */\n",
    table(
      "Classes: 1 L, 2 M, 4 N, 8 Lu, 16 Ll, 32 scripts without spaces, 64 Lu and Ll by turns.",
      "uint8_t classKinds[]",
      kinds.map(String),
    ),
    table(
      "Runs of characters: the place of their classes << 4 | how many follow the first; of 15 and more the rest, as a varint.",
      "uint8_t classRuns[]",
      bytes.map(String),
    ),
    table("Where to begin to look: a run's first character and its place.", "uint32_t classBlocks[][2]", blocks),
    table(
      "Capitals: the top bit where they are two apart, the first << 8 | how far the last is; distance to the small letter.",
      "struct { uint32_t run; int32_t distance; } capitalRuns[]",
      capitals(),
    ),
    table("Marks that make another letter of one.", "uint16_t marks[]", marks.map(String)),
    table(
      "Letters that have one: twice the mark's place, and 1 where it isn't the next letter but, by a varint, a later one; as a varint how far what has the mark is from the last such: twice, less 1 backwards.",
      "uint8_t composites[]",
      letters.map(String),
    ),
    table("Runs of characters that are another one in NFC: the first, how many.", "uint16_t oneRuns[][2]", runs),
    table("Those others, in the order of the runs.", "uint16_t ones[]", ones),
    table(
      "Those that are two, or beyond 16 bits.",
      "struct { uint16_t from, second; uint32_t first; } others[]",
      others,
    ),
  ].join("\n");
}

if (import.meta.main) process.stdout.write(unicodeHeader());
