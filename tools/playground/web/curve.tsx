/** Loss and exact answers by examples shown, as they come. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { looks, points } from "./course.ts";

/** The package's own copy, which `thimble profile` puts into its page. */
const library = "./tools/profile/uplot/";
const plot = signal<typeof uPlot | null>(null);

function loadPlot(): void {
  if (document.getElementById("uplot")) return;
  const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: `${library}uPlot.min.css` });
  const script = Object.assign(document.createElement("script"), { id: "uplot", src: `${library}uPlot.iife.min.js` });
  script.onload = () => {
    plot.value = (globalThis as unknown as { uPlot: typeof uPlot }).uPlot;
  };
  document.head.append(style, script);
}

const percent = (share: number) => `${(100 * share).toFixed(0)}%`;

/** A colour of the page as a canvas takes it, of the scheme that is on. */
function colourIn(place: HTMLElement, name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  place.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function optionsOf(place: HTMLElement): uPlot.Options {
  const colour = (name: string) => colourIn(place, name);
  const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const font = "12px ui-sans-serif, system-ui, sans-serif";
  return {
    width: place.clientWidth,
    height: 220,
    cursor: { y: false },
    scales: { x: { time: false }, exact: { range: [0, 1] }, loss: { range: (_, __, most) => [0, most || 1] } },
    axes: [
      { ...axis, font, values: (_, all) => all.map((one) => one.toLocaleString("en")) },
      { ...axis, font, scale: "exact", values: (_, all) => all.map(percent), size: 44 },
      { ...axis, font, scale: "loss", side: 1, grid: { show: false }, size: 40 },
    ],
    series: [
      { label: "Examples" },
      {
        label: "Right, held out",
        scale: "exact",
        stroke: colour("--good"),
        width: 2,
        spanGaps: true,
        points: { show: true, size: 6 },
        value: (_, one) => (one === null ? "" : percent(one)),
      },
      {
        label: "Loss, held out",
        scale: "loss",
        stroke: colour("--accent"),
        width: 2,
        spanGaps: true,
        points: { show: true, size: 6 },
      },
      { label: "Loss", scale: "loss", stroke: colour("--faint"), width: 1, spanGaps: true, points: { show: false } },
    ],
    legend: { live: false },
  };
}

export function Curve() {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const library = plot.value;
  const list = points.value;
  const data: uPlot.AlignedData = [
    list.map(({ examples }) => examples),
    list.map(({ exact }) => exact),
    list.map(({ heldLoss }) => heldLoss),
    list.map(({ loss }) => loss),
  ];
  const latest = useRef(data);
  latest.current = data;
  useEffect(loadPlot, []);
  useEffect(() => {
    const place = box.current;
    if (!library || !place) return;
    const draw = () => {
      chart.current?.destroy();
      chart.current = new library(optionsOf(place), latest.current, place);
    };
    draw();
    // Its colours are the page's.
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    const watcher = new ResizeObserver(() => chart.current?.setSize({ width: place.clientWidth, height: 220 }));
    watcher.observe(place);
    return () => {
      scheme.removeEventListener("change", draw);
      watcher.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, [library]);
  useEffect(() => chart.current?.setData(data), [list]);
  const last = looks.value.at(-1);
  const told = last
    ? `${percent(last.exact as number)} of held-out answers right after ${last.examples} examples, loss ${last.heldLoss?.toFixed(2)}`
    : "nothing measured yet";
  return (
    <figure class="curve">
      <div ref={box} role="img" aria-label={`Curve of the training: ${told}`} />
      {looks.value.length > 0 && (
        <details>
          <summary>As a table</summary>
          <section class="scroll" aria-label="Looks at the held-out part">
            <table>
              <thead>
                <tr>
                  <th>Examples</th>
                  <th>Right</th>
                  <th>Loss</th>
                </tr>
              </thead>
              <tbody>
                {looks.value.map(({ examples, exact, heldLoss }) => (
                  <tr key={examples}>
                    <td>{examples.toLocaleString("en")}</td>
                    <td>{percent(exact as number)}</td>
                    <td>{heldLoss?.toFixed(3)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        </details>
      )}
    </figure>
  );
}
