// Links to the comments behind figures: those of a row, a chart, or a sentence. The page Comments
// takes the same days and filters as reports on surveys and on experience, so a link is the view with
// more filters.

import type { Phrase } from "../interface.ts";
import { catalogue, findReport } from "./catalogue.ts";
import { withAgainst, withContrast } from "./contrast.ts";
import { asOfComments, commentFilters } from "./experienced.ts";
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

/** The parameter that says by which day an answer counts, and its value for the interaction's. */
export const DATE_BASIS = "date_basis";
export const ENTERED = "entered";

/** A column whose cell narrows the comments of a row; null where nothing finds those of the row. */
export interface Narrowing {
  readonly narrows?: ((params: Params, row: Row) => Params | null) | undefined;
}

/** The view of the comments behind a row; null if there are none to be read, or nothing tells them apart. */
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

/** The view of the comments behind a chart, of one measure if all its rows are. */
export function behindRows(report: string, params: Params, rows: readonly Row[]): View | null {
  return rows.some((row) => count(row) > 0) ? behind(report, ofItsMeasure(params, rows)) : null;
}

/** The views of the comments behind a sentence, one for each metric, by its narrowest evidence. */
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
 * If a sentence is about one group, the group's words are compared with those of all others: nearly
 * all of its answers may be bad, so that there are hardly any good ones to compare with.
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

/** Only keys that may read comments get a link, and only from figures about surveys. */
function behind(report: string, params: Params): View | null {
  const known = findReport(report);
  if (!catalogue.value?.comments || known?.family === "interaction") return null;
  const ofExperience = known?.family === "experience";
  // comments lie on the days of their answers
  if (ofExperience && params.get(DATE_BASIS) === ENTERED) return null;
  const fixed = Object.entries(known?.fixed_filters ?? {}).map(
    ([name, values]) => [name, formatCondition({ negated: false, values })] as const,
  );
  const named = ofExperience ? asOfComments(params) : params;
  const filters = [...commentFilters(), "score"];
  const found = withParams(carried(named, filters), Object.fromEntries(fixed));
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

/** The parameters with a filter by the score of a row, in tables by score. */
export function withScore(params: Params, row: Row): Params {
  return withParams(params, { score: label(row, "score_value") });
}
