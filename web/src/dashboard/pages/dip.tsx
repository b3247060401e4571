// The days that went worst, as charts over time point at them.

import type { JSX } from "preact";
import { periodEnd, type Granularity } from "../days.ts";
import * as format from "../format.ts";
import { count, label, number, type Row } from "../reply.ts";
import { rowOf } from "../series.ts";
import { worstStretch, type Stretch } from "../stretch.ts";
import { plural, t, toTranslate } from "../texts.ts";

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
      {t(
        plural(
          length,
          toTranslate(
            "Marked: the day that went worst, {days}, at {score} against {others} on the others.",
          ),
          toTranslate(
            "Marked: the {n} days that went worst, {days}, at {score} against {others} on the others.",
          ),
        ),
        {
          n: length,
          days: format.days(start, end),
          score: format.score(within.score, metric),
          others: format.score(others.score, metric),
        },
      )}
    </>
  );
}
