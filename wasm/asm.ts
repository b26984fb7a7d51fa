/**
 * Named locals, loops and lanes over binaryen.
 *
 * A value is a recipe that emits its expression each time it is used; put it in a local (`f.i32(…)`) to compute it once.
 * `F4` and `I4` are four lanes: one v128 with SIMD, four scalars without, so a kernel is written once for all builds.
 */
import binaryen from "binaryen";
import { type BuildName, memoryImport, nibbleInputs, rowVariants } from "./abi.ts";

type Ref = binaryen.ExpressionRef;
type Recipe = () => Ref;
type Int = I32 | number;
type Float = F32 | number;

/** The part of binaryen's C interface for which its JavaScript interface has no wrapper yet. */
interface Unwrapped {
  _BinaryenBinary(module: number, op: number, a: Ref, b: Ref): Ref;
  _BinaryenSIMDTernary(module: number, op: number, a: Ref, b: Ref, c: Ref): Ref;
}

/** Collects functions into one module for one build. */
export class Asm {
  readonly m = new binaryen.Module();
  readonly build: BuildName;
  /** Rows that the variants of a kernel take at once. Without vector registers the wide ones only spill. */
  readonly rowVariants: readonly number[];

  /** `onMemory`: for all but functions of registers alone. */
  constructor(build: BuildName, onMemory = true) {
    this.build = build;
    this.rowVariants = build === "scalar" ? [1] : rowVariants;
    const features = binaryen.Features;
    let set = features.MVP | features.NontrappingFPToInt | features.SignExt | features.BulkMemory;
    if (build !== "scalar") set |= features.SIMD128;
    if (this.ofBytes) set |= features.RelaxedSIMD;
    this.m.setFeatures(set);
    if (!onMemory) return;
    this.m.setMemory(1, 65536, null, []);
    this.m.addMemoryImport("0", memoryImport.module, memoryImport.base);
  }

  get vector(): boolean {
    return this.build !== "scalar";
  }

  /** Whether nibbles meet inputs as bytes, by a relaxed instruction, or both as 16-bit integers. */
  get ofBytes(): boolean {
    return this.build === "relaxed" || this.build === "dot";
  }

  /** Dot products that a run of 8 nibbles takes. */
  get steps(): number {
    return this.ofBytes ? 2 : 4;
  }

  /**
   * Bytes of a value that stands for every lane, as `storeEach…` writes it. With vectors it is written four times, so
   * that a kernel reads it with a plain load: splatting loads measured a fifth slower under Bun.
   */
  get eachBytes(): number {
    return this.vector ? 16 : 4;
  }

  /** Bytes of a group of inputs of one row (`inputBlockBytes`). */
  get inputBlockBytes(): number {
    return (1 + 4 * this.steps) * this.eachBytes;
  }

  /** Defines a function; its body returns the result, or nothing. */
  func<P extends Record<string, "i32" | "f32" | "f64">>(
    name: string,
    params: P,
    body: (f: Fn, p: { [K in keyof P]: VarOf<P[K]> }) => unknown,
    options: { exported?: boolean } = {},
  ): void {
    const kinds = Object.values(params);
    const f = new Fn(this, kinds.length);
    const vars: Record<string, unknown> = {};
    for (const [index, [key, kind]] of Object.entries(params).entries()) {
      vars[key] = kind === "i32" ? new I32Var(f, index) : kind === "f32" ? new F32Var(f, index) : new F64Var(f, index);
    }
    const result = body(f, vars as { [K in keyof P]: VarOf<P[K]> });
    if (result instanceof I32 || result instanceof F32) f.emit(result.ref());
    const type = result instanceof I32 ? binaryen.i32 : result instanceof F32 ? binaryen.f32 : binaryen.none;
    const typeOf = { i32: binaryen.i32, f32: binaryen.f32, f64: binaryen.f64 };
    this.m.addFunction(
      name,
      binaryen.createType(kinds.map((kind) => typeOf[kind])),
      type,
      f.locals,
      this.m.block(null, f.take(), type),
    );
    if (options.exported) this.m.addFunctionExport(name, name);
  }
}

type VarOf<K> = K extends "i32" ? I32Var : K extends "f32" ? F32Var : F64Var;

/** One function under construction. */
export class Fn {
  readonly locals: binaryen.Type[] = [];
  readonly m: binaryen.Module;
  private statements: Ref[] = [];
  private labels = 0;

