import { pad, sessionRecord } from "../../wasm/abi.ts";
import type { Host } from "./host.ts";
import { writeWords } from "./memory.ts";
import type { TablePart } from "./modelplan.ts";
import type { Scratch } from "./sessionplan.ts";

/** x[t] = E[ids[t]] · √dModel: embeds ids (n) into x f32 (n, dModel), from the parts of the table that hold them. */
export async function embed(
  { kernels, memory, layout, session, walk }: Host<Scratch>,
  ids: readonly number[],
  x: number,
) {
  const parts = layout.table.filter((part) => ids.some((id) => holds(part, id)));
  await walk(unitsOf(parts), (table, i) => {
    const part = parts[i];
    const rows = new Uint32Array(memory.buffer, session.ids, ids.length);
    for (let start = 0; start < ids.length; start++) {
      let end = start;
      for (; end < ids.length && holds(part, ids[end]); end++) rows[end] = ids[end] - part.startRow;
      if (end === start) continue;
      const [from, to] = [session.ids + 4 * start, x + 4 * start * session.dModel];
      kernels.embed(session.record, table, from, end - start, to);
      start = end;
    }
  });
}

/**
 * Leaves the logits (vocabSize) of a normed hidden state, from the parts of the table that the mask (a bitset, null for all)
 * allows rows of; the other rows are −Infinity.
 */
export async function multiplyTable(
  { kernels, memory, layout, session, walk }: Host,
  hidden: number,
  mask: Uint32Array | null,
  vocabSize: number,
): Promise<void> {
  if (mask) new Uint32Array(memory.buffer, session.mask, mask.length).set(mask);
  const parts = layout.table.filter((part) => !mask || allows(mask, part));
  if (parts.length < layout.table.length)
    logitsIn({ memory, session }, pad(vocabSize, 4)).fill(Number.NEGATIVE_INFINITY);
  const limit = session.record + 4 * sessionRecord.indexOf("vocabSize");
  await walk(unitsOf(parts), (table, i) => {
    const { startRow, rows } = parts[i];
    // A part is a table of its own; its rows' bits begin with a word.
    writeWords(memory, [[limit, rows]]);
    const bits = mask ? session.mask + startRow / 8 : 0;
    kernels.logits(session.record, table, hidden, bits, session.logits + 4 * startRow);
    writeWords(memory, [[limit, vocabSize]]);
  });
}

/** The logits that were left. Memory may grow during any await, which takes the view away. */
export const logitsIn = ({ memory, session }: Pick<Host, "memory" | "session">, vocabSize: number) =>
  new Float32Array(memory.buffer, session.logits, vocabSize);

function holds({ startRow, rows }: TablePart, id: number): boolean {
  return id >= startRow && id < startRow + rows;
}

function allows(mask: Uint32Array, { startRow, rows }: TablePart): boolean {
  return mask.subarray(startRow >> 5, (startRow + rows + 31) >> 5).some((word) => word !== 0);
}

function unitsOf(parts: TablePart[]): string[] {
  return parts.map(({ unit }) => unit);
}
