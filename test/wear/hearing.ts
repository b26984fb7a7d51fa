/** A transcript played to a CommandParser in simulated time, with a model that takes the time it takes. */
import { type Action, type CommandOptions, CommandParser, type Model } from "../../runtime/glasses.ts";
import { settled, World } from "./world.ts";

/** [milliseconds, the utterance as it is known then, whether it is final] */
export type Heard = [number, string, boolean?];

export class Hearing {
  readonly actions: Action[] = [];
  readonly parser: CommandParser;
  /** What the model was given to read. */
  readonly read: string[] = [];
  readonly world: World;
  private readonly busy = new Set<Promise<unknown>>();

  constructor(model: Model, options: Omit<CommandOptions, "model" | "onAction" | "clock">) {
    this.world = new World(async () => {
      do {
        await Promise.allSettled(this.busy);
        await settled();
      } while (this.busy.size);
    });
    const call: Model["call"] = (request, tools, how) => {
      this.read.push(request);
      const work = model.call(request, tools, how);
      this.busy.add(work);
      const done = () => void this.busy.delete(work);
      work.then(done, done);
      return work;
    };
    const onAction = (action: Action) => void this.actions.push(action);
    this.parser = new CommandParser({ ...options, model: { call }, onAction, clock: this.world });
  }

  /** Plays what is heard, and lets `afterMs` of silence pass. */
  async play(heard: readonly Heard[], afterMs = 20_000): Promise<Action[]> {
    const before = this.actions.length;
    const startMs = this.world.nowMs;
    for (const [ms, text, isFinal] of heard) {
      await this.world.pass(startMs + ms - this.world.nowMs);
      this.parser.hear(text, isFinal);
    }
    await this.world.pass(afterMs);
    return this.actions.slice(before);
  }
}
