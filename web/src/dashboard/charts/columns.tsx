// A chart of columns, plain or stacked: how often each score was given, or which shares of each
// period's answers were good, neutral and bad.

import type { JSX } from "preact";
import { scaleLinear } from "d3-scale";
import { Legend, Ticks, withPartial, type LegendItem } from "./line.tsx";
import { Reader, type ReadPoint } from "./reader.tsx";

export interface ColumnPart {
  readonly value: number;
  readonly look: string;
}

export interface ColumnPoint extends ReadPoint {
  readonly tick: string;
  /** The year of the column, on an axis of days. */
  readonly year?: string;
  /** The parts of the column, from the bottom. */
  readonly parts: readonly ColumnPart[];
  /** Whether it is of a part of a period, and so drawn pale. */
  readonly cut?: boolean;
  /** The text above the column, if there is room. */
  readonly text?: string;
}

interface Props {
  readonly label: string;
  readonly points: readonly ColumnPoint[];
  readonly format: (value: number) => string;
  readonly legend: readonly LegendItem[];
  /** The end of the axis; without it, the height of the highest column. */
  readonly most?: number;
  readonly height?: number;
  readonly onPick?: (index: number) => void;
}

const LEFT = 44;
const RIGHT = 8;
const BOTTOM = 24;

export function ColumnChart(props: Props): JSX.Element {
  const { points } = props;
  const at = (x: number, _y: number, width: number): number | null => {
    const index = Math.floor(((x - LEFT) / (width - LEFT - RIGHT)) * points.length);
    return index >= 0 && index < points.length ? index : null;
  };
  return (
    <Reader
      label={props.label}
      points={points}
      legend={<Legend items={withPartial(props.legend, points, "fill-pale")} />}
      onPick={props.onPick}
      at={at}
    >
      {(width, index) => <Drawing {...props} width={width} index={index} />}
    </Reader>
  );
}

function Drawing(props: Props & { width: number; index: number | null }): JSX.Element {
  const { points, width, index, height = 220 } = props;
  const heights = points.map((point) => point.parts.reduce((sum, part) => sum + part.value, 0));
  const y = scaleLinear([0, props.most ?? Math.max(1, ...heights)], [height - BOTTOM, 20]);
  const step = (width - LEFT - RIGHT) / Math.max(1, points.length);
  const centre = (i: number): number => LEFT + (i + 0.5) * step;
  const bar = Math.max(1, Math.min(48, step - Math.min(6, step * 0.2)));
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {y.ticks(4).map((tick) => (
        <g key={tick}>
          <line class="grid" x1={LEFT} x2={width - RIGHT} y1={y(tick)} y2={y(tick)} />
          <text class="axis end" x={LEFT - 8} y={y(tick)} dy="0.32em">
            {props.format(tick)}
          </text>
        </g>
      ))}
      {points.map((point, i) => (
        <g key={i} class={`column${i === index ? " read" : ""}${point.cut ? " cut" : ""}`}>
          {stacked(point.parts).map(({ from, to, look }) => (
            <rect
              key={look}
              class={look}
              x={centre(i) - bar / 2}
              width={bar}
              y={y(to)}
              height={Math.max(0, y(from) - y(to))}
            />
          ))}
          {point.text !== undefined && step > 30 && (
            <text class="axis middle" x={centre(i)} y={y(heights[i] ?? 0) - 5}>
              {point.text}
            </text>
          )}
        </g>
      ))}
      <Ticks points={points} x={centre} width={width} y={height - 6} />
    </svg>
  );
}

interface StackedPart {
  readonly from: number;
  readonly to: number;
  readonly look: string;
}

function stacked(parts: readonly ColumnPart[]): StackedPart[] {
  let top = 0;
  return parts.map(({ value, look }) => ({ from: top, to: (top += value), look }));
}
