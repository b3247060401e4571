// The headings of columns, and the names of ranges of days.

import { t, toTranslate } from "./texts.ts";

export const TITLES: Readonly<Record<string, string>> = {
  period: toTranslate("Period"),
  responses: toTranslate("Answers"),
  share_pct: toTranslate("Share %"),
  score: toTranslate("Score"),
  adjusted_score: toTranslate("Adjusted score"),
  differs: toTranslate("Against the others"),
  ci_low: toTranslate("95 % from"),
  ci_high: toTranslate("95 % to"),
  average: toTranslate("Average"),
  median: toTranslate("Median"),
  csat_pct: toTranslate("Satisfied %"),
  satisfied: toTranslate("Satisfied"),
  satisfied_pct: toTranslate("Satisfied %"),
  neutral: toTranslate("Neutral"),
  neutral_pct: toTranslate("Neutral %"),
  dissatisfied: toTranslate("Dissatisfied"),
  dissatisfied_pct: toTranslate("Dissatisfied %"),
  ces_pct: toTranslate("Easy %"),
  easy: toTranslate("Easy"),
  easy_pct: toTranslate("Easy %"),
  difficult: toTranslate("Difficult"),
  difficult_pct: toTranslate("Difficult %"),
  nps: toTranslate("NPS"),
  promoters: toTranslate("Promoters"),
  promoters_pct: toTranslate("Promoters %"),
  passives: toTranslate("Passives"),
  passives_pct: toTranslate("Passives %"),
  detractors: toTranslate("Detractors"),
  detractors_pct: toTranslate("Detractors %"),
  score_value: toTranslate("Score given"),
  segment: toTranslate("Segment"),
  currency: toTranslate("Currency"),
  revenue: toTranslate("Revenue"),
  avg_revenue: toTranslate("Average revenue"),
  interactions_with_revenue: toTranslate("With revenue"),
  with_satisfaction: toTranslate("Rated"),
  avg_satisfaction: toTranslate("Average satisfaction"),
  handled: toTranslate("Handled"),
  handle_timed: toTranslate("Of these timed"),
  avg_handle_time_fmt: toTranslate("Average handle time"),
  active_seconds_fmt: toTranslate("Active time"),
  engaged_seconds_fmt: toTranslate("Engaged time"),
  engaged_pct: toTranslate("Engaged %"),
  entered: toTranslate("Entered"),
  response_ratio: toTranslate("Response ratio"),
  accept_due: toTranslate("Accept due"),
  first_response_due: toTranslate("First response due"),
  finish_due: toTranslate("Finish due"),
  accept_service_level_pct: toTranslate("% Accept Service Level"),
  first_response_service_level_pct: toTranslate("% First Response Service Level"),
  finished_service_level_pct: toTranslate("% Finished Service Level"),
  avg_accept_time_fmt: toTranslate("Average accept time"),
  avg_first_response_time_fmt: toTranslate("Average first response time"),
  avg_finish_response_time_fmt: toTranslate("Average finish response time"),
  offered: toTranslate("Offered"),
  accepted: toTranslate("Accepted"),
  responded: toTranslate("Responded"),
  finished: toTranslate("Finished"),
  abandoned: toTranslate("Abandoned"),
  replies: toTranslate("Replies"),
  accept_met: toTranslate("Accepted within the threshold"),
  first_response_met: toTranslate("Responded within the threshold"),
  finish_met: toTranslate("Finished within the threshold"),
  accept_timed: toTranslate("Accepted, timed"),
  first_response_timed: toTranslate("Responded, timed"),
  finished_responded: toTranslate("Finished with a response"),
  finish_timed: toTranslate("Finished, timed"),
  avg_accept_time: toTranslate("Average accept time"),
  avg_first_response_time: toTranslate("Average first response time"),
  avg_finish_response_time: toTranslate("Average finish response time"),
  avg_handle_time: toTranslate("Average handle time"),
  active_seconds: toTranslate("Active time"),
  engaged_seconds: toTranslate("Engaged time"),
  score_change: toTranslate("Change"),
  score_significant: toTranslate("Significant"),
};

/** The heading of a column; if there is none, it is made from the column's name. */
export function columnTitle(name: string): string {
  const known = TITLES[name];
  if (known !== undefined) return t(known);
  const [, base = "", suffix = ""] = /^(.*)_(previous|change)$/.exec(name) ?? [];
  const of = { name: suffix && columnTitle(base) };
  if (suffix) return suffix === "previous" ? t("{name} before", of) : t("{name} change", of);
  return sentence(name.replace(/_fmt$/, "").replace(/_pct$/, " %"));
}

function sentence(name: string): string {
  const text = name.replaceAll("_", " ").replace(/^avg /, "average ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const RANGES = new Set([
  toTranslate("Today"),
  toTranslate("Yesterday"),
  toTranslate("This week"),
  toTranslate("Last week"),
  toTranslate("Week to date"),
  toTranslate("This month"),
  toTranslate("Last month"),
  toTranslate("Month to date"),
  toTranslate("This quarter"),
  toTranslate("Last quarter"),
  toTranslate("Quarter to date"),
  toTranslate("This year"),
  toTranslate("Last year"),
  toTranslate("Year to date"),
  toTranslate("Last {n} days"),
  toTranslate("Last {n} days to date"),
  toTranslate("Last {n} months"),
  toTranslate("All time"),
  toTranslate("Previous period"),
  toTranslate("Previous year"),
  toTranslate("Total"),
  toTranslate("Week"),
  toTranslate("Month"),
]);

/** The name of a preset such as last_28_days, of a comparison or of a granularity, in words. */
export function presetTitle(preset: string): string {
  const text = sentence(preset);
  const [n] = /\d+/.exec(text) ?? [];
  const pattern = n === undefined ? text : text.replace(n, "{n}");
  return RANGES.has(pattern) || pattern === "Day" ? t(pattern, { n: n ?? "" }) : text;
}
