/** Errors that speak to whoever holds the bad input. The fields are the truth, the message their rendering. */

/** A file is not what it should be. `path` names the file's part, `offset` the byte in the file (−1: unknown). */
export class FormatError extends Error {
  override name = "FormatError";
  constructor(
    readonly path: string,
    readonly offset: number,
    message: string,
  ) {
    super(`${path}: ${message}${offset >= 0 ? ` (at byte ${offset})` : ""}`);
  }
}

/** A tool list is not what it should be. `path` names the offending part, for instance `tools[2].parameters.city.type`. */
export class ToolError extends Error {
  override name = "ToolError";
  constructor(
    readonly path: string,
    message: string,
  ) {
    super(`${path.length > 160 ? `${path.slice(0, 80)}…${path.slice(-80)}` : path}: ${message}`);
  }
}

/** Something does not fit. `needed` and `available` are in the unit that the message names: tokens or bytes. */
export class CapacityError extends Error {
  override name = "CapacityError";
  constructor(
    readonly path: string,
    readonly needed: number,
    readonly available: number,
    message: string,
  ) {
    super(`${path}: ${message}`);
  }
}

/** Packs cannot be kept. `path` names the place: a folder, or the browser's private files. */
export class CacheError extends Error {
  override name = "CacheError";
  constructor(
    readonly path: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`cache: ${message}`, options);
  }
}
