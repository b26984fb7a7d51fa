/** A watch and a pair of glasses that act a call out. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { left, type Scene } from "./acting.ts";
import { drawGlasses, drawWatch, glassesSize, watchSize } from "./devices.ts";
import { reply, scenes } from "./state.ts";

/** Which of several calls the devices show. */
const at = signal(0);
const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 500);

export function Devices() {
  const index = Math.min(at.value, scenes.value.length - 1);
  const scene = scenes.value[index];
  return (
    <section class="devices" aria-label="What devices do">
      <figure class="watch">
        <Screen width={watchSize} height={watchSize} scene={scene} draw={drawWatch} what="A watch shows" />
      </figure>
      <figure class="glasses">
        <Screen {...glassesSize} scene={scene} draw={drawGlasses} what="Glasses show" />
        <figcaption>
          {scenes.value.length > 1 && (
            <fieldset aria-label="Calls on the devices">
              {scenes.value.map(({ title }, i) => (
                <button key={i} type="button" aria-pressed={i === index} onClick={() => (at.value = i)}>
                  {title}
                </button>
              ))}
            </fieldset>
          )}
          {scene.asks && (
            <fieldset aria-label="Do this?">
              <button type="button" onClick={() => reply(index, true)}>
                Yes, do it
              </button>
              <button type="button" onClick={() => reply(index, false)}>
                No
              </button>
            </fieldset>
          )}
        </figcaption>
      </figure>
    </section>
  );
}

interface ScreenProps {
  width: number;
  height: number;
  scene: Scene;
  draw: (context: CanvasRenderingContext2D, scene: Scene, nowMs: number) => void;
  what: string;
}

function Screen({ width, height, scene, draw, what }: ScreenProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const time = now.value;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !canvas.current) return;
    // Twice the pixels: on most screens they are smaller than a device's.
    canvas.current.width = 2 * width;
    canvas.current.height = 2 * height;
    context.scale(2, 2);
    draw(context, scene, time);
  }, [scene, time, width, height, draw]);
  return (
    <canvas
      ref={canvas}
      role="img"
      aria-label={`${what}: ${toldOf(scene, time)}`}
      style={{ aspectRatio: `${width} / ${height}` }}
    />
  );
}

function toldOf(scene: Scene, time: number): string {
  if (scene.icon === "clock") return "the time";
  const lines = scene.endsAtMs === undefined ? scene.lines : [left(scene.endsAtMs, time)];
  return [scene.asks ? "do this?" : "", scene.title, ...lines].filter(Boolean).join(", ");
}
