// The worst days of all measures, asked about in two steps: for whom, and within that group for
// whom most; and what it cost.

import { findReport } from "../catalogue.ts";
import type { Granularity } from "../days.ts";
import { costOf, explained, NAMED, worstOfAll } from "../found.ts";
import { toMeasure } from "../measures.tsx";
import { reportPath, useReports } from "../replies.ts";
import type { Reply } from "../reply.ts";
import type { Worst } from "../sentences.ts";
import { filteredTo, reportQuery, withDates, type Params } from "../view.ts";

interface Asked {
  readonly value: Worst | null;
  /** True while more may still come to be known. */
  readonly stale: boolean;
}

export function useWorst(
  params: Params,
  filters: readonly string[],
  totals: Reply,
  series: Reply,
  granularity: Granularity,
): Asked {
  const found = worstOfAll(totals.rows, series.rows, granularity);
  const asked =
    found &&
    withDates(toMeasure(params, found.measure), found.run.start, found.run.end);
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
  const [segment] = (segments.stale ? null : segments.value) ?? [];
  const [contacts, revenue] = (others.stale ? null : others.value) ?? [];
  const cost = costOf(found.measure, segment, contacts, revenue);
  return {
    value: { ...found, topContributor: first, within, cost },
    stale: groups.stale || parts.stale || segments.stale || others.stale,
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
