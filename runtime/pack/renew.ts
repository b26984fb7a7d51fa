/** Sections of older files in the layout of today: those of version 1 have a float32 scale for each group of a matrix. */
import { blockBytes, groupSize, matrixBytes, octetBytes, outputTile, pad, runBytes } from "../../wasm/abi.ts";
import { FormatError } from "../errors.ts";
import { firstBlockBytes, type PackHeader, packVersion, type SectionLayout, sectionLayouts } from "./pack.ts";
import { packScales } from "./quant.ts";

/**
 * Bytes of a section as the kernels read them, given those of its file. Rounds scales as `packMatrix` does.
 * Throws: FormatError for a scale that is below zero or not finite.
 */
export function renewSection(header: PackHeader, name: string, bytes: Uint8Array): Uint8Array {
  const { geometry, format, version } = header;
  if (version === packVersion || format !== "int4") return bytes;
  const [old, now] = [version, packVersion].map(
    (one) => sectionLayouts(geometry, format, one).find((layout) => layout.name === name) as SectionLayout,
  );
  const section = new Uint8Array(now.bytes);
  for (const [i, { offsetBytes, shape }] of now.fields.entries()) {
    const start = old.fields[i].offsetBytes;
    const field = bytes.subarray(start, start + old.fields[i].bytes);
    section.set(shape ? renewMatrix(`${name}.${now.fields[i].name}`, field, ...shape) : field, offsetBytes);
  }
  return section;
}

function renewMatrix(place: string, old: Uint8Array, out: number, inputs: number): Uint8Array {
  const bytes = new Uint8Array(matrixBytes(out, inputs));
  const view = new DataView(old.buffer, old.byteOffset);
  const groups = pad(inputs, groupSize) / groupSize;
  const scales = new Float32Array(outputTile * groups);
  for (let octet = 0, at = 0; octet < bytes.length; octet += octetBytes(inputs)) {
    for (let group = 0; group < groups; group++, at += firstBlockBytes) {
      const scalesAt = at + 4 * runBytes;
      bytes.set(old.subarray(at, scalesAt), octet + group * blockBytes);
      for (let row = 0; row < outputTile; row++) {
        const scale = view.getFloat32(scalesAt + 4 * row, true);
        if (!(scale >= 0 && scale < Number.POSITIVE_INFINITY))
          throw new FormatError(place, -1, `expected finite scales of at least 0, got ${scale}; build the pack again`);
        scales[row * groups + group] = scale;
      }
    }
    packScales(scales, groups, bytes, octet);
  }
  return bytes;
}
