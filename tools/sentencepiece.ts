/**
 * Reads the vocabulary of a Needle model from what is published: a SentencePiece `.model` or a list of its pieces.
 *
 *     .model (protobuf ModelProto)   1 pieces { 1 piece, 2 score f32, 3 type }, 2 trainer_spec, 3 normalizer_spec
 *     list, three columns            id <TAB> piece <TAB> score     one record a line
 *     list, two columns              piece <TAB> score              needle-rs's vocab.txt, the line gives the id
 *
 * Pieces stand in a list as they are, so one made of tabs or line breaks breaks the lines: a record ends at its score.
 * Source: sentencepiece_model.proto of SentencePiece 0.2; needle-rs tools/export.py.
 */

interface Entry {
  piece: string;
  score: number;
  /** Where it was read, for errors. */
  place: string;
}

const remedy = "use the vocabulary published with the model, trained as SentencePiece BPE with Needle's settings";

/**
 * Reads the pieces by id from either format, told apart by content. `name` is the file's, for errors.
 * Checks what runtime/text/tokenizer.ts relies on: BPE with byte fallback, identity normaliser, dummy prefix, and scores
 * that fall with the id.
 * Throws: Error with the byte or line at fault.
 */
export function readVocabulary(bytes: Uint8Array, name: string): string[] {
  // A ModelProto starts with the tag of `pieces`; a list with `<pad>` or its id.
  const entries = bytes[0] === 0x0a ? readModel(bytes, name) : readList(bytes, name);
  let last = Number.POSITIVE_INFINITY;
  for (const [id, { piece, score, place }] of entries.entries()) {
    if (typeOf(piece, id) !== normal) continue;
    if (!(score < last)) {
      fail(place, `a score below ${last}, that of the piece before`, `${score} for ${JSON.stringify(piece)}`);
    }
    last = score;
  }
  return entries.map((entry) => entry.piece);
}

function fail(place: string, expected: string, got: string, then = remedy): never {
  throw new Error(`${place}: expected ${expected}, got ${got}; ${then}`);
}

// Lists

/** Matches one record; the score may be Python's or C++'s rendering of a float. */
const threeColumns = /(?<id>\d+)\t(?<piece>.+?)\t(?<score>-?[\d.]+(?:e[-+]?\d+)?)(?:\r?\n|$)/sy;
const twoColumns = /(?<piece>.+?)\t(?<score>-?[\d.]+(?:e[-+]?\d+)?)(?:\r?\n|$)/sy;

function readList(bytes: Uint8Array, name: string): Entry[] {
  const text = decodeText(bytes, name, "a .model file or a vocabulary list in UTF-8");
  const record = text.startsWith("0\t<pad>\t") ? threeColumns : twoColumns;
  const columns = record === threeColumns ? "id<TAB>piece<TAB>score" : "piece<TAB>score";
  const entries: Entry[] = [];
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const place = `${name} line ${line}`;
    record.lastIndex = at;
    const { id, piece, score } = record.exec(text)?.groups ?? {};
    // A record without a score runs on into the next lines, unlike a piece that is itself white space.
    if (piece === undefined || (piece.includes("\n") && piece.trim() !== "")) {
      fail(place, columns, JSON.stringify(text.slice(at, at + 40).split("\n", 1)[0]));
    }
    if (id !== undefined && Number(id) !== entries.length) fail(place, `id ${entries.length}`, id);
    entries.push({ piece, score: Number(score), place });
    line += text.slice(at, record.lastIndex).split("\n").length - 1;
    at = record.lastIndex;
  }
  if (entries.length === 0) fail(name, "a .model file or a vocabulary list", "an empty file");
  return entries;
}

// SentencePiece models

/** Types of the pieces before the bytes: 2 unknown, 3 control, 4 user-defined. A byte piece has 6. */
const specialTypes = [3, 3, 3, 2, 4, 4];
const normal = 1;

/** Gives the type that a piece of this text and id has in a Needle vocabulary. */
function typeOf(piece: string, id: number): number {
  return specialTypes[id] ?? (/^<0x[0-9A-F]{2}>$/.test(piece) ? 6 : normal);
}

