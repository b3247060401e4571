// A chart of a figure over time: its line and interval, the days compared with, the answers.

import type { JSX } from "preact";
import { scaleLinear } from "d3-scale";
import { area, line } from "d3-shape";
import { count } from "../format.ts";
import { axisDomain, axisRoom, axisTicks, type Tick } from "./axis.ts";
import { t } from "../texts.ts";
import { Reader, type ReadPoint } from "./reader.tsx";

export interface LinePoint extends ReadPoint {
  readonly tick: string;
  readonly year: string;
  readonly value: number | null;
  readonly low?: number | null;
  readonly high?: number | null;
  readonly before?: number | null;
  readonly n: number;
  /** Whether the figure may still change, and is so drawn hollow. */
  readonly open: boolean;
  /** Whether it is of a part of a period, and so drawn hollow, too. */
  readonly cut: boolean;
}

interface Props {
  readonly label: string;
  readonly points: readonly LinePoint[];
  readonly format: (value: number) => string;
  /** The least and the greatest value that the figure can have. */
  readonly bounds: readonly [number, number];
  readonly legend: readonly LegendItem[];
  readonly reference?: number | null;
  /** Further values within the axis, so that charts side by side can have the same one. */
  readonly reach?: readonly number[];
  /** The first and the last point of a run that is marked. */
  readonly marked?: readonly [number, number] | null;
  readonly volume?: boolean;
  readonly height?: number;
  readonly onPick?: (index: number) => void;
}

export interface LegendItem {
  readonly look: string;
  readonly text: string;
}

const MARGIN = { top: 10, right: 12, bottom: 24 };
/** The room to the left of the axis: its texts, and a gap. */
const LEAST_ROOM = 44;
const GAP = 8;
const VOLUME_HEIGHT = 44;
const VOLUME_GAP = 18;
const DOTS_UP_TO = 45;
/** The distance from the axis to the first point: half of the widest bar. */
const INSET = 14;

export function LineChart(props: Props): JSX.Element {
  const { points, volume = true, height = 260 } = props;
  const floor = height - MARGIN.bottom - (volume ? VOLUME_HEIGHT + VOLUME_GAP : 0);
  const y = scaleLinear()
    .domain(axisDomain(valuesOf(props), props.bounds))
    .nice(4)
    .range([floor, MARGIN.top]);
  const ticks = axisTicks(y, props.format);
  const left = axisRoom(ticks, LEAST_ROOM) + GAP;
  const x = (width: number) =>
    scaleLinear()
      .domain([0, Math.max(1, points.length - 1)])
      .range([left + INSET, width - MARGIN.right - INSET]);
  const at = (px: number, _py: number, width: number): number | null =>
    points.length
      ? Math.min(points.length - 1, Math.max(0, Math.round(x(width).invert(px))))
      : null;
  return (
    <Reader
      label={props.label}
      points={points}
      legend={<Legend items={withPartial(props.legend, points, "fill-cut")} />}
      onPick={props.onPick}
      at={at}
    >
      {(width, index) => (
        <Drawing
          {...props}
          volume={volume}
          height={height}
          width={width}
          index={index}
          floor={floor}
          ticks={ticks}
          left={left}
          x={x(width)}
          y={y}
        />
      )}
    </Reader>
  );
}

/** The legend, with an entry for parts of periods if there are any among the points. */
export function withPartial(
  legend: readonly LegendItem[],
  points: readonly { readonly cut?: boolean }[],
  look: string,
): readonly LegendItem[] {
  return points.some(({ cut }) => cut) ? [...legend, { look, text: t("Partial") }] : legend;
}

export function Legend({ items }: { readonly items: readonly LegendItem[] }): JSX.Element {
  return (
    <span class="legend">
      {items.map(({ look, text }) => (
        <span key={text}>
          <svg class="swatch" width="18" height="10" aria-hidden="true">
            {look === "band" || look.startsWith("fill") ? (
              <rect class={look} x="0" y="1" width="18" height="8" />
            ) : (
              <line class={look} x1="0" x2="18" y1="5" y2="5" />
            )}
          </svg>{" "}
          {text}
        </span>
      ))}
    </span>
  );
}

interface DrawingProps extends Props {
  readonly width: number;
  readonly height: number;
  readonly volume: boolean;
  readonly index: number | null;
  /** The y at which the area of the line ends and that of the counts begins. */
  readonly floor: number;
  readonly ticks: readonly Tick[];
  /** The x of the vertical axis. */
  readonly left: number;
  readonly x: (index: number) => number;
  readonly y: (value: number) => number;
}

