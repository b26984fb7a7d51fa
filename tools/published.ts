/** The published checkpoints by name: where they are, and how one becomes a pack. */
import { type PullOptions, pullMade } from "../runtime/load/cache.ts";
import type { Source } from "../runtime/load/source.ts";
import { WebFile } from "../runtime/load/web.ts";
import { readCheckpoint } from "./checkpoint/checkpoint.ts";
import { convert } from "./convert.ts";
import { readVocabulary } from "./sentencepiece.ts";

interface Published {
  about: string;
  /** Of the Hugging Face hub. */
  repository: string;
  weights: string;
  vocabulary: string;
}

/** Source: spec, "Published weight files to read". All are MIT. */
export const published: Record<string, Published> = {
  needle: {
    about: "the original pickle, 52.6 MB",
    repository: "Cactus-Compute/needle",
    weights: "needle.pkl",
    vocabulary: "tokenizer/needle.model",
  },
  "needle-bf16": {
    about: "the same as safetensors",
    repository: "Cactus-Compute/needle",
    weights: "model.safetensors",
    vocabulary: "tokenizer.model",
  },
  "needle-rs": {
    about: "the int4 file of the Rust port, 22 MB",
    repository: "Abdalrahman/needle-rs-safetensors",
    weights: "needle.safetensors",
    vocabulary: "vocab.txt",
  },
};

/**
 * Fetches a published checkpoint and keeps the pack made from it in the cache. A mirror of the hub may be named as its own
 * tools do, by HF_ENDPOINT.
 * Throws: what `pull`, the readers of checkpoints and `convert` throw.
 */
export function pullPublished(name: string, options: PullOptions = {}): Promise<Source> {
  const { repository, weights, vocabulary } = published[name];
  const hub = process.env.HF_ENDPOINT ?? "https://huggingface.co";
  const address = (file: string) => new URL(`${hub}/${repository}/resolve/main/${file}`);
  return pullMade(address(weights), options, async () => {
    const pieces = readVocabulary(
      await fetchWhole(address(vocabulary), { ...options, onProgress: undefined }),
      vocabulary,
    );
    const checkpoint = readCheckpoint(await fetchWhole(address(weights), options), weights);
    const provenance = { source: `${repository}/${weights}`, vocabulary: `${repository}/${vocabulary}` };
    return convert(checkpoint, pieces, { licence: "MIT", provenance });
  });
}

async function fetchWhole(url: URL, { onProgress, ...options }: PullOptions): Promise<Uint8Array> {
  const file = new WebFile(url, options);
  const chunks: Uint8Array[] = [];
  let loadedBytes = 0;
  for await (const chunk of file.chunks()) {
    chunks.push(chunk);
    loadedBytes += chunk.length;
    onProgress?.({ loadedBytes, totalBytes: file.totalBytes ?? loadedBytes });
  }
  return Buffer.concat(chunks);
}