  constructor(
    readonly asm: Asm,
    private readonly paramCount: number,
  ) {
    this.m = asm.m;
  }

  emit(ref: Ref): void {
    this.statements.push(ref);
  }

  take(): Ref[] {
    return this.statements.splice(0);
  }

  newLocal(type: binaryen.Type): number {
    return this.paramCount + this.locals.push(type) - 1;
  }

  // Locals.
  i32(value: Int): I32Var {
    const v = new I32Var(this, this.newLocal(binaryen.i32));
    v.set(value);
    return v;
  }
  f32(value: Float): F32Var {
    const v = new F32Var(this, this.newLocal(binaryen.f32));
    v.set(value);
    return v;
  }
  f64(value: F64 | number): F64Var {
    const v = new F64Var(this, this.newLocal(binaryen.f64));
    v.set(value);
    return v;
  }
  f4(value: F4): F4Var {
    const v = new F4Var(
      this,
      value.lanes.map(() => this.newLocal(this.asm.vector ? binaryen.v128 : binaryen.f32)),
    );
    v.set(value);
    return v;
  }
  i4(value: I4): I4Var {
    const v = new I4Var(
      this,
      value.lanes.map(() => this.newLocal(this.asm.vector ? binaryen.v128 : binaryen.i32)),
    );
    v.set(value);
    return v;
  }
  /** Holds pairs of 16-bit integers in locals, to use them for several rows. */
  pairs(value: Pairs): Pairs {
    const type = this.asm.vector ? binaryen.v128 : binaryen.i32;
    return new Pairs(
      value.parts.map((part) => {
        const index = this.newLocal(type);
        this.emit(this.m.local.set(index, part()));
        return () => this.m.local.get(index, type);
      }),
    );
  }

  // Constants and lane constructors.
  const32(n: number): I32 {
    return new I32(this, () => this.m.i32.const(n));
  }
  constF32(n: number): F32 {
    return new F32(this, () => this.m.f32.const(n));
  }
  splatF(value: Float): F4 {
    const x = typeof value === "number" ? this.constF32(value) : value;
    return new F4(this, this.asm.vector ? [() => this.m.f32x4.splat(x.ref())] : [x.ref, x.ref, x.ref, x.ref]);
  }
  splatI(value: Int): I4 {
    const x = typeof value === "number" ? this.const32(value) : value;
    return new I4(this, this.asm.vector ? [() => this.m.i32x4.splat(x.ref())] : [x.ref, x.ref, x.ref, x.ref]);
  }

