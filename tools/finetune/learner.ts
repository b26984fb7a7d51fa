/** One thread of a training: a model to see requests with, and the decoder that learns. */
import type { Thimble } from "../../runtime/thimble.ts";
import { load } from "../../runtime/thimble.ts";
import { ToolSet } from "../../runtime/tools/tools.ts";
import { unpackEmbeddingRow } from "../../wasm/reference.ts";
import { openPack, type Pack } from "./files.ts";
import { type BatchWeight, Network, type Outcome, type Sample } from "./network.ts";
import { readParameters } from "./parameters.ts";
import { Encoder } from "./shown.ts";

/** What is to be learned of one example. Tools as JSON text, in flat form. */
export interface Lesson extends Pick<Sample, "given" | "wanted" | "weights"> {
  query: string;
  tools: string;
}

/** Answers are cut off here: the runtime's own limit at the default. */
export const mostAnswerTokens = 128;

/** Room for the tools that come again and again, among general ones that come once. */
const toolMemory = 64 * 2 ** 20;

export class Learner {
  private constructor(
    readonly pack: Pack,
    readonly model: Thimble,
    readonly network: Network,
    private readonly encoder: Encoder,
  ) {}

  /** Starts from a pack's own weights. Throws: FormatError for one that cannot be trained. */
  static async start(bytes: Uint8Array): Promise<Learner> {
    const pack = openPack(bytes);
    const { geometry } = pack.header;
    const model = await load(bytes, { answerTokens: mostAnswerTokens, toolMemory });
    const encoder = new Encoder(model);
    const { vocabSize, dModel } = geometry;
    const packed = pack.field("embedding", "table");
    const table = new Float32Array(vocabSize * dModel);
    for (let id = 0; id < vocabSize; id++) table.set(unpackEmbeddingRow(packed, id, dModel), id * dModel);
    const rope = encoder.rope(mostAnswerTokens + 1);
    return new Learner(pack, model, new Network(geometry, readParameters(geometry, pack.field), table, rope), encoder);
  }

  /** Runs some lessons of a batch; with `learns` their gradient alone is left in the network. */
  async run(lessons: readonly Lesson[], batch: BatchWeight, learns: boolean): Promise<Outcome> {
    const samples: Sample[] = [];
    for (const { query, tools, given, wanted, weights } of lessons) {
      const seen = await this.encoder.see(query, ToolSet.from(tools));
      samples.push({ ...seen, given, wanted, weights });
    }
    if (learns) this.network.clearGradient();
    return this.network.run(samples, batch, learns);
  }
}
