// What the Overview finds in its replies: the headlines, the worst days of all measures, for whom
// they were, what they cost. Pure.

import { periodEnd, type Granularity } from "./days.ts";
import { topContributor, type TopContributor } from "./top-contributor.ts";
import { before, groupsOf, now } from "./estimates.ts";
import { METRIC_SEGMENTS } from "./names.ts";
import {
  count,
  label,
  measures,
  number,
  ofMeasure,
  type Measure,
  type Reply,
  type Row,
} from "./reply.ts";
import type { Contacts, Cost, Headline, RevenueChange } from "./sentences.ts";
import { findWorstRun, type WorstRun } from "./worst-run.ts";

/** Whose groups may be named. Agents are not: a bad week is not to be laid at somebody's door. */
export const NAMED = ["country", "channel", "device", "browser", "os", "survey"];

/** The worst days, and of which measure they are. */
export interface Found {
  readonly measure: Measure;
  readonly run: WorstRun;
}

export function headline(totals: Reply, measure: Measure): Headline {
  const row = ofMeasure(totals.rows, measure)[0];
  const significant = row?.["score_significant"];
  return {
    measure,
    now: now(row),
    before: before(row),
    significant: typeof significant === "boolean" ? significant : null,
  };
}

/** Of each measure's worst days those that stand out most. */
export function worstOfAll(
  totals: readonly Row[],
  series: readonly Row[],
  granularity: Granularity = "day",
): Found | null {
  let worst: Found | null = null;
  for (const measure of measures(totals)) {
    const whole = now(ofMeasure(totals, measure)[0]);
    const days = ofMeasure(series, measure).map((row) => {
      const day = label(row, "period") ?? "";
      return { ...now(row), day, last: periodEnd(day, granularity) };
    });
    const run = findWorstRun(days, whole.low, whole.high);
    if (run && run.z > (worst?.run.z ?? 0)) worst = { measure, run };
  }
  return worst;
}

/** Whom the replies, one for each dimension, lay a change at the door of. */
export function explained(
  replies: readonly Reply[] | null,
  dimensions: readonly string[],
): TopContributor | null {
  const total = replies?.[0]?.totals[0];
  if (!replies || !total) return null;
  const groups = replies.map((reply, i) => groupsOf(reply.rows, dimensions[i] ?? ""));
  return topContributor(groups, now(total), before(total));
}

/** What worse days of a measure meant; null where its own report's reply does not tell it. */
export function costOf(
  measure: Measure,
  segments: Reply | undefined,
  contacts: Reply | undefined,
  revenue: Reply | undefined,
): Cost | null {
  const row = segments?.rows[0];
  const bad = METRIC_SEGMENTS[measure.metric]?.[0];
  if (!row || bad === undefined) return null;
  return {
    bad,
    now: number(row, bad),
    before: number(row, `${bad}_previous`),
    answers: count(row),
    answersBefore: count(row, "responses_previous"),
    contacts: contactsOf(contacts),
    revenue: revenueOf(revenue),
  };
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
