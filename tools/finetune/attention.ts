/** Attention of one example and layer, forward and backward, head by head; keys and values may be shared by several heads. */
import { pad } from "../../wasm/abi.ts";
import { rightTile } from "../../wasm/train/abi.ts";
import type { Products } from "./products.ts";

/** Pointers to f32: q and out (rows, nHeads · headDim), k and v (keys, nKvHeads · headDim). */
export interface Attention {
  q: number;
  k: number;
  v: number;
  out: number;
  rows: number;
  keys: number;
  /** Row t sees its first t + 1 keys alone. */
  causal: boolean;
  /** Weights (nHeads, rows, `widthOf(keys)`), which the way back needs. */
  weights: number;
}

export interface Heads {
  nHeads: number;
  nKvHeads: number;
  headDim: number;
}

/** Width of a row of weights: whole tiles. */
export const widthOf = (keys: number): number => pad(keys, rightTile);

export function attend(products: Products, heads: Heads, a: Attention): void {
  const { kernels, arena } = products;
  const width = widthOf(a.keys);
  eachHead(heads, a, products, "forward", (head, kv) => {
    arena.within(() => {
      products.multiply(products.left(head.q, a.rows, heads.headDim, head.qStride), kv.first, head.weights, {
        stride: 4 * width,
      });
      const [length, step] = a.causal ? [1, 1] : [a.keys, 0];
      kernels.softmax(head.weights, a.rows, width, length, step, 1 / Math.sqrt(heads.headDim));
      products.multiply(products.left(head.weights, a.rows, a.keys, 4 * width), kv.second, head.out, {
        stride: head.qStride,
      });
    });
  });
}

/** What comes back: dq like q; dk and dv like k and v, added to, or 0 where nothing is trained before them. */
export interface AttentionBack {
  dout: number;
  dq: number;
  dk: number;
  dv: number;
}

export function attendBack(products: Products, heads: Heads, a: Attention, back: AttentionBack): void {
  const { kernels, arena } = products;
  const { headDim } = heads;
  const width = widthOf(a.keys);
  eachHead(heads, a, products, "backward", (head, kv) => {
    arena.within(() => {
      const [dout, dq] = [back.dout, back.dq].map((start) => start + head.offset);
      const d = arena.take(a.rows * width);
      products.multiply(products.left(dout, a.rows, headDim, head.qStride), kv.first, d, { stride: 4 * width });
      if (back.dv) {
        const turned = products.leftTurned(head.weights, a.keys, a.rows, 4 * width);
        const right = products.rightRows(dout, a.rows, headDim, head.qStride);
        products.multiply(turned, right, back.dv + kv.offset, { stride: kv.stride, accumulate: true });
      }
      kernels.softmax_back(head.weights, d, a.rows, width, 1 / Math.sqrt(headDim));
      products.multiply(products.left(d, a.rows, a.keys, 4 * width), kv.second, dq, { stride: head.qStride });
      if (back.dk) {
        const turned = products.leftTurned(d, a.keys, a.rows, 4 * width);
        const right = products.rightRows(head.q, a.rows, headDim, head.qStride);
        products.multiply(turned, right, back.dk + kv.offset, { stride: kv.stride, accumulate: true });
      }
    });
  });
}

/**
 * Runs body for each head with its keys and values as right sides: forward q · kᵀ, then w · v; backward dout · vᵀ, then ds · k.
 */
function eachHead(
  { nHeads, nKvHeads, headDim }: Heads,
  a: Attention,
  products: Products,
  way: "forward" | "backward",
  body: (
    head: { q: number; out: number; weights: number; offset: number; qStride: number },
    kv: { first: ReturnType<Products["right"]>; second: ReturnType<Products["right"]>; offset: number; stride: number },
  ) => void,
): void {
  const [qStride, stride] = [4 * nHeads * headDim, 4 * nKvHeads * headDim];
  const [one, other] = way === "forward" ? [a.k, a.v] : [a.v, a.k];
  const sharing = nHeads / nKvHeads;
  for (let kvHead = 0; kvHead < nKvHeads; kvHead++) {
    products.arena.within(() => {
      const offset = 4 * kvHead * headDim;
      const first = products.right(one + offset, a.keys, headDim, stride);
      const second = products.rightRows(other + offset, a.keys, headDim, stride);
      for (let head = kvHead * sharing; head < (kvHead + 1) * sharing; head++) {
        const at = 4 * head * headDim;
        const weights = a.weights + 4 * head * a.rows * widthOf(a.keys);
        body({ q: a.q + at, out: a.out + at, weights, offset: at, qStride }, { first, second, offset, stride });
      }
    });
  }
}
