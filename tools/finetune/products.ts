/** Products of matrices in linear memory, whatever way they lie: packed into panels, then multiplied. */
import { pad } from "../../wasm/abi.ts";
import { leftTile, rightTile, type TrainKernels } from "../../wasm/train/abi.ts";
import type { Arena } from "./arena.ts";

/** One side of a product as panels: `rows` of the left or columns of the right, `depth` long. */
export interface Panels {
  at: number;
  rows: number;
  depth: number;
}

export class Products {
  constructor(
    readonly kernels: TrainKernels,
    readonly arena: Arena,
  ) {}

  /** x (rows, depth) as the left side; rows of it `stride` bytes apart. */
  left(x: number, rows: number, depth: number, stride: number): Panels {
    return this.pack(x, rows, depth, stride, 4, leftTile);
  }

  /** xᵀ as the left side, x (depth, rows). */
  leftTurned(x: number, rows: number, depth: number, stride: number): Panels {
    return this.pack(x, rows, depth, 4, stride, leftTile);
  }

  /** wᵀ as the right side, w (columns, depth): the way weights (out, in) meet inputs. */
  right(w: number, columns: number, depth: number, stride: number): Panels {
    return this.pack(w, columns, depth, stride, 4, rightTile);
  }

  /** x (depth, columns) as the right side. */
  rightRows(x: number, depth: number, columns: number, stride: number): Panels {
    return this.pack(x, columns, depth, 4, stride, rightTile);
  }

  /** c (a.rows, b.rows) = or += a · b. */
  multiply(a: Panels, b: Panels, c: number, { stride, accumulate = false }: { stride: number; accumulate?: boolean }) {
    if (a.depth !== b.depth) throw new Error(`multiply: expected sides of one depth, got ${a.depth} and ${b.depth}`);
    this.kernels.gemm(a.at, b.at, c, a.rows, b.rows, a.depth, stride, Number(accumulate));
  }

  /** Packs again what lies at x, into panels made before. */
  repack(panels: Panels, x: number, rowStride: number, columnStride: number): void {
    this.kernels.pack(x, panels.rows, panels.depth, rowStride, columnStride, rightTile, panels.at);
  }

  private pack(x: number, rows: number, depth: number, rowStride: number, columnStride: number, tile: number): Panels {
    const at = this.arena.take(pad(rows, tile) * depth);
    this.kernels.pack(x, rows, depth, rowStride, columnStride, tile, at);
    return { at, rows, depth };
  }
}
