// Lets every chart be read by pointer, by arrow keys and by a screen reader. A chart is one stop of
// the Tab key: a slider over its points, whose value text describes the current one in words. Enter
// or a click chooses the point, which mostly filters by it.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { step } from "./steps.ts";
import { useWidth } from "./width.ts";
import { t } from "../texts.ts";

export interface ReadPoint {
  /** Everything that the chart shows about this point, in words. */
  readonly words: string;
}

interface Props {
  readonly label: string;
  readonly points: readonly ReadPoint[];
  /** Shown above the chart while no point is read. */
  readonly legend: ComponentChildren;
  readonly vertical?: boolean;
  readonly onPick?: ((index: number) => void) | undefined;
  /** The index of the point at a place, by the width of the chart; null if there is none. */
  readonly at: (x: number, y: number, width: number) => number | null;
  readonly children: (width: number, index: number | null) => ComponentChildren;
}

export function Reader(props: Props): JSX.Element {
  const { points, onPick } = props;
  const [ref, width] = useWidth();
  const [read, setRead] = useState<number | null>(null);
  const index = read !== null && read < points.length ? read : null;

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && index !== null && onPick) {
      event.preventDefault();
      onPick(index);
      return;
    }
    const next = step(event.key, index ?? -1, points.length);
    if (next === null || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    setRead(Math.max(0, next));
  };
  const under = (event: MouseEvent): number | null => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    return props.at(event.clientX - box.left, event.clientY - box.top, width);
  };
  const pick = (event: MouseEvent): void => {
    const found = under(event);
    if (found !== null) onPick?.(found);
  };

  const words = index === null ? undefined : points[index]?.words;
  return (
    <div class="reader">
      <p class="readout" aria-hidden="true">
        {words ?? props.legend}
      </p>
      <div
        ref={ref}
        class={onPick ? "canvas pickable" : "canvas"}
        tabIndex={0}
        role="slider"
        aria-label={props.label + (onPick ? `. ${t("Enter filters by the point.")}` : "")}
        aria-orientation={props.vertical ? "vertical" : "horizontal"}
        aria-valuemin={points.length ? 1 : 0}
        aria-valuemax={points.length}
        aria-valuenow={index === null ? (points.length ? 1 : 0) : index + 1}
        aria-valuetext={words ?? t("{n} points; arrow keys read them", { n: points.length })}
        onKeyDown={onKeyDown}
        onBlur={() => setRead(null)}
        onMouseMove={(event) => setRead(under(event))}
        onMouseLeave={() => setRead(null)}
        onClick={pick}
      >
        {props.children(width, index)}
      </div>
    </div>
  );
}
