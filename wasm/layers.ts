/**
 * The network's layers composed from kernels: one or two calls per layer, from any host. Meanings and shapes: `Kernels` in abi.ts.
 *
 * Rows go through in tiles: `tileRows` of them share each read of the weights, a lone one takes the narrow variant.
 */
import { blockRecord, cacheRecord, headRecord, sessionRecord } from "./abi.ts";
import type { Asm, F32, Fn, I32 } from "./asm.ts";
import { octetBytes, unseen } from "./kernels/attention.ts";
import { sigmoid } from "./kernels/exp.ts";

const i = "i32" as const;

export function layers(asm: Asm): void {
  matmulRows(asm);
  attentionRows(asm);
  headRows(asm);
  projectKv(asm);
  attend(asm);
  contrastive(asm);
  const exported = { exported: true };

  asm.func(
    "rope_table",
    { session: i, positions: i, theta: "f64" },
    (f, p) => f.call("rope_rows", field(f, p.session, "rope"), p.positions, field(f, p.session, "headDim"), p.theta),
    exported,
  );

  asm.func(
    "embed",
    { session: i, table: i, ids: i, n: i, x: i },
    (f, p) => {
      const dModel = f.i32(field(f, p.session, "dModel"));
      const vocabSize = f.i32(field(f, p.session, "vocabSize"));
      const blockBytes = f.i32(dModel.shl(2).add(16));
      const root = f.f32(dModel.toF32().sqrt());
      const x = f.i32(p.x);
      f.for(0, p.n, 1, (t) => {
        const id = f.i32(f.loadI32(p.ids.add(t.shl(2))));
        f.if(id.ge(vocabSize), () => f.trap());
        const block = f.i32(p.table.add(id.shr(2).mul(blockBytes)));
        const scale = f.f32(f.loadF32(block.add(id.and(3).shl(2))).mul(root));
        // Bytes of one row: pairs of dims, 8 bytes apart (`embeddingByte`).
        const at = f.i32(block.add(16).add(id.and(3).shl(1)));
        f.for(0, dModel, 2, () => {
          f.storeF32(x, f.loadI8(at).toF32().mul(scale));
          f.storeF32(x, f.loadI8(at, 1).toF32().mul(scale), 4);
          at.set(at.add(8));
          x.set(x.add(8));
        });
      });
    },
    exported,
  );

  asm.func(
    "encoder_kv",
    { session: i, block: i, cache: i, x: i, pos: i, n: i },
    (f, p) => f.call("project_kv", p.session, p.block, p.cache, p.x, p.pos, p.n, 1),
    exported,
  );

  asm.func(
    "encoder_attend",
    { session: i, block: i, cache: i, x: i, pos: i, n: i, keys: i, runs: i },
    (f, p) => f.call("attend", p.session, p.block, p.cache, p.x, p.pos, p.n, p.keys, 0, 1, p.runs),
    exported,
  );

  asm.func(
    "final_norm",
    { session: i, norm: i, x: i, n: i },
    (f, p) => {
      const dModel = f.i32(field(f, p.session, "dModel"));
      f.for(0, p.n, 1, () => {
        f.call("rms_norm", p.x, p.norm, dModel, p.x);
        p.x.set(p.x.add(dModel.shl(2)));
      });
    },
    exported,
  );

  asm.func(
    "cross_kv",
    { session: i, block: i, cache: i, x: i, pos: i, n: i },
    (f, p) => f.call("project_kv", p.session, p.block, p.cache, p.x, p.pos, p.n, 0),
    exported,
  );

  asm.func(
    "decoder_layer",
    { session: i, self: i, selfCache: i, cross: i, crossCache: i, x: i, pos: i, n: i, keys: i, from: i, runs: i },
    (f, p) => {
      f.call("project_kv", p.session, p.self, p.selfCache, p.x, p.pos, p.n, 1);
      const left = f.i32(p.n.sub(p.from));
      const x = f.i32(p.x.add(p.from.mul(field(f, p.session, "dModel")).shl(2)));
      const pos = f.i32(p.pos.add(p.from));
      f.call("attend", p.session, p.self, p.selfCache, x, pos, left, pos.add(1), 1, 1, 0);
      f.call("attend", p.session, p.cross, p.crossCache, x, 0, left, p.keys, 0, 0, p.runs);
    },
    exported,
  );

  asm.func(
    "logits",
    { session: i, table: i, h: i, mask: i, out: i },
    (f, p) => {
      const [q, qScale, dModel] = ["q", "qScale", "dModel"].map((name) => f.i32(field(f, p.session, name)));
      f.call("quantize_query", p.h, dModel, q, asm.eachBytes, qScale, 0);
      f.call("logit_rows", p.table, q, qScale, dModel, field(f, p.session, "vocabSize"), p.mask, p.out);
    },
    exported,
  );
}

