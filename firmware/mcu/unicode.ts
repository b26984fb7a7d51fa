/**
 * Writes unicode.h: what request.c needs to know of characters, as this host's JavaScript has it.
 * bun firmware/mcu/unicode.ts > firmware/mcu/unicode.h; test/mcu.test.ts says when it is old.
 */
const mostPoint = 0x10ffff;
const classes = [/\p{L}/u, /\p{M}/u, /\p{N}/u, /\p{Lu}/u, /\p{Ll}/u, /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}]/u];

const [capital, small] = [1 << 3, 1 << 4];
const alternate = 1 << 6;

/** Points where the classes change, with their bits from there on; one for a run in which capitals and small letters alternate. */
function classRanges(): string[] {
  const runs: { first: number; last: number; bits: number }[] = [];
  const bitsOf = (point: number) => {
    const char = String.fromCodePoint(point);
    return classes.reduce((sum, kind, i) => sum | (kind.test(char) ? 1 << i : 0), 0);
  };
  for (let point = 0; point <= mostPoint; point++) {
    const bits = bitsOf(point);
    const run = runs.at(-1) ?? { first: 0, last: -1, bits: 0 };
    const isOdd = (point - run.first) % 2 === 1;
    const other = run.bits ^ capital ^ small;
    if (run.bits & alternate && bits === ((isOdd ? other : run.bits) & ~alternate)) run.last = point;
    else if (bits & (capital | small) && run.first === run.last && bits === other) {
      run.bits |= alternate;
      run.last = point;
    } else if (bits === run.bits && !(run.bits & alternate)) run.last = point;
    else runs.push({ first: point, last: point, bits });
  }
  return runs.map(({ first, bits }) => `0x${((first << 8) | bits).toString(16)}`);
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

/** Pairs of characters that are one in NFC, and characters that are another in it, or two, or one beyond 16 bits. */
function normal(): { pairs: string[]; runs: string[]; ones: string[]; others: string[] } {
  const pairs: [number, number, number][] = [];
  const runs: { first: number; count: number }[] = [];
  const [ones, others]: string[][] = [[], []];
  for (let point = 0x80; point <= 0xffff; point++) {
    if (point >= 0xd800 && point < 0xe000) continue;
    const char = String.fromCodePoint(point);
    const composed = char.normalize("NFC");
    if (composed !== char) {
      const [first, second = 0] = [...composed].map((one) => one.codePointAt(0) as number);
      if (second || first > 0xffff) others.push(`{${point}, ${second}, ${first}}`);
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
  pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return {
    pairs: pairs.map((row) => `{${row.join(", ")}}`),
    runs: runs.map(({ first, count }) => `{${first}, ${count}}`),
    ones,
    others,
  };
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
  return [
    "/* Made by unicode.ts from Unicode's tables as JavaScript has them. */\n",
    table(
      "Where a range begins << 8 | its classes: 1 L, 2 M, 4 N, 8 Lu, 16 Ll, 32 scripts without spaces, 64 Lu and Ll by turns.",
      "uint32_t classRanges[]",
      classRanges(),
    ),
    table(
      "Capitals: the top bit where they are two apart, the first << 8 | how far the last is; distance to the small letter.",
      "struct { uint32_t run; int32_t distance; } capitalRuns[]",
      capitals(),
    ),
    table("A letter, a mark, and the letter that has the mark; sorted.", "uint16_t composites[][3]", pairs),
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
