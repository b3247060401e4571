// The note about the worst run of days, to which charts over time point.

import type { JSX } from "preact";
import { periodEnd, type Granularity } from "../days.ts";
import * as format from "../format.ts";
import { count, label, number, type Row } from "../reply.ts";
import { rowOf } from "../series.ts";
import { findWorstRun, type WorstRun } from "../worst-run.ts";
import { plural, t, toTranslate } from "../texts.ts";

export interface MarkedRun {
  readonly run: WorstRun;
  /** The indexes of its first and its last row. */
  readonly marked: readonly [number, number];
}

/**
 * The worst run of one measure's rows by period, with the indexes of its rows. `total` is the
 * measure's row over all days, and `score` the column of its scores.
 */
export function markedRunOf(
  rows: readonly Row[],
  total: Row | undefined,
  granularity: Granularity,
  score: string,
): MarkedRun | null {
  const days = rows.map((row) => {
    const day = label(row, "period") ?? "";
    return { day, last: periodEnd(day, granularity), n: count(row), score: number(row, score) };
  });
  const run = findWorstRun(days, number(total, "ci_low"), number(total, "ci_high"));
  return run && { run, marked: [rowOf(rows, run.start), rowOf(rows, run.end)] };
}

interface Props {
  readonly markedRun: MarkedRun;
  readonly metric: string;
}

export function WorstRunNote({ markedRun, metric }: Props): JSX.Element {
  const { start, end, length, within, others } = markedRun.run;
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