  // Memory. `offset` is a constant number of bytes.
  loadI32(p: I32, offset = 0): I32 {
    return new I32(this, () => this.m.i32.load(offset, 4, p.ref()));
  }
  loadI8(p: I32, offset = 0): I32 {
    return new I32(this, () => this.m.i32.load8_s(offset, 1, p.ref()));
  }
  loadF32(p: I32, offset = 0): F32 {
    return new F32(this, () => this.m.f32.load(offset, 4, p.ref()));
  }
  storeF32(p: I32, value: Float, offset = 0): void {
    const x = typeof value === "number" ? this.constF32(value) : value;
    this.emit(this.m.f32.store(offset, 4, p.ref(), x.ref()));
  }
  storeI32(p: I32, value: Int, offset = 0): void {
    const x = typeof value === "number" ? this.const32(value) : value;
    this.emit(this.m.i32.store(offset, 4, p.ref(), x.ref()));
  }
  loadF4(p: I32, offset = 0): F4 {
    if (this.asm.vector) return new F4(this, [() => this.m.v128.load(offset, 4, p.ref())]);
    return new F4(
      this,
      [0, 4, 8, 12].map((o) => () => this.m.f32.load(offset + o, 4, p.ref())),
    );
  }
  storeF4(p: I32, x: F4, offset = 0): void {
    if (this.asm.vector) this.emit(this.m.v128.store(offset, 4, p.ref(), x.lanes[0]()));
    else for (const [i, lane] of x.lanes.entries()) this.emit(this.m.f32.store(offset + 4 * i, 4, p.ref(), lane()));
  }
  loadI4(p: I32): I4 {
    if (this.asm.vector) return new I4(this, [() => this.m.v128.load(0, 4, p.ref())]);
    return new I4(
      this,
      [0, 4, 8, 12].map((o) => () => this.m.i32.load(o, 4, p.ref())),
    );
  }
  storeI4(p: I32, x: I4): void {
    if (this.asm.vector) this.emit(this.m.v128.store(0, 4, p.ref(), x.lanes[0]()));
    else for (const [i, lane] of x.lanes.entries()) this.emit(this.m.i32.store(4 * i, 4, p.ref(), lane()));
  }
  /** A value for every lane (`eachBytes`). */
  storeEachF(p: I32, value: F32, offset = 0): void {
    if (this.asm.vector) this.storeF4(p, this.splatF(value), offset);
    else this.storeF32(p, value, offset);
  }
  storeEachI(p: I32, value: I32, offset = 0): void {
    if (this.asm.vector) this.emit(this.m.v128.store(offset, 4, p.ref(), this.splatI(value).lanes[0]()));
    else this.storeI32(p, value, offset);
  }
  loadEachF(p: I32, offset = 0): F4 {
    if (this.asm.vector) return this.loadF4(p, offset);
    return this.splatF(this.f32(this.loadF32(p, offset)));
  }
  loadEachI(p: I32, offset = 0): I4 {
    if (this.asm.vector) return new I4(this, [() => this.m.v128.load(offset, 4, p.ref())]);
    return this.splatI(this.i32(this.loadI32(p, offset)));
  }
  /** Stores lanes 0, 1 as a pair of i16 at p, lanes 2, 3 at p + stride. */
  storePairs(p: I32, stride: I32, x: I4): void {
    if (this.asm.vector) {
      const narrow = once(this, () => this.m.i16x8.narrow_i32x4_s(x.lanes[0](), x.lanes[0]()));
      this.emit(this.m.v128.store32_lane(0, 4, 0, p.ref(), narrow()));
      this.emit(this.m.v128.store32_lane(0, 4, 1, p.add(stride).ref(), narrow()));
      return;
    }
    for (const [i, at] of [p, p, p.add(stride), p.add(stride)].entries()) {
      this.emit(this.m.i32.store16((i & 1) * 2, 2, at.ref(), x.lanes[i]()));
    }
  }
  /** Stores the low 16 bits of lanes 0, 1 as a pair for every lane at p, those of lanes 2, 3 at p + stride. */
  storeEachPairs(p: I32, stride: I32, x: I4): void {
    if (!this.asm.vector) {
      this.storePairs(p, stride, x);
      return;
    }
    const lanes = once(this, x.lanes[0]);
    for (const [i, at] of [p, p.add(stride)].entries())
      this.storeShuffled(
        at,
        lanes,
        [0, 1, 4, 5].map((b) => 8 * i + b),
      );
  }
  /**
   * Stores a run of 8 inputs of one row, −127 … 127, for every lane: as many pieces as `steps`, `stride` bytes apart, in
   * the order of the nibbles that they meet (`nibbleInputs`).
   */
  storeRun(p: I32, stride: I32, low: I4, high: I4): void {
    const { asm, m } = this;
    if (!asm.vector) {
      this.storePairs(p, stride, low);
      this.storePairs(p.add(stride.shl(1)), stride, high);
      return;
    }
    const narrow = once(this, () => m.i16x8.narrow_i32x4_s(low.lanes[0](), high.lanes[0]()));
    const bytes = asm.ofBytes
      ? range(2).map((s) => nibbleInputs.map((pair) => 2 * pair[s]))
      : range(4).map((s) => range(4).map((b) => 4 * s + b));
    for (const [s, pattern] of bytes.entries()) this.storeShuffled(p.add(stride.mul(s)), narrow, pattern);
  }
  /** Stores what the sums of a group of nibbles begin with, given Σ of its inputs: takes back that nibbles are unsigned. */
  storeNibbleStart(p: I32, sum: I32): void {
    const start = sum.mul(-8);
    this.storeEachI(p, this.i32(this.asm.build === "relaxed" ? start.and(0xffff) : start));
  }
  /** Stores four bytes of x four times. */
  private storeShuffled(p: I32, x: Recipe, bytes: number[]): void {
    const mask = range(16).map((b) => bytes[b & 3]);
    this.emit(this.m.v128.store(0, 4, p.ref(), this.m.i8x16.shuffle(x(), x(), mask)));
  }
  /** Stores the low 16 bits of the four lanes at p, p + 4, p + 8, p + 12. */
  storeSpread16(p: I32, x: I4): void {
    for (let i = 0; i < 4; i++) {
      if (this.asm.vector) this.emit(this.m.v128.store16_lane(4 * i, 2, 2 * i, p.ref(), x.lanes[0]()));
      else this.emit(this.m.i32.store16(4 * i, 2, p.ref(), x.lanes[i]()));
    }
  }

