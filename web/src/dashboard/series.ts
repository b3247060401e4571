// Makes the points of a chart over time from rows by period.

import type { LinePoint } from "./charts/line.tsx";
import { daysBetween, type Granularity } from "./days.ts";
import { now } from "./estimates.ts";
import * as format from "./format.ts";
import { label, number, span, type Meta, type Row } from "./reply.ts";
import { remarks, standing } from "./standing.ts";
import type { Params } from "./view.ts";
import { t } from "./texts.ts";

/** The granularity of the view if it can be drawn, otherwise one that is easy to read. */
export function granularityOf(params: Params, meta: Meta | null): Granularity {
  const days = lengthOf(params, meta);
  const asked = params.get("granularity");
  if (asked === "day") return days <= MOST_POINTS ? "day" : days <= 7 * MOST_POINTS ? "week" : "month";
  if (asked === "week") return days <= 7 * MOST_POINTS ? "week" : "month";
  if (asked === "month") return "month";
  return days <= 100 ? "day" : days <= 800 ? "week" : "month";
}

/** The most points of a chart: more would be closer to each other than a pixel or two. */
const MOST_POINTS = 400;

/** The note of a chart that has longer periods than the view's; null without any. */
export function coarserNote(params: Params, drawn: Granularity): string | null {
  const asked = params.get("granularity");
  if (asked === drawn || (asked !== "day" && asked !== "week")) return null;
  return t("By {drawn}: a chart of all these days by {asked} could not be read.", {
    drawn: t(drawn),
    asked: t(asked),
  });
}

/** The number of days; an estimate until a reply says which days a preset means. */
function lengthOf(params: Params, meta: Meta | null): number {
  const days = meta ? span(meta.date_range) : null;
  const start = days?.start_date ?? params.get("start_date");
  const end = days?.end_date ?? params.get("end_date");
  if (start && end) return daysBetween(start, end);
  return /year|12_months|all_time/.test(params.get("preset") ?? "") ? 365 : 28;
}

/** The index of the row by period that a day is in; -1 if the day is before all of them. */
export function rowOf(rows: readonly Row[], day: string): number {
  return rows.filter((row) => (label(row, "period") ?? "") <= day).length - 1;
}

export function scorePoints(
  rows: readonly Row[],
  metric: string,
  granularity: Granularity,
  meta: Meta,
  score = "score",
): LinePoint[] {
  return rows.map((row) => {
    const start = label(row, "period") ?? "";
    const { low, high, n } = now(row);
    const value = number(row, score);
    const before = number(row, `${score}_previous`);
    const told = standing(row, granularity, meta);
    const figure = format.score(value, metric);
    const interval =
      low === null || high === null ? "" : ` (${format.fixed(low, 1)} to ${format.fixed(high, 1)})`;
    return {
      tick: format.tick(start, granularity),
      year: start.slice(0, 4),
      words: [
        granularity === "day" ? format.longDay(start) : format.period(start, granularity),
        `: ${figure}${interval}, n ${format.count(n)}`,
        before === null ? "" : `, ${t("before {figure}", { figure: format.score(before, metric) })}`,
        remarks(told),
      ].join(""),
      value,
      low,
      high,
      before,
      n,
      open: told.open,
      cut: told.cut,
    };
  });
}

/** The least and the greatest value of a headline. */
export function bounds(metric: string): readonly [number, number] {
  return [metric === "nps" ? -100 : 0, 100];
}

/** A headline's value as text on an axis. */
export function axis(metric: string): (value: number) => string {
  return (value) => (metric === "nps" ? format.fixed(value, 0) : format.percent(value, 0));
}
