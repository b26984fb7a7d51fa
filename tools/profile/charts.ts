/**
 * Draws the page's charts; runs in the browser. page.ts writes this function's own text into the page, so it may use
 * nothing but its arguments and the browser.
 */
import type uPlot from "uplot";

/** A chart as page.ts describes it; numbers only, so that the page's script knows nothing of reports. */
export interface Chart {
  /** Of the element that it fills. */
  id: string;
  unit: string;
  /** Names of the places of x = 0, 1, …; without them x is seconds. */
  places?: string[];
  x: number[];
  series: { label: string; kind: "line" | "points" | "bars"; values: (number | null)[] }[];
}

export function draw(plot: typeof uPlot, charts: Chart[]): void {
  const drawn: uPlot[] = [];

  const options = ({ places, unit, series }: Chart, width: number): uPlot.Options => {
    const style = getComputedStyle(document.documentElement);
    const color = (name: string) => style.getPropertyValue(name).trim();
    const axis = { stroke: color("--dim"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } };
    const shown = (value: number | null) => (value === null ? "–" : `${Number(value.toPrecision(4))} ${unit}`);
    const kinds: Record<Chart["series"][number]["kind"], (stroke: string) => Partial<uPlot.Series>> = {
      line: () => ({ width: 2, points: { show: false } }),
      points: (stroke) => ({ paths: () => null, points: { show: true, size: 4, fill: stroke, width: 0 } }),
      bars: (stroke) => ({ paths: plot.paths.bars?.({ size: [0.8, 48] }), fill: stroke, points: { show: false } }),
    };
    const xAxis: uPlot.Axis = places
      ? {
          ...axis,
          grid: { show: false },
          rotate: -90,
          size: 84,
          splits: () => places.map((_, i) => i),
          values: () => places,
        }
      : { ...axis, values: (_, ticks) => ticks.map((tick) => `${tick} s`) };
    return {
      width,
      height: places ? 300 : 220,
      scales: {
        x: places ? { time: false, range: [-0.6, places.length - 0.4] } : { time: false },
        y: {
          range: (_, least, most) => [places ? 0 : least - (most - least || 1) * 0.1, most + (most - least || 1) * 0.1],
        },
      },
      axes: [xAxis, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => `${tick} ${unit}`) }],
      series: [
        {
          label: places ? "layer" : "at",
          value: (_, x) => (x === null ? "–" : places ? places[x] : `${x.toFixed(1)} s`),
        },
        ...series.map(({ label, kind }, i): uPlot.Series => {
          const stroke = color(`--c${i % 6}`);
          return { label, stroke, value: (_, value) => shown(value), ...kinds[kind](stroke) };
        }),
      ],
    };
  };

  const drawAll = () => {
    for (const old of drawn.splice(0)) old.destroy();
    for (const chart of charts) {
      const place = document.getElementById(chart.id);
      if (!place) continue;
      const data = [chart.x, ...chart.series.map(({ values }) => values)] as uPlot.AlignedData;
      drawn.push(new plot(options(chart, place.clientWidth), data, place));
    }
  };
  drawAll();
  addEventListener("resize", () => {
    for (const chart of drawn)
      chart.setSize({ width: chart.root.parentElement?.clientWidth ?? 0, height: chart.height });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
}
