/** Seeded choices. Equal seeds choose equally in every JavaScript engine: 32-bit integer arithmetic only. */

/** Source: sfc32, Chris Doty-Humphrey, PractRand; seeded by two words and stirred. */
export class Random {
  private a: number;
  private b: number;
  private c = 0x9e3779b9;
  private counter = 1;

  /** One stream for each pair, so that example i is the same however many are made. */
  constructor(seed: number, index = 0) {
    this.a = seed >>> 0;
    this.b = index >>> 0;
    for (let i = 0; i < 12; i++) this.next();
  }

  /** Uniform in [0, 1). */
  next(): number {
    const t = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + t;
    this.c |= 0;
    return (t >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** An integer in [least, most]. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)];
  }

  /** Picks a key in proportion to its weight. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    let total = 0;
    for (const key in weights) total += weights[key];
    let left = this.next() * total;
    let last: K | undefined;
    for (const key in weights) {
      last = key;
      left -= weights[key];
      if (left < 0) break;
    }
    return last as K;
  }

  shuffled<T>(list: readonly T[]): T[] {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.between(0, i);
      [out[i], out[j]] = [out[j], out[i]];
    }
    return out;
  }

  /** Up to `count` different elements. */
  some<T>(list: readonly T[], count: number): T[] {
    const rest = [...list];
    const taken = Math.min(count, rest.length);
    for (let i = 0; i < taken; i++) {
      const j = this.between(i, rest.length - 1);
      [rest[i], rest[j]] = [rest[j], rest[i]];
    }
    return rest.slice(0, taken);
  }
}