  // Pairs of 16-bit integers: four outputs of two inputs each, or two inputs of one row for all outputs.
  /** Four pairs as stored. */
  loadPairs(p: I32, offset = 0): Pairs {
    if (this.asm.vector) return new Pairs([() => this.m.v128.load(offset, 4, p.ref())]);
    return new Pairs(range(8).map((j) => () => this.m.i32.load16_s(offset + 2 * j, 2, p.ref())));
  }
  /** A pair (or, for `addNibbles`, a step of a run) that `storeEachPairs` or `storeRun` left for every lane. */
  loadEachPair(p: I32, offset = 0): Pairs {
    if (this.asm.vector) return this.pairs(this.loadPairs(p, offset));
    return this.pairs(new Pairs([0, 2].map((o) => () => this.m.i32.load16_s(offset + o, 2, p.ref()))));
  }
  /** The nibbles of 8 inputs of four outputs, unsigned, one `Pairs` a step (layout: `matrixBytes`). */
  loadNibbles(p: I32, mask: I4, offset = 0): Pairs[] {
    const { asm, m } = this;
    if (asm.vector) {
      const w = once(this, () => m.v128.load(offset, 4, p.ref()));
      const shifted = (bits: number): Ref => (bits ? m.i16x8.shr_u(w(), m.i32.const(bits)) : w());
      const low = (bits: number) => () => m.v128.and(shifted(bits), mask.lanes[0]());
      const parts = asm.ofBytes ? [low(0), low(4)] : [low(0), low(4), low(8), () => shifted(12)];
      return parts.map((part) => new Pairs([part]));
    }
    return [0, 4, 8, 12].map(
      (bits) =>
        new Pairs(
          range(8).map(
            (j) => () =>
              m.i32.and(m.i32.shr_u(m.i32.load16_u(offset + 2 * j, 2, p.ref()), m.i32.const(bits)), m.i32.const(15)),
          ),
        ),
    );
  }
  /**
   * Constants in registers, for a loop: V8 builds what it sees to be constant anew at each use, in three instructions on x86.
   * `zero`, which no compiler knows to be 0, keeps it from seeing.
   */
  held(zero: I32, numbers: number[]): F4[] {
    if (!this.asm.vector) return numbers.map((n) => this.splatF(n));
    return numbers.map((n) => this.f4(this.splatI(zero.add(bitsOf(n))).asF4()));
  }
  /** The mask of nibbles, likewise. */
  nibbleMask(zero: I32): I4 {
    return this.i4(this.splatI(zero.add(this.asm.ofBytes ? 0x0f0f0f0f : 0x000f000f)));
  }
  /** Scales of a block's outputs, 8 unsigned bytes, as `scaled` takes them: the first four and the others. */
  loadScales(p: I32): [I4, I4] {
    const { asm, m } = this;
    const four = (...lanes: Recipe[]) => this.i4(new I4(this, lanes));
    const scalar = (o: number) => four(...range(4).map((lane) => () => m.i32.load8_u(o + lane, 1, p.ref())));
    if (!asm.vector) return [scalar(0), scalar(4)];
    const bytes = once(this, () => m.v128.load8x8_u(0, 1, p.ref()));
    if (asm.build !== "relaxed")
      return [four(() => m.i32x4.extend_low_i16x8_u(bytes())), four(() => m.i32x4.extend_high_i16x8_u(bytes()))];
    const twice = (o: number) => range(16).map((b) => o + 2 * (b >> 2) + (b & 1));
    return [
      four(() => m.i8x16.shuffle(bytes(), bytes(), twice(0))),
      four(() => m.i8x16.shuffle(bytes(), bytes(), twice(8))),
    ];
  }
  /** 16 signed bytes as two sets of pairs. */
  loadBytes(p: I32, offset = 0): [Pairs, Pairs] {
    const { m } = this;
    if (this.asm.vector) {
      const half = (start: number) => new Pairs([() => m.v128.load8x8_s(offset + start, 4, p.ref())]);
      return [half(0), half(8)];
    }
    const half = (start: number) => new Pairs(range(8).map((j) => () => m.i32.load8_s(offset + start + j, 1, p.ref())));
    return [half(0), half(8)];
  }

