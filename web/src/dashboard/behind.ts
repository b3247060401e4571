// The comments behind figures: those of a row, a chart, a sentence. The page Comments takes the
// same days and filters as reports of surveys, so the way there is the view, narrowed.

import type { Phrase } from "../interface.ts";
import { catalogue, findReport } from "./catalogue.ts";
import { withAgainst, withContrast } from "./contrast.ts";
import { count, label, measures, type Row } from "./reply.ts";
import {
  carried,
  evidenceOf,
  filteredTo,
  formatCondition,
  onlyValue,
  withParams,
  type Params,
  type View,
} from "./view.ts";

/** A column, by whose cell a row's comments are found; null where nothing finds those of the row. */
export interface Narrowing {
  readonly narrows?: ((params: Params, row: Row) => Params | null) | undefined;
}

/** The comments behind a row; null where there are none to be read, or nothing tells them apart. */
export function behindRow(
  report: string,
  params: Params,
  columns: readonly Narrowing[],
  row: Row,
): View | null {
  if (count(row) === 0) return null;
  const narrowed = columns.reduce<Params | null>(
    (found, { narrows }) => (found && narrows ? narrows(found, row) : found),
    ofItsMeasure(params, [row]),
  );
  return narrowed && behind(report, narrowed);
}

/** The comments behind a chart of rows, which are of its measure where all rows are of one. */
export function behindRows(report: string, params: Params, rows: readonly Row[]): View | null {
  return rows.some((row) => count(row) > 0) ? behind(report, ofItsMeasure(params, rows)) : null;
}

/** The comments behind a sentence: by each metric that it tells of, those of its closest evidence. */
export function behindPhrases(phrases: readonly Phrase[], params: Params): View[] {
  const closest = new Map<string, View>();
  for (const { report, query } of phrases) {
    const view =
      report === null || query === null
        ? null
        : behind(report, evidenceOf(report, query, params).params);
    if (!view) continue;
    const metric = view.params.get("metric") ?? "";
    if (view.params.size > (closest.get(metric)?.params.size ?? 0)) closest.set(metric, view);
  }
  return [...closest.values()].map((view) => againstOthers(view, params));
}

/**
 * Where a sentence tells of one group, its words are held against those of all others: nearly all
 * of its answers may be bad, so that there are hardly good ones to compare them with.
 */
function againstOthers(view: View, params: Params): View {
  const measure = ["metric", "scale"];
  const own = (findReport("daily")?.filters ?? []).filter(
    (name) => view.params.has(name) && !params.has(name) && !measure.includes(name),
  );
  const [dimension] = own;
  const value = dimension === undefined ? undefined : onlyValue(view.params, dimension);
  if (dimension === undefined || own.length > 1 || value === undefined) return view;
  const chosen = withContrast(view.params, "filter");
  return { page: view.page, params: withAgainst(chosen, { dimension, value }) };
}

/** Only a key that may read comments is led to them, and only from answers to surveys. */
function behind(report: string, params: Params): View | null {
  const known = findReport(report);
  if (!catalogue.value?.comments || known?.family === "interaction") return null;
  const fixed = Object.entries(known?.fixed_filters ?? {}).map(
    ([name, values]) => [name, formatCondition({ negated: false, values })] as const,
  );
  const filters = [...(findReport("daily")?.filters ?? []), "score"];
  const found = withParams(carried(params, filters), Object.fromEntries(fixed));
  return { page: "comments", params: withParams(found, { granularity: null }) };
}

function ofItsMeasure(params: Params, rows: readonly Row[]): Params {
  const [measure, ...others] = measures(rows);
  if (!measure || others.length > 0) return params;
  const { metric, scale } = measure;
  // rows over every metric
  if (metric === "all") return withParams(params, { metric: null, scale: null });
  return filteredTo(filteredTo(params, "metric", metric), "scale", scale);
}

/** The days of a row's period that were asked for. */
export function daysWithin(
  start: string,
  end: string,
  asked: { readonly start_date: string; readonly end_date: string },
): [string, string] {
  return [
    start > asked.start_date ? start : asked.start_date,
    end < asked.end_date ? end : asked.end_date,
  ];
}

/** The score of a row that is of one, as the comments are asked for it. */
export function withScore(params: Params, row: Row): Params {
  return withParams(params, { score: label(row, "score_value") });
}
