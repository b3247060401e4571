// Columns' headings. Pure.

const TITLES: Readonly<Record<string, string>> = {
  period: "Period",
  responses: "Answers",
  share_pct: "Share %",
  ci_low: "95 % from",
  ci_high: "95 % to",
  csat_pct: "Satisfied %",
  satisfied_pct: "Satisfied %",
  ces_pct: "Easy %",
  nps: "NPS",
  score_value: "Score given",
  interactions_with_revenue: "With revenue",
  with_satisfaction: "Rated",
  active_seconds_fmt: "Active time",
  engaged_seconds_fmt: "Engaged time",
  accept_service_level_pct: "% Accept Service Level",
  first_response_service_level_pct: "% First Response Service Level",
  finished_service_level_pct: "% Finished Service Level",
  score_change: "Change",
  score_significant: "Significant",
};

/** What a column is headed; a name that nothing is known of is made presentable. */
export function columnTitle(name: string): string {
  const known = TITLES[name];
  if (known !== undefined) return known;
  const [, base = "", suffix = ""] = /^(.*)_(previous|change)$/.exec(name) ?? [];
  if (suffix) return `${columnTitle(base)} ${suffix === "previous" ? "before" : "change"}`;
  return sentence(name.replace(/_fmt$/, "").replace(/_pct$/, " %"));
}

function sentence(name: string): string {
  const text = name.replaceAll("_", " ").replace(/^avg /, "average ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "last_28_days" as words. */
export function presetTitle(preset: string): string {
  return sentence(preset);
}