function readModel(bytes: Uint8Array, name: string): Entry[] {
  const entries: Entry[] = [];
  let trainer = new Map<number, Field>();
  let normaliser = new Map<number, Field>();
  for (const field of readFields(bytes, bytes, name)) {
    if (field.number === 2) trainer = byNumber(field, bytes, name);
    if (field.number === 3) normaliser = byNumber(field, bytes, name);
    if (field.number !== 1) continue;
    const parts = byNumber(field, bytes, name);
    const place = `${name} piece ${entries.length}`;
    const piece = decodeText(parts.get(1)?.body, place, "a piece in UTF-8");
    const score = parts.get(2)?.body;
    const type = parts.get(3)?.value ?? normal;
    const expected = typeOf(piece, entries.length);
    if (type !== expected) fail(place, `type ${expected} for ${JSON.stringify(piece)}`, `${type}`);
    entries.push({ piece, score: score?.length === 4 ? float32(score) : 0, place });
  }

  // A field that is left out has the default of sentencepiece_model.proto.
  const check = (spec: Map<number, Field>, number: number, byDefault: number, expected: number, what: string) => {
    const got = spec.get(number)?.value ?? byDefault;
    if (got !== expected) fail(name, `${what} ${expected}`, `${got}`);
  };
  check(trainer, 3, 1, 2, "trainer_spec.model_type (2 is BPE)");
  check(trainer, 35, 0, 1, "trainer_spec.byte_fallback");
  check(trainer, 24, 0, 0, "trainer_spec.treat_whitespace_as_suffix");
  check(normaliser, 3, 1, 1, "normalizer_spec.add_dummy_prefix");
  check(normaliser, 4, 1, 1, "normalizer_spec.remove_extra_whitespaces");
  check(normaliser, 5, 1, 1, "normalizer_spec.escape_whitespaces");
  // The rules count, not the name: identity has none.
  const rules = normaliser.get(2)?.body;
  if (rules?.length) {
    const named = decodeText(normaliser.get(1)?.body, name, "a normaliser's name in UTF-8");
    fail(name, 'the normaliser "identity"', `"${named}" with ${rules.length} bytes of rules`);
  }
  return entries;
}

// Protobuf, as much as a ModelProto needs

/** One field: `value` if it is a varint, `body` if it is length-delimited or of fixed size; the other is empty. */
interface Field {
  number: number;
  value: number | undefined;
  body: Uint8Array;
}

function byNumber(field: Field, file: Uint8Array, name: string): Map<number, Field> {
  return new Map([...readFields(field.body, file, name)].map((part) => [part.number, part]));
}

/** Bytes that follow a tag of wire type 1 or 5. */
const fixedSizes: Record<number, number> = { 1: 8, 5: 4 };

/** Reads the fields of one message inside the file, in order. Throws: Error with the byte offset in the file. */
function* readFields(message: Uint8Array, file: Uint8Array, name: string): Generator<Field> {
  let at = 0;
  const broken = (from: number, expected: string, got: string) => {
    const place = `${name} byte ${message.byteOffset - file.byteOffset + from}`;
    return fail(place, expected, got, "the file is cut short or damaged: fetch it again");
  };
  const varint = (): number => {
    const from = at;
    for (let value = 0, scale = 1; at < message.length && at - from < 10; scale *= 128) {
      const byte = message[at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return broken(from, "a varint of at most 10 bytes", `${at - from} bytes without its end`);
  };
  while (at < message.length) {
    const from = at;
    const tag = varint();
    const wireType = tag % 8;
    const number = Math.floor(tag / 8);
    const value = wireType === 0 ? varint() : undefined;
    if (![0, 1, 2, 5].includes(wireType)) broken(from, `field ${number} of wire type 0, 1, 2 or 5`, `${wireType}`);
    const size = wireType === 2 ? varint() : (fixedSizes[wireType] ?? 0);
    if (size > message.length - at) broken(at, `${size} bytes of field ${number}`, `${message.length - at}`);
    yield { number, value, body: message.subarray(at, at + size) };
    at += size;
  }
}

function float32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);
}

// A piece may be U+FEFF, so no byte order mark is taken off.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeText(bytes: Uint8Array | undefined, place: string, expected: string): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return fail(place, expected, "bytes that are not UTF-8");
  }
}
