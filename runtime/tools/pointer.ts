/** JSON pointers in URI fragments: `#/$defs/City`. Source: RFC 6901, section 6. */
import { isObject, type JsonObject } from "../json.ts";

/** What a reference into a schema points to; undefined for one that points elsewhere. */
export function pointed(schema: JsonObject, ref: string): unknown {
  return stepsOf(ref).reduce<unknown>(
    (at, key) => ((isObject(at) || Array.isArray(at)) && Object.hasOwn(at, key) ? (at as JsonObject)[key] : undefined),
    /^#(\/|$)/.test(ref) ? schema : undefined,
  );
}

/** The keys on the way that a reference says. */
export function stepsOf(ref: string): string[] {
  return ref.split("/").slice(1).map(unescaped);
}

/** A step as it is where it is no percent encoding. */
function unescaped(part: string): string {
  let key = part;
  try {
    key = decodeURIComponent(part);
  } catch {}
  return key.replaceAll("~1", "/").replaceAll("~0", "~");
}
