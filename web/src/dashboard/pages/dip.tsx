// The days that went worst, as charts over time point at them.

import type { JSX } from "preact";
import { periodEnd, type Granularity } from "../days.ts";
import * as format from "../format.ts";
import { count, label, number, type Row } from "../reply.ts";
import { rowOf } from "../series.ts";
import { worstStretch, type Stretch } from "../stretch.ts";

export interface Dip {
  readonly stretch: Stretch;
  /** Its first and its last row. */
  readonly marked: readonly [number, number];
}

/** Of one measure's rows by period, whose scores are in the column named; of its row over all days. */
export function dipOf(
  rows: readonly Row[],
  total: Row | undefined,
  granularity: Granularity,
  score: string,
): Dip | null {
  const days = rows.map((row) => {
    const day = label(row, "period") ?? "";
    return { day, last: periodEnd(day, granularity), n: count(row), score: number(row, score) };
  });
  const stretch = worstStretch(days, number(total, "ci_low"), number(total, "ci_high"));
  return stretch && { stretch, marked: [rowOf(rows, stretch.start), rowOf(rows, stretch.end)] };
}

interface Props {
  readonly dip: Dip;
  readonly metric: string;
}

export function DipNote({ dip, metric }: Props): JSX.Element {
  const { start, end, length, within, others } = dip.stretch;
  return (
    <>
      Marked: the {length === 1 ? "day" : `${length} days`} that went worst,{" "}
      {format.days(start, end)}, at {format.score(within.score, metric)} against{" "}
      {format.score(others.score, metric)} on the others.
    </>
  );
}
