// Reads a report's reply: the cells of its rows, its measures, its days. Pure.

import type { Cell, Column, Meta, Reply, Row } from "../interface.ts";

export type { Cell, Column, Meta, Reply, Row };

/** First and last day, of one tenant or of several. */
export interface Span {
  readonly start_date: string;
  readonly end_date: string;
  readonly timezone?: string;
}

/** A figure; null if there is none. */
export function number(row: Row | undefined, name: string): number | null {
  const cell = row?.[name];
  return typeof cell === "number" ? cell : null;
}

/** A count; null is 0. */
export function count(row: Row | undefined, name = "responses"): number {
  return number(row, name) ?? 0;
}

/** A dimension's value in a row; null if events do not name the dimension. */
export function label(row: Row, name: string): string | null {
  const cell = row[name];
  return cell === null || cell === undefined ? null : String(cell);
}

/** A survey metric on a scale, whose figures can be compared. */
export interface Measure {
  readonly metric: string;
  readonly scale: string;
}

const ORDER = ["csat", "nps", "ces"];

/** The measures of some rows, in the order in which the pages show them. */
export function measures(rows: readonly Row[]): Measure[] {
  const found = new Map<string, Measure>();
  for (const row of rows) {
    const [metric, scale] = [label(row, "metric"), label(row, "scale")];
    if (metric !== null && scale !== null) found.set(`${metric} ${scale}`, { metric, scale });
  }
  return [...found.values()].sort((a, b) => ORDER.indexOf(a.metric) - ORDER.indexOf(b.metric));
}

export function isSame(a: Measure, b: Measure): boolean {
  return a.metric === b.metric && a.scale === b.scale;
}

export function ofMeasure(rows: readonly Row[], measure: Measure): Row[] {
  return rows.filter((row) => row["metric"] === measure.metric && row["scale"] === measure.scale);
}

/** First and last day over all tenants of the reply. */
export function span(range: Meta["date_range"]): Span {
  const spans = range.tenants ?? [range as Span];
  const starts = spans.map((s) => s.start_date).sort();
  const ends = spans.map((s) => s.end_date).sort();
  const timezone = spans[0]?.timezone;
  return {
    start_date: starts[0] ?? "",
    end_date: ends.at(-1) ?? "",
    ...(timezone === undefined ? {} : { timezone }),
  };
}
