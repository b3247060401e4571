// The worst days of all measures, asked about in two steps: for whom, and within that group for
// whom most; and what it cost.

import { findReport } from "../catalogue.ts";
import { culprit, type Culprit } from "../culprit.ts";
import { before, groupsOf, now } from "../estimates.ts";
import { METRIC_SEGMENTS } from "../names.ts";
import { reportPath, useReports } from "../replies.ts";
import {
  count,
  label,
  measures,
  number,
  ofMeasure,
  type Measure,
  type Reply,
  type Row,
} from "../reply.ts";
import type { Contacts, Cost, RevenueChange, Worst } from "../sentences.ts";
import { worstStretch, type Stretch } from "../stretch.ts";
import { toMeasure } from "../measures.tsx";
import { filteredTo, reportQuery, withDates, type Params } from "../view.ts";

/** Whose groups may be named. Agents are not: a bad week is not to be laid at somebody's door. */
const NAMED = ["country", "channel", "device", "browser", "os", "survey"];

interface Found {
  readonly measure: Measure;
  readonly stretch: Stretch;
}

interface Asked {
  readonly value: Worst | null;
  /** True while more may still come to be known. */
  readonly stale: boolean;
}

export function useWorst(
  params: Params,
  filters: readonly string[],
  totals: Reply,
  series: Reply | null,
): Asked {
  const found = series && worstOfAll(totals.rows, series.rows);
  const asked =
    found &&
    withDates(toMeasure(params, found.measure), found.stretch.start, found.stretch.end);
  const changes = { granularity: "total", compare: "previous_period", limit: "10000" };
  const by = (inThese: Params | null, names: readonly string[]): string[] =>
    inThese === null
      ? []
      : names.map((name) =>
          reportPath("daily", reportQuery(inThese, filters, { ...changes, group_by: name })),
        );
  const dimensions = NAMED.filter((name) => filters.includes(name) && !params.has(name));
  const groups = useReports(by(asked, dimensions));
  const first = asked && !groups.stale ? explained(groups.value, dimensions) : null;

  const rest = first ? dimensions.filter((name) => name !== first.key.dimension) : [];
  const there = asked && first && filteredTo(asked, first.key.dimension, first.key.value);
  const parts = useReports(by(there, rest));
  const within = there && !parts.stale ? explained(parts.value, rest) : null;

  const segments = useReports(
    asked && found ? [reportPath(found.measure.metric, reportQuery(asked, filters, changes))] : [],
  );
  const others = useReports(asked ? contactPaths(params, asked) : []);
  if (!found) return { value: null, stale: false };
  const cost = costOf(
    found,
    segments.stale ? null : segments.value,
    others.stale ? null : others.value,
  );
  return {
    value: { ...found, culprit: first, within, cost },
    stale: groups.stale || parts.stale || segments.stale || others.stale,
  };
}

/** Of each measure's worst days those that stand out most. */
function worstOfAll(totals: readonly Row[], series: readonly Row[]): Found | null {
  let worst: Found | null = null;
  for (const measure of measures(totals)) {
    const whole = now(ofMeasure(totals, measure)[0]);
    const days = ofMeasure(series, measure).map((row) => ({
      ...now(row),
      day: label(row, "period") ?? "",
    }));
    const stretch = worstStretch(days, whole.low, whole.high);
    if (stretch && stretch.z > (worst?.stretch.z ?? 0)) worst = { measure, stretch };
  }
  return worst;
}

function explained(
  replies: readonly Reply[] | null,
  dimensions: readonly string[],
): Culprit | null {
  const total = replies?.[0]?.totals[0];
  if (!replies || !total) return null;
  const groups = replies.map((reply, i) => groupsOf(reply.rows, dimensions[i] ?? ""));
  return culprit(groups, now(total), before(total));
}

function costOf(
  { measure }: Found,
  segments: readonly Reply[] | null,
  others: readonly Reply[] | null,
): Cost | null {
  const row = segments?.[0]?.rows[0];
  const bad = METRIC_SEGMENTS[measure.metric]?.[0];
  if (!row || bad === undefined) return null;
  return {
    bad,
    now: number(row, bad),
    before: number(row, `${bad}_previous`),
    answers: count(row),
    answersBefore: count(row, "responses_previous"),
    contacts: contactsOf(others?.[0]),
    revenue: revenueOf(others?.[1]),
  };
}

/** Contacts and revenue of the same days; asked where no filter stands that they do not know. */
function contactPaths(params: Params, asked: Params): string[] {
  const known = new Set(["preset", "start_date", "end_date", "compare", "granularity", "tenant"]);
  if (!findReport("revenue") || [...params.keys()].some((name) => !known.has(name))) return [];
  const path = (report: string, by: string): string => {
    const changes = { granularity: "total", group_by: by, compare: "previous_period" };
    return reportPath(report, reportQuery(asked, [], changes));
  };
  return [path("customer-perspective", "media_type"), path("revenue", "currency")];
}

function contactsOf(reply: Reply | undefined): Contacts | null {
  const row = reply?.totals[0];
  const name = "accept_service_level_pct";
  const [acceptedPct, acceptedPctBefore] = [number(row, name), number(row, `${name}_previous`)];
  if (acceptedPct === null || acceptedPctBefore === null) return null;
  return {
    entered: count(row, "entered"),
    enteredBefore: count(row, "entered_previous"),
    acceptedPct,
    acceptedPctBefore,
  };
}

function revenueOf(reply: Reply | undefined): RevenueChange[] {
  const n = (row: Row): number => count(row, "interactions_with_revenue");
  return [...(reply?.rows ?? [])].sort((a, b) => n(b) - n(a)).flatMap(revenueChange);
}

function revenueChange(row: Row): RevenueChange[] {
  const [amount, change] = [row["revenue"], row["revenue_change"]];
  const currency = label(row, "currency");
  if (typeof amount !== "string" || typeof change !== "string" || currency === null) return [];
  return [{ currency, now: amount, change }];
}