  // Control.
  /** Runs the body for i = from, from + step, … while i < to (signed). */
  for(from: Int, to: Int, step: Int, body: (i: I32Var) => void): void {
    const i = this.i32(from);
    const end = typeof to === "number" ? to : this.i32(to);
    this.if(i.lt(end), () => {
      this.doWhile(
        () => {
          body(i);
          i.set(i.add(step));
        },
        () => i.lt(end),
      );
    });
  }
  /** Runs the body, then again while the condition holds. */
  doWhile(body: () => void, condition: () => I32): void {
    const label = `l${this.labels++}`;
    const outer = this.take();
    body();
    this.emit(this.m.br(label, condition().ref()));
    const inner = this.take();
    this.statements = outer;
    this.emit(this.m.loop(label, this.m.block(null, inner)));
  }
  if(condition: I32, then: () => void, otherwise?: () => void): void {
    const outer = this.take();
    then();
    const yes = this.m.block(null, this.take());
    otherwise?.();
    const no = this.take();
    this.statements = outer;
    this.emit(this.m.if(condition.ref(), yes, otherwise ? this.m.block(null, no) : undefined));
  }
  call(name: string, ...args: (I32 | F32 | F64 | number)[]): void {
    this.emit(this.m.call(name, this.args(args), binaryen.none));
  }
  private args(args: (I32 | F32 | F64 | number)[]): Ref[] {
    return args.map((arg) => (typeof arg === "number" ? this.m.i32.const(arg) : arg.ref()));
  }
  trap(): void {
    this.emit(this.m.unreachable());
  }
}

export class I32 {
  constructor(
    readonly f: Fn,
    readonly ref: Recipe,
  ) {}
  private op(name: "add" | "sub" | "mul" | "div_u" | "shl" | "shr_u" | "and" | "lt_s" | "ge_u" | "eq", o: Int): I32 {
    const { i32 } = this.f.m;
    return new I32(this.f, () => i32[name](this.ref(), typeof o === "number" ? i32.const(o) : o.ref()));
  }
  add(o: Int): I32 {
    return this.op("add", o);
  }
  sub(o: Int): I32 {
    return this.op("sub", o);
  }
  mul(o: Int): I32 {
    return this.op("mul", o);
  }
  shl(o: Int): I32 {
    return this.op("shl", o);
  }
  shr(o: Int): I32 {
    return this.op("shr_u", o);
  }
  and(o: Int): I32 {
    return this.op("and", o);
  }
  lt(o: Int): I32 {
    return this.op("lt_s", o);
  }
  /** Unsigned. */
  ge(o: Int): I32 {
    return this.op("ge_u", o);
  }
  eq(o: Int): I32 {
    return this.op("eq", o);
  }
  /** Unsigned. */
  div(o: Int): I32 {
    return this.op("div_u", o);
  }
  min(o: I32): I32 {
    return new I32(this.f, () => this.f.m.select(this.lt(o).ref(), this.ref(), o.ref()));
  }
  toF32(): F32 {
    return new F32(this.f, () => this.f.m.f32.convert_s.i32(this.ref()));
  }
}

export class I32Var extends I32 {
  constructor(
    f: Fn,
    readonly index: number,
  ) {
    super(f, () => f.m.local.get(index, binaryen.i32));
  }
  set(value: Int): void {
    this.f.emit(this.f.m.local.set(this.index, typeof value === "number" ? this.f.m.i32.const(value) : value.ref()));
  }
}

export class F32 {
  constructor(
    readonly f: Fn,
    readonly ref: Recipe,
  ) {}
  private op(name: "add" | "sub" | "mul" | "div" | "min" | "max", o: Float): F32 {
    const { f32 } = this.f.m;
    return new F32(this.f, () => f32[name](this.ref(), typeof o === "number" ? f32.const(o) : o.ref()));
  }
  add(o: Float): F32 {
    return this.op("add", o);
  }
  sub(o: Float): F32 {
    return this.op("sub", o);
  }
  mul(o: Float): F32 {
    return this.op("mul", o);
  }
  div(o: Float): F32 {
    return this.op("div", o);
  }
  min(o: Float): F32 {
    return this.op("min", o);
  }
  max(o: Float): F32 {
    return this.op("max", o);
  }
  sqrt(): F32 {
    return new F32(this.f, () => this.f.m.f32.sqrt(this.ref()));
  }
  gt(o: Float): I32 {
    const { f32 } = this.f.m;
    return new I32(this.f, () => f32.gt(this.ref(), typeof o === "number" ? f32.const(o) : o.ref()));
  }
}