/** Reads a field of the session record; `cacheField` and `blockField` likewise. */
function field(f: Fn, session: I32, name: string): I32 {
  return f.loadI32(session, 4 * sessionRecord.indexOf(name as (typeof sessionRecord)[number]));
}
function blockField(f: Fn, block: I32, name: (typeof blockRecord)[number]): I32 {
  return f.loadI32(block, 4 * blockRecord.indexOf(name));
}
function cacheField(f: Fn, cache: I32, name: (typeof cacheRecord)[number]): I32 {
  return f.loadI32(cache, 4 * cacheRecord.indexOf(name));
}

/** matmul_rows(session, w, inputs, outputs, y, yStride, rows, gain, add): y (+)= gain · a · wᵀ for the session's rows in `a`. */
function matmulRows(asm: Asm): void {
  const params = { session: i, w: i, inputs: i, outputs: i, y: i, yStride: i, rows: i, gain: "f32", add: i } as const;
  asm.func("matmul_rows", params, (f, p) => {
    const a = f.i32(field(f, p.session, "a"));
    const outputs = f.i32(p.outputs.add(7).and(-8));
    forRows(f, p.rows, (rows) =>
      f.call(`matmul_${rows}`, p.w, a, p.inputs.add(31).shr(5), outputs, p.y, p.yStride, p.gain, p.add),
    );
  });
}

/** Emits a call of the variant for a number of rows. */
function forRows(f: Fn, rows: I32, call: (rows: number) => void): void {
  const choose = ([variant, ...rest]: readonly number[]): void =>
    rest.length
      ? f.if(
          rows.eq(variant),
          () => call(variant),
          () => choose(rest),
        )
      : call(variant);
  choose(f.asm.rowVariants);
}

/**
 * attention_rows(session, cache, head, rows, count, keys, step, stride, runs): one query head of a tile, from `q` to its
 * place in `att`, rows `stride` bytes apart. Rows may as well be those heads, from `head` on, that share a KV head.
 * Row t sees the first keys + t · step of its own cache and all that the runs hold, scores and value scales side by side,
 * each cache's up to whole octets of keys.
 */