function Drawing(props: DrawingProps): JSX.Element {
  const { points, width, height, volume, index, floor, left, x, y } = props;
  const known = (point: LinePoint): boolean => point.value !== null;
  const path = line<LinePoint>((_, i) => x(i), (p) => y(p.value ?? 0)).defined(known)(points);
  const before = line<LinePoint>((_, i) => x(i), (p) => y(p.before ?? 0))
    .defined((p) => typeof p.before === "number")(points);
  const band = area<LinePoint>((_, i) => x(i), (p) => y(p.low ?? 0), (p) => y(p.high ?? 0))
    .defined((p) => typeof p.low === "number" && typeof p.high === "number")(points);
  const read = index === null ? undefined : points[index];
  const half = (x(1) - x(0)) / 2;
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {props.marked && (
        <rect
          class="marked"
          x={x(props.marked[0]) - half}
          width={x(props.marked[1]) - x(props.marked[0]) + 2 * half}
          y={MARGIN.top}
          height={height - MARGIN.bottom - MARGIN.top}
        />
      )}
      {props.ticks.map(({ value, text }) => (
        <g key={value}>
          <line class="grid" x1={left} x2={width - MARGIN.right} y1={y(value)} y2={y(value)} />
          <text class="axis end" x={left - GAP} y={y(value)} dy="0.32em">
            {text}
          </text>
        </g>
      ))}
      {typeof props.reference === "number" && (
        <line
          class="reference"
          x1={left}
          x2={width - MARGIN.right}
          y1={y(props.reference)}
          y2={y(props.reference)}
        />
      )}
      <path class="band" d={band ?? ""} />
      <path class="line before" d={before ?? ""} />
      <path class="line" d={path ?? ""} />
      {points.map(
        (point, i) =>
          point.value !== null &&
          (points.length <= DOTS_UP_TO || isHollow(point) || isAlone(points, i)) && (
            <circle
              key={i}
              class={`dot${look(point)}`}
              cx={x(i)}
              cy={y(point.value)}
              r={isHollow(point) ? 4 : 2.5}
            />
          ),
      )}
      {volume && <Volume {...props} top={floor + VOLUME_GAP} />}
      <Ticks points={points} x={x} width={width} y={height - 6} />
      {read && index !== null && (
        <g>
          <line
            class="cursor"
            x1={x(index)}
            x2={x(index)}
            y1={MARGIN.top}
            y2={height - MARGIN.bottom}
          />
          {read.value !== null && (
            <circle class="dot read" cx={x(index)} cy={y(read.value)} r="5" />
          )}
        </g>
      )}
    </svg>
  );
}

function isHollow({ open, cut }: LinePoint): boolean {
  return open || cut;
}

/** The classes that are added to a point's dot and bar. */
function look({ open, cut }: LinePoint): string {
  return `${open ? " open" : ""}${cut ? " cut" : ""}`;
}

/** Whether a point has no neighbour with a value, so that no line would show it. */
function isAlone(points: readonly LinePoint[], i: number): boolean {
  return [points[i - 1], points[i + 1]].every((p) => p === undefined || p.value === null);
}

/** All values that the axis has to contain. */
function valuesOf({ points, reference, reach = [] }: Props): number[] {
  return points
    .flatMap((p) => [p.value, p.low, p.high, p.before])
    .concat(reference, ...reach)
    .filter((value) => typeof value === "number");
}

function Volume(props: DrawingProps & { readonly top: number }): JSX.Element {
  const { points, left, x, top } = props;
  const most = Math.max(1, ...points.map((p) => p.n));
  const h = scaleLinear([0, most], [0, VOLUME_HEIGHT]);
  const bar = Math.max(1, Math.min(2 * INSET - 2, x(1) - x(0) - 2));
  return (
    <g>
      <line class="grid" x1={left} x2={x(points.length - 1) + INSET} y1={top} y2={top} />
      <text class="axis end" x={left - GAP} y={top} dy="0.32em">
        n {count(most)}
      </text>
      {points.map((point, i) => (
        <rect
          key={i}
          class={`volume${look(point)}`}
          x={x(i) - bar / 2}
          width={bar}
          y={top + VOLUME_HEIGHT - h(point.n)}
          height={h(point.n)}
        />
      ))}
    </g>
  );
}

/** The width of a letter of a tick's text, and the least room between two texts. */
const LETTER = 7;
const BETWEEN = 14;

interface TicksProps {
  readonly points: readonly { readonly tick: string; readonly year?: string }[];
  readonly x: (index: number) => number;
  readonly width: number;
  readonly y: number;
}

/** As many labels as there is room for, evenly spaced; with years if there are several. */
export function Ticks({ points, x, width, y }: TicksProps): JSX.Element {
  const several = new Set(points.map(({ year }) => year)).size > 1;
  const text = ({ tick, year }: { tick: string; year?: string }): string =>
    several && year ? `${tick} ${year}` : tick;
  const longest = Math.max(0, ...points.map((point) => text(point).length));
  const room = (width - x(0)) / (longest * LETTER + BETWEEN);
  const every = Math.max(1, Math.ceil(points.length / room));
  return (
    <g>
      {points.map(
        (point, i) =>
          i % every === 0 && (
            <text key={i} class="axis middle" x={x(i)} y={y}>
              {text(point)}
            </text>
          ),
      )}
    </g>
  );
}

interface SparklineProps {
  readonly values: readonly (number | null)[];
  readonly marked?: readonly [number, number] | null;
}

/** A line without axes, drawn beside a figure. */
export function Sparkline({ values, marked }: SparklineProps): JSX.Element {
  const [width, height] = [160, 36];
  const known = values.filter((v) => v !== null);
  const x = scaleLinear([0, Math.max(1, values.length - 1)], [3, width - 3]);
  const y = scaleLinear([Math.min(...known), Math.max(...known)], [height - 4, 4]);
  const path = line<number | null>((_, i) => x(i), (v) => y(v ?? 0)).defined((v) => v !== null);
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {marked && (
        <rect
          class="marked"
          x={x(marked[0])}
          width={x(marked[1]) - x(marked[0])}
          y="0"
          height={height}
        />
      )}
      {known.length > 1 && <path class="line" d={path(values) ?? ""} />}
    </svg>
  );
}
