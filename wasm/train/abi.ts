/**
 * What the training module and its host agree on. All numbers are float32 in linear memory, pointers byte offsets at
 * multiples of 16, strides and counts as said. The module holds no model facts and shares nothing with the runtime's.
 */

/** Rows of one panel of a product's left side, and columns of one of its right side. */
export const [leftTile, rightTile] = [4, 8];

/** The exports. Widths of vectors are multiples of 4. */
export interface TrainKernels {
  /**
   * Writes a matrix (rows, cols) at src, strides in bytes, as panels of `tile` rows: dst (⌈rows/tile⌉, cols, tile), zeros
   * where there is no row.
   */
  pack(src: number, rows: number, cols: number, rowStride: number, colStride: number, tile: number, dst: number): void;
  /**
   * c (m, n) = a · b, or c += a · b with `accumulate`; a packed as m rows of k in tiles of 4, b as n rows of k (its columns) in
   * tiles of 8. Rows of c are `stride` bytes apart; up to the next whole tile its rows and columns are written too.
   */
  gemm(a: number, b: number, c: number, m: number, n: number, k: number, stride: number, accumulate: number): void;
  /** y[t] = (1 + g) · x[t] / √(mean(x[t]²) + 1e-6) for t < rows of n. */
  norm(x: number, g: number, y: number, rows: number, n: number): void;
  /** Of y = norm(x): dx += , dg += , given dy. */
  norm_back(x: number, g: number, dy: number, dx: number, dg: number, rows: number, n: number): void;
  /**
   * Rotates x (rows, heads, headDim) in place by row `positions`[t] (u32) of table (positions, headDim: cosines, then sines); sign −1
   * rotates back. headDim / 2 is a multiple of 4.
   */
  rotate(x: number, table: number, positions: number, rows: number, heads: number, headDim: number, sign: number): void;
  /** In place: row t of s (rows, width) = softmax of scale · its first length + t · step; zeros behind. */
  softmax(s: number, rows: number, width: number, length: number, step: number, scale: number): void;
  /** Of p = softmax(scale · s): d, given as dp, becomes ds; both (rows, width). */
  softmax_back(p: number, d: number, rows: number, width: number, scale: number): void;
  /** y = x + sigmoid(gate) · o, n numbers. */
  gated(x: number, o: number, gate: number, y: number, n: number): void;
  /** Of gated: dout = sigmoid(gate) · dy; dgate += . */
  gated_back(dy: number, o: number, gate: number, dout: number, dgate: number, n: number): void;
  /**
   * Row t of logits (rows, width), `vocab` of them meant, becomes its gradient: of a · (lse − logits[target]) + b · lse², where
   * weights (rows, 2) holds a and b and targets (rows) are u32. Row t of out (rows, 2) = lse − logits[target], and 1 where the
   * target's logit is the greatest, else 0.
   */
  cross_entropy(
    logits: number,
    rows: number,
    width: number,
    vocab: number,
    targets: number,
    weights: number,
    out: number,
  ): void;
  /** y = w as group-wise int4 restores it, groups of 32 (runtime/pack/quant.ts); n is a multiple of 32. */
  fake_int4(w: number, y: number, n: number): void;
  /** y += x, n numbers. */
  add(x: number, y: number, n: number): void;
  /** Σ x², n numbers. */
  square_sum(x: number, n: number): number;
  /**
   * AdamW on n numbers: m = b1 m + (1 − b1) s g, v = b2 v + (1 − b2) (s g)², w −= rate (m c1 / (√(v c2) + 1e-8) + decay w); c1, c2 undo
   * the moments' start at zero, s scales the gradient. Source: Loshchilov and Hutter, Decoupled weight decay regularization.
   */
  adamw(
    w: number,
    g: number,
    m: number,
    v: number,
    n: number,
    s: number,
    rate: number,
    b1: number,
    b2: number,
    c1: number,
    c2: number,
    decay: number,
  ): void;
}

export const trainExports = [
  ...["pack", "gemm", "norm", "norm_back", "rotate", "softmax", "softmax_back", "gated", "gated_back"],
  ...["cross_entropy", "fake_int4", "add", "square_sum", "adamw"],
] as const;