function attentionRows(asm: Asm): void {
  const params = { session: i, cache: i, head: i, rows: i, count: i, keys: i, step: i, stride: i, runs: i } as const;
  asm.func("attention_rows", params, (f, p) => {
    const get = (name: string) => f.i32(field(f, p.session, name));
    const [headDim, scores, probs, pScale, vScales] = ["headDim", "scores", "p", "pScale", "vScale"].map(get);
    const scoreStride = f.i32(get("keyCapacity").shl(2));
    // GQA: query head h uses KV head floor(h / (heads / kv heads)).
    const kvHead = f.i32(p.head.mul(get("nKvHeads")).div(get("nHeads")));
    const [q, qScale] = queryPlace(f, p.session, p.head, p.rows).map((place) => f.i32(place));
    const out = f.i32(get("att").add(p.head.mul(headDim).shl(2)));
    const caches = f.i32(1);
    f.if(p.runs, () => caches.set(f.loadI32(p.runs).add(1)));
    /** Bytes of scores before those of the cache at hand. */
    const at = f.i32(0);

    /** The own cache first, then each run: `body` gets a cache's record and the bytes of its scores. */
    const each = (body: (cache: I32, keys: I32, step: I32, bytes: I32) => void) => {
      at.set(0);
      const [cache, keys, step] = [f.i32(p.cache), f.i32(p.keys), f.i32(p.step)];
      f.for(0, caches, 1, (run) => {
        f.if(run, () => {
          cache.set(f.loadI32(p.runs.add(run.shl(2))));
          keys.set(cacheField(f, cache, "keys"));
          step.set(0);
        });
        const bytes = f.i32(octetBytes(keys.add(step.mul(p.count.sub(1)))));
        body(cache, keys, step, bytes);
        at.set(at.add(bytes));
      });
    };
    each((cache, keys, step, bytes) => {
      const [k, kScale, vScale, capacity] = (["k", "kScale", "vScale", "capacity"] as const).map((name) =>
        f.i32(cacheField(f, cache, name)),
      );
      const first = f.i32(kvHead.mul(capacity));
      const row = f.i32(scores.add(at));
      const keyAt = f.i32(k.add(first.mul(headDim).shl(1)));
      forRows(f, p.rows, (rows) =>
        f.call(`scores_${rows}`, q, qScale, keyAt, kScale.add(first.shl(2)), headDim, bytes, row, scoreStride),
      );
      const from = f.i32(vScale.add(first.shl(2)));
      f.for(0, bytes, 16, (j) => f.storeF4(vScales.add(at).add(j), f.loadF4(from.add(j))));
      f.for(0, p.count, 1, (t) => {
        f.for(keys.add(t.mul(step)).shl(2), bytes, 4, (j) => f.storeF32(row.add(j), unseen));
        row.set(row.add(scoreStride));
      });
    });
    const eachRow = f.i32(p.rows.mul(asm.eachBytes));
    f.for(0, p.count, 1, (t) => {
      const [row, to] = [scores.add(t.mul(scoreStride)), probs.add(t.mul(asm.eachBytes))];
      f.call("softmax", row, at, vScales, to, eachRow, pScale.add(t.shl(2)));
    });
    each((cache, _, __, bytes) => {
      const [v, capacity] = (["v", "capacity"] as const).map((name) => f.i32(cacheField(f, cache, name)));
      const weights = f.i32(probs.add(at.shr(3).mul(eachRow)));
      const valueAt = f.i32(v.add(kvHead.mul(capacity).mul(headDim).shl(1)));
      forRows(f, p.rows, (rows) =>
        f.call(`values_${rows}`, weights, pScale, valueAt, capacity.shl(3), headDim, bytes, out, p.stride, at),
      );
    });
  });
}

/** Places in `q` and `qScale` of a query head, in tiles of so many rows. */
function queryPlace(f: Fn, session: I32, head: I32, rows: I32): [q: I32, qScale: I32] {
  const first = f.i32(head.mul(rows));
  const bytes = field(f, session, "headDim").mul(f.asm.eachBytes / 2);
  return [field(f, session, "q").add(first.mul(bytes)), field(f, session, "qScale").add(first.shl(2))];
}

/** head_row(session, x, norm, pos, rotate): head norm, then RoPE at `pos` where positions apply, of one head in place. */
function headRows(asm: Asm): void {
  asm.func("head_row", { session: i, x: i, norm: i, pos: i, rotate: i }, (f, p) => {
    const headDim = f.i32(field(f, p.session, "headDim"));
    f.call("rms_norm", p.x, p.norm, headDim, p.x);
    f.if(p.rotate, () => f.call("rope", p.x, field(f, p.session, "rope").add(p.pos.mul(headDim).shl(2)), headDim));
  });
}

/** Loops over tiles of n rows. `rows` is what the kernels compute, `count` how many of them are meant. */
function tiles(f: Fn, n: I32, body: (tile: { start: I32; rows: I32; count: I32 }) => void): void {
  const start = f.i32(0);
  f.doWhile(
    () => {
      const rows = f.i32(1);
      for (const variant of f.asm.rowVariants.slice(1)) {
        // A row of a variant costs less than one of the variant before, so that three take a tile of four.
        f.if(f.const32(variant / 2).lt(n.sub(start)), () => rows.set(variant));
      }
      const count = f.i32(rows.min(f.i32(n.sub(start))));
      body({ start, rows, count });
      start.set(start.add(count));
    },
    () => start.lt(n),
  );
}

/** Quantises `count` rows of `width` floats, `stride` bytes apart, into the session's `a`. */
function quantizeTile(f: Fn, session: I32, x: I32, width: I32, stride: I32, rows: I32, count: I32): void {
  const a = f.i32(field(f, session, "a"));
  f.for(0, count, 1, (t) => {
    f.call("quantize", x.add(t.mul(stride)), width, rows, a.add(t.mul(f.asm.eachBytes)));
  });
}

