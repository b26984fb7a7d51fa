/** The arguments of a call as far as they are written, piece by piece: which keys, which strings, and whether they have ended. */

/** A string that stands directly under a key or in a list there, with its quotes as far as it goes. */
interface WrittenString {
  key: string;
  text: string;
  isWhole: boolean;
  /** Of a list, its whole strings before this one. */
  before: readonly string[];
}

/** Texts are JSON, a character a byte. */
export class Arguments {
  /** In their order, with quotes. */
  keys: readonly string[] = [];
  /** Those of the last piece: begun, continued or ended by it. */
  values: WrittenString[] = [];
  /** Lists directly under a key that the last piece ended, with their whole strings. */
  ended: { key: string; items: readonly string[] }[] = [];
  isClosed = false;
  /** The whole strings of the list that was opened last directly under a key; null of an object. */
  private items: readonly string[] | null = null;
  /** Lists and objects that are open within. */
  private depth = 0;
  private isEscaped = false;
  /** The open string, of any depth; null outside. */
  private text: string | null = null;
  /** The key of what stands or comes here; null where a key does. */
  private key: string | null = null;

  /** `text`: what follows the brace of the arguments. */
  constructor(text = "") {
    this.read(text);
  }

  /** These and a piece. */
  with(piece: string): Arguments {
    const after = new Arguments();
    const { keys, items, isClosed, depth, isEscaped, text, key } = this;
    Object.assign(after, { keys, items, isClosed, depth, isEscaped, text, key });
    after.read(piece);
    return after;
  }

  /** A key that is not whole yet; null elsewhere. */
  get openKey(): string | null {
    return this.depth || this.key !== null ? null : this.text;
  }

  private read(piece: string): void {
    for (const char of piece) this.step(char);
    if (piece && this.text !== null) this.see(this.text, false);
  }

  private step(char: string): void {
    if (this.isClosed) return;
    if (this.text !== null) this.stepInString(this.text + char, char);
    else if (char === '"') this.text = char;
    else if (char === "{" || char === "[") this.open(char);
    else if (char === "}" || char === "]") this.close();
    else if (char === "," && !this.depth) this.key = null;
  }

  private open(char: string): void {
    if (!this.depth++) this.items = char === "[" ? [] : null;
  }

  private close(): void {
    const { key, items, depth } = this;
    if (depth === 1 && key !== null && items) this.ended.push({ key, items });
    this.isClosed = --this.depth < 0;
  }

  private stepInString(text: string, char: string): void {
    const isEnd = char === '"' && !this.isEscaped;
    this.isEscaped = char === "\\" && !this.isEscaped;
    this.text = isEnd ? null : text;
    if (!isEnd) return;
    if (this.key !== null) {
      this.see(text, true);
      if (this.items && this.depth === 1) this.items = [...this.items, text];
    } else if (!this.depth) {
      this.key = text;
      this.keys = [...this.keys, text];
    }
  }

  private see(text: string, isWhole: boolean): void {
    const before = this.depth === 1 ? this.items : this.depth ? null : [];
    if (before && this.key !== null) this.values.push({ key: this.key, text, isWhole, before });
  }
}
