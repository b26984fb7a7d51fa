/** What a file must be, said by its maker: a digest that a forger cannot meet, where the pack's own sums tell damage alone. */
import { FormatError } from "../errors.ts";
import type { StreamOptions } from "./loader.ts";
import { bytesOf, type Source } from "./source.ts";

const hashes: Record<string, string> = { sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512" };

/**
 * A source's bytes once they are known to be the ones meant: none is used before all have come.
 * Throws: FormatError for other bytes, TypeError for what is no digest.
 * Source: W3C, Subresource Integrity, 3.5; of several digests one must be right.
 */
export async function checkIntegrity(
  source: Source,
  integrity: string,
  { onProgress, ...options }: StreamOptions = {},
): Promise<Uint8Array> {
  const digests = readDigests(integrity);
  const bytes = await bytesOf(source, options, (loadedBytes, totalBytes = 0) =>
    onProgress?.({ loadedBytes, totalBytes: Math.max(loadedBytes, totalBytes) }),
  );
  const got: string[] = [];
  for (const { name, digest } of digests) {
    const sum = base64(new Uint8Array(await crypto.subtle.digest(hashes[name], bytes)));
    if (sum === digest) return bytes;
    got.push(`${name}-${sum}`);
  }
  throw new FormatError("integrity", -1, `expected ${integrity}, got ${got.join(" ")}; it is another file`);
}

/** Throws: TypeError for what is no digest. */
export const readDigests = (integrity: string) => integrity.trim().split(/\s+/).map(readDigest);

function readDigest(text: string): { name: string; digest: string } {
  const [, name, digest] = text.match(/^(sha256|sha384|sha512)-([A-Za-z0-9+/]+={0,2})$/) ?? [];
  if (name) return { name, digest };
  throw new TypeError(`integrity: expected sha256-, sha384- or sha512- and base64, got ${JSON.stringify(text)}`);
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
