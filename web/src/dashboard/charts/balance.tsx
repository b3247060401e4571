// Bars to the left of zero for groups that lowered a score, to the right for those that raised it.
// Bars of significant changes are filled, the others are outlines.

import type { JSX } from "preact";
import { scaleLinear } from "d3-scale";
import { Legend } from "./line.tsx";
import { Reader, type ReadPoint } from "./reader.tsx";
import { shortened } from "./shortened.ts";
import { t } from "../texts.ts";

interface BalanceRow extends ReadPoint {
  readonly label: string;
  readonly detail: string;
  readonly value: number;
  readonly sure: boolean;
  readonly text: string;
  readonly aside: string;
}

interface Props {
  readonly label: string;
  readonly rows: readonly BalanceRow[];
  readonly onPick: (index: number) => void;
}

const ROW = 34;
const TOP = 4;

export function BalanceChart({ label, rows, onPick }: Props): JSX.Element {
  const at = (_x: number, y: number): number | null => {
    const index = Math.floor((y - TOP) / ROW);
    return index >= 0 && index < rows.length ? index : null;
  };
  return (
    <Reader
      label={label}
      points={rows}
      legend={
        <Legend
          items={[
            { look: "fill-bad", text: t("Takes points away") },
            { look: "fill-good", text: t("Adds points") },
            { look: "fill-unsure", text: t("Outline: may be chance") },
          ]}
        />
      }
      vertical
      onPick={onPick}
      at={at}
    >
      {(width, index) => <Drawing rows={rows} width={width} index={index} />}
    </Reader>
  );
}

interface DrawingProps {
  readonly rows: readonly BalanceRow[];
  readonly width: number;
  readonly index: number | null;
}

function Drawing({ rows, width, index }: DrawingProps): JSX.Element {
  const narrow = width < 520;
  const [left, right] = narrow ? [118, 4] : [190, 130];
  const ends = rows.map((row) => row.value).concat(0);
  const gap = 40; // for the figures beside the bars
  const x = scaleLinear([Math.min(...ends), Math.max(...ends)], [left + gap, width - right - gap]);
  const height = TOP + rows.length * ROW + 4;
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {rows.map((row, i) => {
        const y = TOP + i * ROW;
        const look = row.value < 0 ? "fill-bad" : "fill-good";
        const [from, to] = [Math.min(x(0), x(row.value)), Math.max(x(0), x(row.value))];
        return (
          <g key={`${row.detail} ${row.label}`}>
            <rect class={i === index ? "hit read" : "hit"} x="0" y={y} width={width} height={ROW} />
            <text class="name" x="0" y={y + 15}>
              {shortened(row.label, narrow ? 16 : 26)}
            </text>
            <text class="axis" x="0" y={y + 28}>
              {shortened(row.detail, narrow ? 20 : 34)}
            </text>
            <rect
              class={row.sure ? look : `${look} unsure`}
              x={from}
              width={Math.max(1, to - from)}
              y={y + 8}
              height={ROW - 16}
            />
            <text
              class={row.value < 0 ? "figure-text end" : "figure-text"}
              x={row.value < 0 ? from - 5 : to + 5}
              y={y + ROW / 2}
              dy="0.35em"
            >
              {row.text}
            </text>
            {!narrow && (
              <text class="axis end" x={width} y={y + ROW / 2} dy="0.35em">
                {row.aside}
              </text>
            )}
          </g>
        );
      })}
      <line class="zero" x1={x(0)} x2={x(0)} y1={TOP} y2={height} />
    </svg>
  );
}
