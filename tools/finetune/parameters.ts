/**
 * What is trained of a model: its decoder, all but the keys and values of the cross-attention. Those are kept with each tool
 * that was read, so that tunings of one model share the tools' keys and values with it.
 */

import type { Geometry } from "../../runtime/pack/pack.ts";
import { groupSize, pad } from "../../wasm/abi.ts";
import { unpackMatrix } from "../../wasm/reference.ts";

/** A tensor among the trained numbers, which lie end to end. */
export interface Parameter {
  /** As sections and their fields are named: decoder.0, self.wq. */
  section: string;
  field: string;
  /** Shape; a vector has one row. */
  out: number;
  in: number;
  /** Where it begins, in numbers: a multiple of a group of the rounding. */
  at: number;
  /** Rounded to int4 where the model is deployed. */
  isMatrix: boolean;
}

/** Parameters of a block, in the order of its record. */
function blockShapes({ dModel, nHeads, nKvHeads }: Geometry, own: boolean): [string, number, number][] {
  const headDim = dModel / nHeads;
  const kv = nKvHeads * headDim;
  return [
    ["norm", 1, dModel],
    ["gate", 1, 1],
    ["qNorm", 1, headDim],
    ["wq", dModel, dModel],
    ["wo", dModel, dModel],
    ...(own
      ? ([
          ["kNorm", 1, headDim],
          ["wk", kv, dModel],
          ["wv", kv, dModel],
        ] as [string, number, number][])
      : []),
  ];
}

/** All trained parameters, and how many numbers they take with the room between them. */
export function parametersOf(geometry: Geometry): { list: Parameter[]; size: number } {
  const list: Parameter[] = [];
  let size = 0;
  const add = (section: string, field: string, out: number, inputs: number) => {
    list.push({ section, field, out, in: inputs, at: size, isMatrix: out > 1 });
    size += pad(out * inputs, groupSize);
  };
  for (let i = 0; i < geometry.nDecoderLayers; i++)
    for (const kind of ["self", "cross"] as const)
      for (const [field, out, inputs] of blockShapes(geometry, kind === "self"))
        add(`decoder.${i}`, `${kind}.${field}`, out, inputs);
  add("norms", "decoderNorm", 1, geometry.dModel);
  return { list, size };
}

/** The numbers of a pack's parameters, matrices as restored; `field` gives a field's bytes. */
export function readParameters(geometry: Geometry, field: (section: string, name: string) => Uint8Array): Float32Array {
  const { list, size } = parametersOf(geometry);
  const numbers = new Float32Array(size);
  for (const { section, field: name, out, in: inputs, at, isMatrix } of list) {
    const bytes = field(section, name);
    const values = isMatrix
      ? unpackMatrix(bytes, out, inputs)
      : new Float32Array(Uint8Array.from(bytes).buffer, 0, inputs);
    numbers.set(values, at);
  }
  return numbers;
}
