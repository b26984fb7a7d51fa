import type { Series } from "./report.ts";
import type { Channel, Sensors } from "./system.ts";

const leastIntervalMs = 100;
const mostSamples = 600;

/** Reads memory and sensors now and then, seldom enough to take 1% of the run at most. */
export class Watch {
  readonly series: Series;
  private dueMs = 0;

  /** `seconds`: the run's length, as far as it is known. */
  constructor(
    private readonly sensors: Sensors,
    private readonly seconds: number,
  ) {
    const empty = ({ name }: Channel) => ({ name, values: [] });
    this.series = {
      atMs: [],
      rssBytes: [],
      cpu: [],
      frequencyMHz: [],
      temperatureC: sensors.temperatureC.map(empty),
      powerW: sensors.powerW.map(empty),
    };
  }

  readIfDue(nowMs: number): void {
    if (nowMs >= this.dueMs) this.read(nowMs);
  }

  read(nowMs: number): void {
    const startMs = performance.now();
    const { series, sensors } = this;
    const cpu = sensors.cpu();
    series.atMs.push(nowMs);
    series.cpu.push(cpu);
    // First of all: the clock falls soon after the work.
    series.frequencyMHz.push(sensors.frequencyMHz(cpu));
    series.rssBytes.push(process.memoryUsage.rss());
    for (const kind of ["temperatureC", "powerW"] as const)
      for (const [i, channel] of sensors[kind].entries()) series[kind][i].values.push(channel.read(nowMs));
    const costMs = performance.now() - startMs;
    this.dueMs = nowMs + Math.max(leastIntervalMs, (this.seconds * 1000) / mostSamples, 100 * costMs);
  }
}
