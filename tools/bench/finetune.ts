/** Examples a second of `thimble finetune` on one thread and on two, and what a decoder's step costs alone. */
import { bytesOf, type Source } from "../../runtime/load/source.ts";
import { table } from "../command.ts";
import { synthesize } from "../data/synth.ts";
import { lessonOf } from "../finetune/batches.ts";
import { Crew } from "../finetune/crew.ts";
import type { Lesson } from "../finetune/learner.ts";
import { usual } from "../finetune/trainer.ts";
import { middle, round } from "./runs.ts";

export interface FinetuneReport {
  threads: number;
  /** Of the wall clock, and of all threads' processor time; medians over batches. */
  examplesPerSecond: number;
  examplesPerCpuSecond: number;
  /** Rows of an answer. */
  answerRows: number;
}

/** Trains on the generator's examples, a batch a run, after one that is not counted. */
export async function measureFinetune(
  source: Source,
  threads: readonly number[],
  runs: number,
): Promise<FinetuneReport[]> {
  const pack = await bytesOf(source);
  const reports: FinetuneReport[] = [];
  for (const count of threads) {
    const crew = await Crew.start(pack, count);
    try {
      const { tokenizer } = crew.learner.model;
      const lessons: Lesson[] = [];
      for (let i = 0; lessons.length < usual.batch; i++) {
        const { query, tools, answers } = synthesize(1, i);
        const lesson = lessonOf({ query, answers, tools: tools.slice(0, 5) }, tokenizer);
        if (lesson && answers.every(({ name }) => tools.slice(0, 5).some((tool) => tool.name === name)))
          lessons.push(lesson);
      }
      const wall: number[] = [];
      const cpu: number[] = [];
      for (let run = 0; run <= runs; run++) {
        const [startMs, start] = [performance.now(), process.cpuUsage()];
        await crew.step(lessons, run + 1, 1e-4);
        const { user, system } = process.cpuUsage(start);
        if (!run) continue;
        wall.push(usual.batch / ((performance.now() - startMs) / 1000));
        cpu.push(usual.batch / ((user + system) / 1e6));
      }
      reports.push({
        threads: count,
        examplesPerSecond: round(middle(wall), 1),
        examplesPerCpuSecond: round(middle(cpu), 1),
        answerRows: round(lessons.reduce((sum, { given }) => sum + given.length, 0) / lessons.length, 1),
      });
    } finally {
      crew.close();
    }
  }
  return reports;
}

export function renderFinetune(reports: readonly FinetuneReport[]): string {
  return table([
    ["threads", "examples/s", "examples/s of processor time", "rows an answer"],
    ...reports.map((one) => [String(one.threads), one.examplesPerSecond, one.examplesPerCpuSecond, one.answerRows]),
  ]);
}