/** Norms `count` rows of x (norm 0: as they are) and quantises them; uses `y` on the way. */
function normTile(f: Fn, session: I32, x: I32, norm: I32, rows: I32, count: I32): void {
  const dModel = f.i32(field(f, session, "dModel"));
  const stride = f.i32(dModel.shl(2));
  const from = f.i32(x);
  f.if(norm, () => {
    from.set(field(f, session, "y"));
    f.for(0, count, 1, (t) => f.call("rms_norm", x.add(t.mul(stride)), norm, dModel, from.add(t.mul(stride))));
  });
  quantizeTile(f, session, from, dModel, stride, rows, count);
}

/** project_kv(session, block, cache, x, pos, n, own): K and V of n rows at positions pos…; `own`: with the block's norm and RoPE. */
function projectKv(asm: Asm): void {
  asm.func("project_kv", { session: i, block: i, cache: i, x: i, pos: i, n: i, own: i }, (f, p) => {
    const get = (name: string) => f.i32(field(f, p.session, name));
    const [headDim, dModel, y, nKvHeads] = ["headDim", "dModel", "y", "nKvHeads"].map(get);
    const [k, v, kScale, vScale, capacity, , most] = cacheRecord.map((name) => f.i32(cacheField(f, p.cache, name)));
    const mostValue = f.i32(2047);
    f.if(most, () => mostValue.set(most));
    const width = f.i32(nKvHeads.mul(headDim));
    const yStride = f.i32(get("yWidth").shl(2));
    const norm = f.i32(0);
    f.if(p.own, () => norm.set(blockField(f, p.block, "norm")));
    tiles(f, p.n, ({ start, rows, count }) => {
      normTile(f, p.session, p.x.add(start.mul(dModel).shl(2)), norm, rows, count);
      for (const [name, each] of [["wk", storeKey] as const, ["wv", storeValue] as const]) {
        const one = f.constF32(1);
        f.call("matmul_rows", p.session, blockField(f, p.block, name), dModel, width, y, yStride, rows, one, 0);
        f.for(0, count, 1, (t) => {
          const pos = f.i32(p.pos.add(start).add(t));
          const x = f.i32(y.add(t.mul(yStride)));
          f.for(0, nKvHeads, 1, (head) => {
            each(pos, x, f.i32(head.mul(capacity).mul(headDim).shl(1)), f.i32(head.mul(capacity).add(pos).shl(2)));
            x.set(x.add(headDim.shl(2)));
          });
        });
      }
    });

    function storeKey(pos: I32, x: I32, headBytes: I32, scaleAt: I32): void {
      f.call("head_row", p.session, x, blockField(f, p.block, "kNorm"), pos, p.own);
      const at = k.add(headBytes).add(pos.shr(2).mul(headDim).shl(3)).add(pos.and(3).shl(2));
      f.call("quantize_key", x, headDim, at, 16, kScale.add(scaleAt), most);
    }
    function storeValue(pos: I32, x: I32, headBytes: I32, scaleAt: I32): void {
      const at = v.add(headBytes).add(pos.shr(1).shl(4)).add(pos.and(1).shl(1));
      f.call("quantize_value", x, headDim, at, capacity.shl(3), vScale.add(scaleAt), mostValue);
    }
  });
}

/**
 * attend(session, block, cache, x, pos, n, keys, step, rotate, runs): x += sigmoid(gate) · Attention(Norm(x), cache) for n
 * rows; row t sees the first keys + t · step positions of the cache. With runs, step is 0.
 */
