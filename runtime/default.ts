/** The model that ships with thimble. */
import { Refused } from "./load/stream.ts";

const remedy = "pass load() the address or the bytes of thimble/model (runtime/README.md, Bundlers)";

/**
 * Where it lies: beside this file, or where a bundler put it. Worked out when asked for, so that who brings another pack
 * needs no `import.meta.url`.
 * Throws: Error in a bundle that has none.
 */
export function defaultModel(): URL {
  try {
    return new URL("./model/default.thimble", import.meta.url);
  } catch (cause) {
    const expected = "expected a pack, got none, and this bundle cannot tell where the default one is";
    throw new Error(`load: ${expected}; ${remedy}`, { cause });
  }
}

/** Throws: the error of a load of the default model, with what to do where a bundler left it behind. */
export function withoutModel(error: unknown): never {
  if (!(error instanceof Refused)) throw error;
  throw new Error(`${error.message}; if a bundler left the model behind, ${remedy}`, { cause: error });
}
