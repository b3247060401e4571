// From rows by period to the points of a chart over time.

import type { LinePoint } from "./charts/line.tsx";
import { daysBetween, isOpen, periodEnd, type Granularity } from "./days.ts";
import { now } from "./estimates.ts";
import * as format from "./format.ts";
import { label, number, span, type Meta, type Row } from "./reply.ts";
import type { Params } from "./view.ts";

/** The granularity asked for; else one that gives a readable number of points. */
export function granularityOf(params: Params, meta: Meta | null): Granularity {
  const asked = params.get("granularity");
  if (asked === "day" || asked === "week" || asked === "month") return asked;
  if (!meta) return lengthOf(params);
  const days = span(meta.date_range);
  return forDays(daysBetween(days.start_date, days.end_date));
}

/** Before any reply tells which days a preset means. */
function lengthOf(params: Params): Granularity {
  const [start, end] = [params.get("start_date"), params.get("end_date")];
  if (start && end) return forDays(daysBetween(start, end));
  return /year|12_months|all_time/.test(params.get("preset") ?? "") ? "week" : "day";
}

function forDays(days: number): Granularity {
  return days <= 100 ? "day" : days <= 800 ? "week" : "month";
}

export function scorePoints(
  rows: readonly Row[],
  metric: string,
  granularity: Granularity,
  meta: Meta,
  score = "score",
): LinePoint[] {
  const zone = span(meta.date_range).timezone ?? "UTC";
  return rows.map((row) => {
    const start = label(row, "period") ?? "";
    const { low, high, n } = now(row);
    const value = number(row, score);
    const before = number(row, `${score}_previous`);
    const open = isOpen(periodEnd(start, granularity), meta.as_of, zone);
    const figure = format.score(value, metric);
    const interval =
      low === null || high === null ? "" : ` (${format.fixed(low, 1)} to ${format.fixed(high, 1)})`;
    return {
      tick: format.tick(start, granularity),
      words: [
        granularity === "day" ? format.longDay(start) : format.period(start, granularity),
        `: ${figure}${interval}, n ${format.count(n)}`,
        before === null ? "" : `, before ${format.score(before, metric)}`,
        open ? ", still open" : "",
      ].join(""),
      value,
      low,
      high,
      before,
      n,
      open,
    };
  });
}

/** What a headline can lie between. */
export function bounds(metric: string): readonly [number, number] {
  return [metric === "nps" ? -100 : 0, 100];
}

/** Axis text of a headline. */
export function axis(metric: string): (value: number) => string {
  return (value) => (metric === "nps" ? format.fixed(value, 0) : format.percent(value, 0));
}