function attend(asm: Asm): void {
  const rows = { session: i, block: i, cache: i, x: i, pos: i, n: i } as const;
  asm.func("attend", { ...rows, keys: i, step: i, rotate: i, runs: i }, (f, p) => {
    const get = (name: string) => f.i32(field(f, p.session, name));
    const [headDim, dModel, y, nHeads, att] = ["headDim", "dModel", "y", "nHeads", "att"].map(get);
    const sharing = f.i32(nHeads.div(field(f, p.session, "nKvHeads")));
    const width = f.i32(nHeads.mul(headDim));
    const yStride = f.i32(get("yWidth").shl(2));
    const xStride = f.i32(dModel.shl(2));
    const gain: F32 = f.f32(sigmoid(f, f.f32(f.loadF32(blockField(f, p.block, "gate")))));
    tiles(f, p.n, ({ start, rows, count }) => {
      const x = f.i32(p.x.add(start.mul(xStride)));
      normTile(f, p.session, x, f.i32(blockField(f, p.block, "norm")), rows, count);
      f.call("matmul_rows", p.session, blockField(f, p.block, "wq"), dModel, width, y, yStride, rows, f.constF32(1), 0);
      // Query heads that share a KV head go through attention together where the tile is one row, to read it once.
      const [heads, stride, step] = [f.i32(1), f.i32(yStride), f.i32(p.step)];
      f.if(rows.eq(1), () => {
        for (const variant of asm.rowVariants) f.if(sharing.eq(variant), () => heads.set(variant));
        stride.set(headDim.shl(2));
        step.set(0);
      });
      const [lanes, meant] = [f.i32(rows.mul(heads)), f.i32(count.mul(heads))];
      f.for(0, nHeads, heads, (head) => {
        const [at, scaleAt] = queryPlace(f, p.session, head, lanes).map((place) => f.i32(place));
        const row = f.i32(y.add(head.mul(headDim).shl(2)));
        f.for(0, meant, 1, (t) => {
          // One of a tile's rows and of a row's heads goes on, the other stays.
          const pos = f.i32(p.pos.add(start));
          f.if(heads.eq(1), () => pos.set(pos.add(t)));
          f.call("head_row", p.session, row, blockField(f, p.block, "qNorm"), pos, p.rotate);
          f.call("quantize_query", row, headDim, at, lanes.mul(asm.eachBytes), scaleAt, 0);
          row.set(row.add(stride));
          at.set(at.add(asm.eachBytes));
          scaleAt.set(scaleAt.add(4));
        });
        const keys = p.keys.add(p.step.mul(start));
        f.call("attention_rows", p.session, p.cache, head, lanes, meant, keys, step, stride, p.runs);
      });
      quantizeTile(f, p.session, att, width, yStride, rows, count);
      f.call("matmul_rows", p.session, blockField(f, p.block, "wo"), width, dModel, x, xStride, rows, gain, 1);
    });
  });
}

/** See `Kernels.contrastive`. Error: ≤ 1e-2 against the float64 reference (test/kernels.test.ts). Source: spec, contrastive head. */
function contrastive(asm: Asm): void {
  asm.func(
    "contrastive",
    { session: i, head: i, x: i, n: i, out: i },
    (f, p) => {
      const [hidden, bias, proj, hiddenDim, outDim] = headRecord.map((_, index) => f.i32(f.loadI32(p.head, 4 * index)));
      const get = (name: string) => f.i32(field(f, p.session, name));
      const [dModel, y, att] = ["dModel", "y", "att"].map(get);
      const stride = f.i32(dModel.shl(2));
      // Mean over the rows, in y.
      const share = f.f4(f.splatF(f.f32(f.constF32(1).div(p.n.toF32()))));
      f.for(0, stride, 16, (at) => {
        const sum = f.f4(f.splatF(0));
        f.for(0, p.n, 1, (t) => sum.set(sum.add(f.loadF4(p.x.add(at).add(t.mul(stride))))));
        f.storeF4(y.add(at), sum.mul(share));
      });
      quantizeTile(f, p.session, y, dModel, f.const32(0), f.const32(1), f.const32(1));
      f.call("matmul_rows", p.session, hidden, dModel, hiddenDim, y, 0, 1, f.constF32(1), 0);
      // ReLU(· + bias), then zeros up to a whole group.
      f.for(0, hiddenDim, 1, (n) => {
        const at = n.shl(2);
        f.storeF32(
          y.add(at),
          f
            .loadF32(y.add(at))
            .add(f.loadF32(bias.add(at)))
            .max(0),
        );
      });
      const width = f.i32(hiddenDim.add(31).and(-32));
      f.for(hiddenDim, width, 1, (n) => f.storeF32(y.add(n.shl(2)), 0));
      quantizeTile(f, p.session, y, width, f.const32(0), f.const32(1), f.const32(1));
      f.call("matmul_rows", p.session, proj, width, outDim, att, 0, 1, f.constF32(1), 0);
      const squares = f.f32(0);
      const at = (n: I32) => att.add(n.shl(2));
      f.for(0, outDim, 1, (n) => {
        const value = f.f32(f.loadF32(at(n)));
        squares.set(squares.add(value.mul(value)));
      });
      const inverse = f.f32(f.constF32(1).div(squares.add(1e-12).sqrt()));
      f.for(0, outDim, 1, (n) => f.storeF32(p.out.add(n.shl(2)), f.loadF32(at(n)).mul(inverse)));
    },
    { exported: true },
  );
}
