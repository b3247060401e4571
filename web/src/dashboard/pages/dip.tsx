// The days that went worst, as charts over time point at them.

import type { JSX } from "preact";
import type { Granularity } from "../days.ts";
import * as format from "../format.ts";
import { count, label, number, type Row } from "../reply.ts";
import { worstStretch, type Stretch } from "../stretch.ts";

export interface Dip {
  readonly stretch: Stretch;
  /** Its first and its last row. */
  readonly marked: readonly [number, number];
}

/** Of one measure's rows by day, whose scores are in the column named; of its row over all days. */
export function dipOf(
  rows: readonly Row[],
  total: Row | undefined,
  granularity: Granularity,
  score: string,
): Dip | null {
  if (granularity !== "day") return null;
  const days = rows.map((row) => ({
    day: label(row, "period") ?? "",
    n: count(row),
    score: number(row, score),
  }));
  const stretch = worstStretch(days, number(total, "ci_low"), number(total, "ci_high"));
  const index = (day: string): number => days.findIndex((each) => each.day === day);
  return stretch && { stretch, marked: [index(stretch.start), index(stretch.end)] };
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
