/** Trained parameters → a tuning's file, or a whole pack; and a pack's own parameters. */
import { FormatError } from "../../runtime/errors.ts";
import type { Calibration } from "../../runtime/pack/calibration.ts";
import {
  checkFile,
  layoutsOf,
  modelId,
  type PackHeader,
  packVersion,
  prefixBytes,
  writePack,
} from "../../runtime/pack/pack.ts";
import { packMatrix } from "../../runtime/pack/quant.ts";
import { renewSection } from "../../runtime/pack/renew.ts";
import { parametersOf } from "./parameters.ts";

/** A pack in memory, every byte of it checked. */
export interface Pack {
  header: PackHeader;
  /** Bytes of a field, in the kernels' layout. */
  field(section: string, name: string): Uint8Array;
}

/** What a file says of how it was made. */
export interface Notes {
  provenance: Record<string, string>;
  calibration?: Calibration;
  /** Of a tuning, the tools that its decoder learned: without them it is to answer everything. */
  taught?: string[];
}

/** Throws: FormatError for what is no pack of int4 weights, or is damaged. */
export function openPack(bytes: Uint8Array): Pack {
  const header = checkFile(bytes);
  if (header.format !== "int4")
    throw new FormatError(
      "header.weights",
      prefixBytes,
      `expected int4, got ${header.format}; build it without --wide`,
    );
  if (header.tunes !== undefined)
    throw new FormatError("header.tunes", prefixBytes, "expected a whole pack, got a tuning; give its model");
  const places = new Map<string, Uint8Array>();
  for (const [i, { name, fields }] of layoutsOf({ ...header, version: packVersion }).entries()) {
    const { offsetBytes: start, bytes: length } = header.sections[i];
    const section = renewSection(header, name, bytes.subarray(start, start + length));
    for (const { name: field, offsetBytes, bytes: size } of fields)
      places.set(`${name}.${field}`, section.subarray(offsetBytes, offsetBytes + size));
  }
  return { header, field: (section, name) => places.get(`${section}.${name}`) as Uint8Array };
}

/** The decoder's sections alone, for `load(pack, { tuning })`. */
export function writeTuning(base: Pack, parameters: Float32Array, notes: Notes): Uint8Array {
  const { provenance, calibration, taught } = notes;
  const { geometry, format, licence } = base.header;
  const head = {
    geometry,
    format,
    licence,
    pieces: [],
    provenance,
    tunes: modelId(base.header),
    ...(calibration && { calibration }),
    ...(taught && { taught }),
  };
  return writePack(head, tunedField(base, parameters));
}

/** The whole pack with the trained decoder in it; all else byte for byte the base's. */
export function writeMerged(base: Pack, parameters: Float32Array, { provenance, calibration }: Notes): Uint8Array {
  const { sections, fileBytes, ...head } = base.header;
  const merged = { ...head, provenance: { ...head.provenance, ...provenance }, ...(calibration && { calibration }) };
  return writePack(merged, tunedField(base, parameters));
}

/** The sections of a tuning as they follow each other: what a session's decoder reads. */
export function tunedBody(base: Pack, parameters: Float32Array): Uint8Array {
  const field = tunedField(base, parameters);
  const layouts = layoutsOf({ ...base.header, tunes: 0, version: packVersion });
  const body = new Uint8Array(layouts.reduce((sum, { bytes }) => sum + bytes, 0));
  let at = 0;
  for (const { name, bytes, fields } of layouts) {
    for (const one of fields) body.set(field(name, one.name), at + one.offsetBytes);
    at += bytes;
  }
  return body;
}

function tunedField(base: Pack, numbers: Float32Array): Pack["field"] {
  const trained = new Map(parametersOf(base.header.geometry).list.map((one) => [`${one.section}.${one.field}`, one]));
  return (section, name) => {
    const one = trained.get(`${section}.${name}`);
    if (!one) return base.field(section, name);
    const { at, out, in: inputs, isMatrix } = one;
    const data = numbers.slice(at, at + out * inputs);
    return isMatrix ? packMatrix({ out, in: inputs, data }) : new Uint8Array(data.buffer);
  };
}
