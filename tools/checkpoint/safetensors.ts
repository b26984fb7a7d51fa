/**
 * Reads a safetensors file: the header is checked here, the data stay where they are until a tensor is asked for.
 *
 *     0        8                    8 + n                           end
 *     | u64 n  | JSON header, n B   | data: tensors without a hole  |
 *
 * Header: {"__metadata__": {string: string}, NAME: {"dtype", "shape", "data_offsets": [begin, end]}}, offsets from 8 + n.
 * Source: github.com/huggingface/safetensors, README "Format" (its checks: no overlap, no hole, at most 100 MB of header).
 */
import { FormatError } from "../../runtime/errors.ts";
import { type Dtype, rowMajor, type Tensor, UNIT_BYTES, volume } from "./tensor.ts";

const HEADER_LIMIT_BYTES = 100_000_000;

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** Parses the header bytes. Throws: FormatError for anything but a JSON object in UTF-8. */
function parseHeader(bytes: Uint8Array, path: string): Json {
  try {
    const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isObject(header)) return header;
  } catch {
    // SyntaxError, bad UTF-8, or RangeError from deep nesting: one remedy for all.
  }
  throw new FormatError(path, 8, "expected a JSON object as header, got something else; download the file again");
}

/** Checks one header entry against the data. Throws: FormatError naming the tensor. */
function parseTensor(
  name: string,
  entry: unknown,
  data: Uint8Array,
  dataOffset: number,
): Tensor & { begin: number; end: number } {
  const fail = (message: string): never => {
    throw new FormatError(name, -1, message);
  };
  if (!isObject(entry)) return fail("expected {dtype, shape, data_offsets} in the header, got no object");
  const { dtype, shape, data_offsets: range } = entry;
  if (typeof dtype !== "string" || !Object.hasOwn(UNIT_BYTES, dtype))
    return fail(
      `expected a dtype of ${Object.keys(UNIT_BYTES).join(", ")}, got ${JSON.stringify(dtype)}; convert it to BF16`,
    );
  if (!isNumbers(shape)) return fail(`expected shape to list sizes, got ${JSON.stringify(shape)}`);
  if (!isNumbers(range) || range.length !== 2) return fail(`expected two data_offsets, got ${JSON.stringify(range)}`);
  const [begin, end] = range;
  if (begin > end || end > data.length)
    return fail(`expected data_offsets within ${data.length} bytes, got [${begin}, ${end}]; is the download complete?`);
  const wanted = volume(shape) * UNIT_BYTES[dtype as Dtype];
  if (wanted !== end - begin)
    return fail(`expected ${wanted} bytes for ${dtype} [${shape.join(", ")}], got ${end - begin}`);
  const bytes = data.subarray(begin, end);
  return {
    name,
    dtype: dtype as Dtype,
    shape,
    strides: rowMajor(shape),
    bytes,
    offset: dataOffset + begin,
    begin,
    end,
  };
}

/**
 * Lists the tensors and the metadata of a safetensors file. The tensors are views of `bytes`.
 * Throws: FormatError for a truncated file, a broken header, or ranges that do not tile the data exactly; exact tiling
 * is also what makes duplicate keys and aliased tensors impossible.
 */
export function readSafetensors(
  bytes: Uint8Array,
  path: string,
): { tensors: Map<string, Tensor>; metadata: Record<string, string> } {
  if (bytes.length < 8) throw new FormatError(path, 0, `expected 8 bytes of header length, got ${bytes.length}`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length > Math.min(bytes.length - 8, HEADER_LIMIT_BYTES))
    throw new FormatError(
      path,
      0,
      `expected a header within ${bytes.length - 8} bytes, got length ${length}; is the download complete?`,
    );
  const header = parseHeader(bytes.subarray(8, 8 + length), path);

  const { __metadata__: metadata = {}, ...entries } = header;
  if (!isObject(metadata) || Object.values(metadata).some((value) => typeof value !== "string"))
    throw new FormatError(path, 8, "expected __metadata__ to map strings to strings, got other values");

  const data = bytes.subarray(8 + length);
  const found = Object.entries(entries).map(([name, entry]) => parseTensor(name, entry, data, 8 + length));
  found.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let reached = 0;
  for (const { name, begin, end, offset } of found) {
    if (begin !== reached)
      throw new FormatError(
        name,
        offset,
        `expected data to begin at ${reached}, got ${begin}; tensors overlap or leave a hole`,
      );
    reached = end;
  }
  if (reached !== data.length)
    throw new FormatError(path, 8 + length + reached, `expected ${reached} bytes of tensors, got ${data.length}`);

  const tensors = new Map<string, Tensor>();
  for (const { begin: _begin, end: _end, ...tensor } of found) tensors.set(tensor.name, tensor);
  return { tensors, metadata: metadata as Record<string, string> };
}