export class F32Var extends F32 {
  constructor(
    f: Fn,
    readonly index: number,
  ) {
    super(f, () => f.m.local.get(index, binaryen.f32));
  }
  set(value: Float): void {
    this.f.emit(this.f.m.local.set(this.index, typeof value === "number" ? this.f.m.f32.const(value) : value.ref()));
  }
}

export class F64 {
  constructor(
    readonly f: Fn,
    readonly ref: Recipe,
  ) {}
  private op(name: "add" | "sub" | "mul" | "div", o: F64 | number): F64 {
    const { f64 } = this.f.m;
    return new F64(this.f, () => f64[name](this.ref(), typeof o === "number" ? f64.const(o) : o.ref()));
  }
  add(o: F64 | number): F64 {
    return this.op("add", o);
  }
  sub(o: F64 | number): F64 {
    return this.op("sub", o);
  }
  mul(o: F64 | number): F64 {
    return this.op("mul", o);
  }
  div(o: F64 | number): F64 {
    return this.op("div", o);
  }
  gt(o: F64 | number): I32 {
    const { f64 } = this.f.m;
    return new I32(this.f, () => f64.gt(this.ref(), typeof o === "number" ? f64.const(o) : o.ref()));
  }
  toF32(): F32 {
    return new F32(this.f, () => this.f.m.f32.demote(this.ref()));
  }
}

export class F64Var extends F64 {
  constructor(
    f: Fn,
    readonly index: number,
  ) {
    super(f, () => f.m.local.get(index, binaryen.f64));
  }
  set(value: F64 | number): void {
    this.f.emit(this.f.m.local.set(this.index, typeof value === "number" ? this.f.m.f64.const(value) : value.ref()));
  }
}

/** 1.5 · 2²³: adding it to |x| < 2²² leaves x, rounded to an integer, in the sum's low mantissa bits. */
export const roundingMagic = 12582912;

/** Four f32 lanes. */
export class F4 {
  constructor(
    readonly f: Fn,
    readonly lanes: Recipe[],
  ) {}
  private op(name: "add" | "sub" | "mul" | "div" | "min" | "max", value: F4 | number): F4 {
    const { m, asm } = this.f;
    const o = typeof value === "number" ? this.f.splatF(value) : value;
    // One instruction on x86, where f32x4.max takes eight for its NaN; none of ours decides by NaN.
    const vectorName = name === "max" ? "pmax" : name === "min" ? "pmin" : name;
    const binary = asm.vector ? m.f32x4[vectorName] : m.f32[name];
    return new F4(
      this.f,
      this.lanes.map((lane, i) => () => binary(lane(), o.lanes[i]())),
    );
  }
  add(o: F4 | number): F4 {
    return this.op("add", o);
  }
  sub(o: F4 | number): F4 {
    return this.op("sub", o);
  }
  mul(o: F4 | number): F4 {
    return this.op("mul", o);
  }
  div(o: F4 | number): F4 {
    return this.op("div", o);
  }
  max(o: F4 | number): F4 {
    return this.op("max", o);
  }
  min(o: F4 | number): F4 {
    return this.op("min", o);
  }
  sqrt(): F4 {
    const { m, asm } = this.f;
    const unary = asm.vector ? m.f32x4.sqrt : m.f32.sqrt;
    return new F4(
      this.f,
      this.lanes.map((lane) => () => unary(lane())),
    );
  }
  /** Four values, each in all four lanes. */
  spread(): [F4, F4, F4, F4] {
    const { m, asm } = this.f;
    const lane = (i: number): Recipe => {
      if (!asm.vector) return this.lanes[i];
      const bytes = range(16).map((b) => 4 * i + (b & 3));
      return () => m.i8x16.shuffle(this.lanes[0](), this.lanes[0](), bytes);
    };
    const splat = (i: number) => new F4(this.f, asm.vector ? [lane(i)] : [lane(i), lane(i), lane(i), lane(i)]);
    return [splat(0), splat(1), splat(2), splat(3)];
  }
  /** this · b + c, fused where the host does so. */
  madd(b: F4 | number, c: F4 | number): F4 {
    const { m, asm } = this.f;
    if (!asm.ofBytes) return this.mul(b).add(c);
    const [x, y] = [b, c].map((v) => (typeof v === "number" ? this.f.splatF(v) : v));
    return new F4(this.f, [
      () => ternary(m, binaryen.RelaxedMaddVecF32x4, this.lanes[0](), x.lanes[0](), y.lanes[0]()),
    ]);
  }
  abs(): F4 {
    const { m, asm } = this.f;
    const unary = asm.vector ? m.f32x4.abs : m.f32.abs;
    return new F4(
      this.f,
      this.lanes.map((lane) => () => unary(lane())),
    );
  }
  asI4(): I4 {
    if (this.f.asm.vector) return new I4(this.f, this.lanes);
    return new I4(
      this.f,
      this.lanes.map((lane) => () => this.f.m.i32.reinterpret(lane())),
    );
  }
  /** Rounds to the nearest integer, ties to even, for |x| < 2²². */
  round(): I4 {
    return this.add(roundingMagic).asI4().sub(0x4b400000);
  }
  /** The same for the low 16 bits alone, where the rest of the lane does not matter. */
  round16(): I4 {
    return this.add(roundingMagic).asI4();
  }
  lane(i: number): F32 {
    const { m, asm } = this.f;
    if (!asm.vector) return new F32(this.f, this.lanes[i]);
    return new F32(this.f, () => m.f32x4.extract_lane(this.lanes[0](), i));
  }
  sum(): F32 {
    return this.lane(0)
      .add(this.lane(1))
      .add(this.lane(2).add(this.lane(3)));
  }
  greatest(): F32 {
    return this.lane(0)
      .max(this.lane(1))
      .max(this.lane(2).max(this.lane(3)));
  }
}

