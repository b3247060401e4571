// A chart with a dot for the figure of each group, with its interval or a line from zero. A hollow
// dot is the figure of the days compared with.

import type { JSX } from "preact";
import { scaleLinear } from "d3-scale";
import { Legend, type LegendItem } from "./line.tsx";
import { Reader, type ReadPoint } from "./reader.tsx";
import { shortened } from "./shortened.ts";

export interface DotRow extends ReadPoint {
  readonly label: string;
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly before: number | null;
  /** The text at the right: the figure, and the number of answers. */
  readonly text: string;
  readonly aside: string;
  readonly look: "" | "worse" | "better";
}

interface Props {
  readonly label: string;
  readonly rows: readonly DotRow[];
  readonly format: (value: number) => string;
  readonly reference: number | null;
  readonly legend: readonly LegendItem[];
  readonly onPick?: (index: number) => void;
}

const ROW = 30;
const NARROW = 520;
const TOP = 22;

export function DotPlot(props: Props): JSX.Element {
  const { rows } = props;
  const at = (_x: number, y: number): number | null => {
    const index = Math.floor((y - TOP) / ROW);
    return index >= 0 && index < rows.length ? index : null;
  };
  return (
    <Reader
      label={props.label}
      points={rows}
      legend={<Legend items={props.legend} />}
      vertical
      onPick={props.onPick}
      at={at}
    >
      {(width, index) => <Drawing {...props} width={width} index={index} />}
    </Reader>
  );
}

function Drawing(props: Props & { width: number; index: number | null }): JSX.Element {
  const { rows, width, index, reference } = props;
  const [left, right] = width < NARROW ? [116, 66] : [180, 140];
  const values = rows
    .flatMap((row) => [row.low, row.high, row.value, row.before])
    .concat(reference)
    .filter((v) => v !== null);
  const domain = values.length ? [Math.min(...values), Math.max(...values)] : [0, 100];
  const x = scaleLinear().domain(domain).nice(4).range([left + 8, width - right - 8]);
  const height = TOP + rows.length * ROW + 4;
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {x.ticks(width < NARROW ? 3 : 5).map((tick) => (
        <g key={tick}>
          <line class="grid" x1={x(tick)} x2={x(tick)} y1={TOP - 4} y2={height} />
          <text class="axis middle" x={x(tick)} y={12}>
            {props.format(tick)}
          </text>
        </g>
      ))}
      {reference !== null && (
        <line class="reference" x1={x(reference)} x2={x(reference)} y1={TOP - 4} y2={height} />
      )}
      {rows.map((row, i) => (
        <Row key={i} row={row} x={x} top={TOP + i * ROW} width={width} read={i === index} />
      ))}
    </svg>
  );
}

interface RowProps {
  readonly row: DotRow;
  readonly x: (value: number) => number;
  readonly top: number;
  readonly width: number;
  readonly read: boolean;
}

function Row({ row, x, top, width, read }: RowProps): JSX.Element {
  const y = top + ROW / 2;
  const narrow = width < NARROW;
  const label = shortened(row.label, narrow ? 17 : 25);
  return (
    <g class={`row ${row.look}`}>
      <rect class={read ? "hit read" : "hit"} x="0" y={top} width={width} height={ROW} />
      <text class="name" x="0" y={y} dy="0.35em">
        {label}
      </text>
      {row.low !== null && row.high !== null && (
        <line class="whisker" x1={x(row.low)} x2={x(row.high)} y1={y} y2={y} />
      )}
      {row.before !== null && <circle class="dot hollow" cx={x(row.before)} cy={y} r="4.5" />}
      {row.value !== null && <circle class="dot" cx={x(row.value)} cy={y} r="5" />}
      <text class="figure-text end" x={narrow ? width : width - 64} y={narrow ? y - 2 : y + 4}>
        {row.text}
      </text>
      <text class="axis end" x={width} y={narrow ? y + 11 : y + 4}>
        {row.aside}
      </text>
    </g>
  );
}
