/**
 * Opens the original checkpoint (format 1): a pickle {"params": nested dict of arrays, "config": dict}.
 * Its config holds only what the training command line set, so shapes must fill the rest (checkpoint.ts).
 * Source: train.py and architecture.py (TransformerConfig.__init__) of cactus-compute/needle at 1807b1d.
 */
import { FormatError } from "../../runtime/errors.ts";
import { NumpyArray, type Value } from "./numpy.ts";
import { readPickle } from "./pickle.ts";
import type { Tensor } from "./tensor.ts";

/** The published tree is 6 deep and has 41 arrays; a pickle can share or loop a dict, so both need an end. */
const MAX_DEPTH = 12;
const MAX_ENTRIES = 4096;

/** Flattens nested dicts to dotted names. Throws: FormatError for a loop, for too many entries, for anything but arrays. */
function flatten(params: Map<Value, Value>, path: string): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  let entries = 0;
  const visit = (dict: Map<Value, Value>, prefix: string, depth: number): void => {
    for (const [key, value] of dict) {
      if (typeof key !== "string")
        throw new FormatError(`${path}.params`, -1, "expected names as keys, got another value");
      const name = prefix + key;
      if (depth > MAX_DEPTH || ++entries > MAX_ENTRIES)
        throw new FormatError(
          path,
          -1,
          `expected a tree of at most ${MAX_ENTRIES} arrays, ${MAX_DEPTH} deep, got more`,
        );
      if (value instanceof Map) visit(value, `${name}.`, depth + 1);
      else if (value instanceof NumpyArray) {
        const { dtype, shape, strides, bytes } = value;
        tensors.set(name, { name, dtype, shape, strides, bytes, offset: -1 });
      } else throw new FormatError(name, -1, "expected an array, got something else");
    }
  };
  visit(params, "", 1);
  return tensors;
}

/** Keeps the plain values of a dict under their names. */
function plain(dict: Map<Value, Value>): Record<string, unknown> {
  return Object.fromEntries(
    [...dict].filter(
      ([key, value]) => typeof key === "string" && ["string", "number", "boolean"].includes(typeof value),
    ),
  );
}

/**
 * Lists the tensors, the config and the metadata of an original checkpoint.
 * Throws: FormatError for anything else, and for a pickle that names what numpy.ts does not allow.
 */
export function readPublished(bytes: Uint8Array, path: string) {
  const root = readPickle(bytes, path);
  const params = root instanceof Map ? root.get("params") : undefined;
  const config = root instanceof Map ? root.get("config") : undefined;
  if (!(root instanceof Map && params instanceof Map && config instanceof Map))
    throw new FormatError(
      path,
      -1,
      'expected a dict with "params" and "config", got another value; is this a Needle v1 checkpoint?',
    );
  const metadata = Object.fromEntries(Object.entries(plain(root)).map(([key, value]) => [key, String(value)]));
  return { tensors: flatten(params, path), config: plain(config), metadata };
}