export class F4Var extends F4 {
  constructor(
    f: Fn,
    readonly indices: number[],
  ) {
    const type = f.asm.vector ? binaryen.v128 : binaryen.f32;
    super(
      f,
      indices.map((index) => () => f.m.local.get(index, type)),
    );
  }
  set(value: F4): void {
    setAll(this.f, this.indices, value.lanes);
  }
}

/** Four i32 lanes. */
export class I4 {
  constructor(
    readonly f: Fn,
    readonly lanes: Recipe[],
  ) {}
  private op(name: "add" | "sub" | "mul", value: I4 | number): I4 {
    const { m, asm } = this.f;
    const o = typeof value === "number" ? this.f.splatI(value) : value;
    const binary = asm.vector ? m.i32x4[name] : m.i32[name];
    return new I4(
      this.f,
      this.lanes.map((lane, i) => () => binary(lane(), o.lanes[i]())),
    );
  }
  add(o: I4 | number): I4 {
    return this.op("add", o);
  }
  sub(o: I4 | number): I4 {
    return this.op("sub", o);
  }
  mul(o: I4 | number): I4 {
    return this.op("mul", o);
  }
  /** Evaluates the lanes twice, where no instruction turns them. */
  rotl(bits: number): I4 {
    const { m, asm } = this.f;
    if (!asm.vector) {
      return new I4(
        this.f,
        this.lanes.map((lane) => () => m.i32.rotl(lane(), m.i32.const(bits))),
      );
    }
    const right = () => m.i32x4.shr_u(this.lanes[0](), m.i32.const(32 - bits));
    return new I4(this.f, [() => m.v128.or(this.shl(bits).lanes[0](), right())]);
  }
  shl(bits: number): I4 {
    const { m, asm } = this.f;
    const shift = asm.vector ? m.i32x4.shl : m.i32.shl;
    return new I4(
      this.f,
      this.lanes.map((lane) => () => shift(lane(), m.i32.const(bits))),
    );
  }
  /** this + Σ of each lane's pair of w times the pair of a. */
  addDot(w: Pairs, a: Pairs): I4 {
    const { m, asm } = this.f;
    if (asm.vector) {
      return new I4(this.f, [() => m.i32x4.add(this.lanes[0](), m.i32x4.dot_i16x8_s(w.parts[0](), a.parts[0]()))]);
    }
    return new I4(
      this.f,
      this.lanes.map((lane, i) => () => {
        const product = (j: number) => m.i32.mul(w.parts[2 * i + j](), a.parts[j]());
        return m.i32.add(m.i32.add(lane(), product(0)), product(1));
      }),
    );
  }
  /**
   * this + one step of a run: nibbles w times inputs a. Begin with what `storeNibbleStart` stored, end with `scaled`.
   * In the relaxed build each lane is two 16-bit sums, exact modulo 2¹⁶: a pair of products is at most
   * 2 · 15 · 127, and the centred sum over a group is within 32 · 8 · 127 < 2¹⁵. In the dot build it is one of 32 bits.
   */
  addNibbles(w: Pairs, a: Pairs): I4 {
    const { build } = this.f.asm;
    return build === "dot" ? this.addFours(w, a) : build === "relaxed" ? this.addTwos(w, a) : this.addDot(w, a);
  }
  /** this, as 32-bit sums, + Σ of four products of bytes; w and a as `relaxedDot` takes them. */
  addFours(w: Pairs, a: Pairs): I4 {
    const add = binaryen.RelaxedDotI8x16I7x16AddSToVecI32x4;
    return new I4(this.f, [() => ternary(this.f.m, add, a.parts[0](), w.parts[0](), this.lanes[0]())]);
  }
  /** this, as 16-bit sums, + two products of bytes each. */
  addTwos(w: Pairs, a: Pairs): I4 {
    const { m } = this.f;
    return new I4(this.f, [() => m.i16x8.add(this.lanes[0](), relaxedDot(m, a.parts[0](), w.parts[0]()))]);
  }
  /** The sums of a group that `addNibbles` made, as 32-bit integers, times the scales that `loadScales` gave. */
  scaled(scales: I4): I4 {
    const { m, asm } = this.f;
    if (asm.build !== "relaxed") return this.mul(scales);
    return new I4(this.f, [() => m.i32x4.dot_i16x8_s(this.lanes[0](), scales.lanes[0]())]);
  }
  toF4(): F4 {
    const { m, asm } = this.f;
    const convert = asm.vector ? m.f32x4.convert_i32x4_s : m.f32.convert_s.i32;
    return new F4(
      this.f,
      this.lanes.map((lane) => () => convert(lane())),
    );
  }
  asF4(): F4 {
    if (this.f.asm.vector) return new F4(this.f, this.lanes);
    return new F4(
      this.f,
      this.lanes.map((lane) => () => this.f.m.f32.reinterpret(lane())),
    );
  }
  lane(i: number): I32 {
    const { m, asm } = this.f;
    if (!asm.vector) return new I32(this.f, this.lanes[i]);
    return new I32(this.f, () => m.i32x4.extract_lane(this.lanes[0](), i));
  }
  sum(): I32 {
    return this.lane(0)
      .add(this.lane(1))
      .add(this.lane(2).add(this.lane(3)));
  }
}

export class I4Var extends I4 {
  constructor(
    f: Fn,
    readonly indices: number[],
  ) {
    const type = f.asm.vector ? binaryen.v128 : binaryen.i32;
    super(
      f,
      indices.map((index) => () => f.m.local.get(index, type)),
    );
  }
  set(value: I4): void {
    setAll(this.f, this.indices, value.lanes);
  }
}

/** Pairs of 16-bit integers for the dot product: one v128, or 8 (four outputs) or 2 (one row) scalars. */
export class Pairs {
  constructor(readonly parts: Recipe[]) {}
}

/** Bits of n as f32. */
function bitsOf(n: number): number {
  return new Int32Array(Float32Array.of(n).buffer)[0];
}

/** 0, 1, … n − 1. */
export function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

function setAll(f: Fn, indices: number[], lanes: Recipe[]): void {
  for (const [i, index] of indices.entries()) f.emit(f.m.local.set(index, lanes[i]()));
}

/** Computes a v128 once. */
function once(f: Fn, value: Recipe): Recipe {
  const index = f.newLocal(binaryen.v128);
  f.emit(f.m.local.set(index, value()));
  return () => f.m.local.get(index, binaryen.v128);
}

const unwrapped = binaryen as unknown as Unwrapped;
const pointerOf = (m: binaryen.Module) => (m as unknown as { ptr: number }).ptr;

function ternary(m: binaryen.Module, op: number, a: Ref, b: Ref, c: Ref): Ref {
  return unwrapped._BinaryenSIMDTernary(pointerOf(m), op, a, b, c);
}

/** Sums of pairs of products as 16-bit integers; the same on every host for a in −128 … 127 and b in 0 … 127. */
function relaxedDot(m: binaryen.Module, a: Ref, b: Ref): Ref {
  return unwrapped._BinaryenBinary(pointerOf(m), binaryen.RelaxedDotI8x16I7x16SToVecI16x8, a, b);
}
