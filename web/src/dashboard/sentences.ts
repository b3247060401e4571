// The Overview's sentences, made from figures: what the score is, when it went wrong, for whom,
// what it cost. Every phrase that states a figure links to the page that shows it. Pure.

import type { Culprit } from "./culprit.ts";
import { addDays, daysBetween } from "./days.ts";
import * as format from "./format.ts";
import type { Estimate } from "./movers.ts";
import { isSame, span, type Measure, type Meta } from "./reply.ts";
import type { Stretch } from "./stretch.ts";
import { filteredTo, withDates, withParams, type Params, type View } from "./view.ts";

export type Phrase = string | { readonly text: string; readonly to: View };
export type Sentence = readonly Phrase[];

/** A measure's headline, now and before. */
export interface Headline {
  readonly measure: Measure;
  readonly now: Estimate;
  readonly before: Estimate;
  readonly significant: boolean | null;
}

/** What it meant, in other figures than the score. */
export interface Cost {
  /** What the metric calls the worst answers ("dissatisfied"). */
  readonly bad: string;
  /** How many there were; null where that is withheld. */
  readonly now: number | null;
  readonly before: number | null;
  readonly answers: number;
  readonly answersBefore: number;
  /** Null where contacts are not known. */
  readonly contacts: Contacts | null;
  /** The currency with most interactions first. */
  readonly revenue: readonly RevenueChange[];
}

/** How the contact centre fared: how many came, how many of them were accepted in time. */
export interface Contacts {
  readonly entered: number;
  readonly enteredBefore: number;
  readonly acceptedPct: number;
  readonly acceptedPctBefore: number;
}

export interface RevenueChange {
  readonly currency: string;
  /** Exact decimal text. */
  readonly now: string;
  readonly change: string;
}

export interface Findings {
  readonly params: Params;
  readonly headlines: readonly Headline[];
  /** What the days are compared with, in words; see comparedWith. */
  readonly compared: string;
  readonly worst: Worst | null;
}

/** The worst days of one measure. */
export interface Worst {
  readonly measure: Measure;
  readonly stretch: Stretch;
  readonly culprit: Culprit | null;
  /** Within the culprit, the group that explains most of it. */
  readonly within: Culprit | null;
  readonly cost: Cost | null;
}

/** What a culprit and a place within it are called. */
export type NameOf = (dimension: string, value: string | null) => string;

const PAGES: Readonly<Record<string, string>> = { csat: "csat", nps: "nps", ces: "ces" };
const NAMES: Readonly<Record<string, string>> = {
  csat: "Customer satisfaction",
  nps: "The net promoter score",
  ces: "Customer effort",
};
const EVIDENCE: Readonly<Record<string, string>> = {
  country: "geo",
  channel: "source",
  agent: "agents",
  browser: "browsers",
  os: "browsers",
  device: "browsers",
};
const FROM: Readonly<Record<string, string>> = {
  country: "from",
  channel: "by",
  device: "from",
  browser: "from",
  os: "from",
  survey: "to",
};
const BY_PAGE: Readonly<Record<string, string>> = { os: "os", device: "device" };

export function sentences(findings: Findings, nameOf: NameOf): Sentence[] {
  const [first, ...others] = byNews(findings.headlines, findings.worst);
  if (!first) return [];
  const told = [leading(first, findings)];
  if (findings.worst) {
    told.push(...worst(findings.worst, ofScale(findings.worst.measure, findings), nameOf));
  }
  if (others.length) told.push(following(others, findings));
  return told;
}

/**
 * What a reply compares its days with, in words: "the 28 days before", "the days 1 – 22 Oct 2026"
 * where others lie between. A calendar month is compared with one that may be shorter.
 */
export function comparedWith({ date_range, compare }: Meta): string {
  if (compare?.with === "previous_year") return "the same days a year before";
  if (!compare?.start_date || !compare.end_date) return "the period before"; // each tenant's own
  const { start_date: start, end_date: end } = compare;
  if (addDays(end, 1) !== span(date_range).start_date) return `the days ${format.days(start, end)}`;
  return start === end ? "the day before" : `the ${daysBetween(start, end)} days before`;
}

/** First and last of the worst days, where they are this measure's; null of any other. */
export function markedDays(
  worst: Worst | null,
  measure: Measure,
): readonly [string, string] | null {
  if (!worst || !isSame(worst.measure, measure)) return null;
  return [worst.stretch.start, worst.stretch.end];
}

/** The measure with the worst days first, then what changed most for certain, then by volume. */
export function byNews(headlines: readonly Headline[], worst: Worst | null): Headline[] {
  const rank = ({ measure, significant }: Headline): number => {
    if (markedDays(worst, measure)) return 0;
    return significant ? 1 : 2;
  };
  return [...headlines].sort((a, b) => rank(a) - rank(b) || b.now.n - a.now.n);
}

function leading(headline: Headline, findings: Findings): Sentence {
  const { compared, headlines } = findings;
  const { measure, now } = headline;
  const params = ofScale(measure, findings);
  return [
    { text: name(measure, headlines), to: to(PAGES[measure.metric] ?? "daily", params, measure) },
    " was ",
    { text: score(now.score, measure), to: to("daily", params, measure) },
    ` (${format.plural(now.n, "answer")})`,
    ...change(headline, compared),
    ".",
  ];
}

function change({ now, before, significant, measure }: Headline, compared: string): Phrase[] {
  if (now.score === null || before.score === null) return [];
  const points = now.score - before.score;
  const direction = points < 0 ? "lower" : "higher";
  const size = `${format.fixed(Math.abs(points), 1)} points ${direction} than in ${compared}`;
  if (points === 0) return [`, as in ${compared}`];
  if (significant === null) return [`, ${size}`];
  const doubt = significant ? "more than chance explains" : "which may be chance";
  return [`, ${size} (${score(before.score, measure)}), ${doubt}`];
}

function following(others: readonly Headline[], findings: Findings): Sentence {
  const { headlines } = findings;
  const phrases = others.flatMap((headline, i): Phrase[] => {
    const { measure, now, before } = headline;
    const page = PAGES[measure.metric] ?? "daily";
    const params = ofScale(measure, findings);
    const link = { text: name(measure, headlines), to: to(page, params, measure) };
    const figure = ` was ${score(now.score, measure)}`;
    const known = now.score !== null && before.score !== null;
    const points = known ? format.signed((now.score ?? 0) - (before.score ?? 0), 1) : null;
    const doubt = headline.significant === false ? ", which may be chance" : "";
    const part = points === null ? figure : `${figure} (${points}${doubt})`;
    return [...(i ? ["; "] : []), link, part];
  });
  return [...phrases, "."];
}

function worst(found: Worst, params: Params, nameOf: NameOf): Sentence[] {
  const { measure, stretch, culprit, cost } = found;
  const inDays = withParams(withDates(params, stretch.start, stretch.end), {
    compare: "previous_period",
    metric: measure.metric,
  });
  const told: Sentence[] = [when(stretch, measure, params)];
  if (culprit) told.push(forWhom(culprit, found, inDays, nameOf));
  if (cost) told.push(...costs(cost, found, params, inDays));
  return told;
}

function when(stretch: Stretch, measure: Measure, params: Params): Sentence {
  const { start, end, within, others } = stretch;
  const days =
    start === end
      ? `on ${format.longDay(start)}`
      : `from ${format.longDay(start)} to ${format.longDay(end)}`;
  return [
    "It went wrong ",
    { text: days, to: to("daily", params, measure) },
    `: ${score(within.score, measure)}, against ${score(others.score, measure)} on the other days.`,
  ];
}

function forWhom(
  { key, now, before, contribution, change: whole }: Culprit,
  { within, measure, stretch }: Worst,
  inDays: Params,
  nameOf: NameOf,
): Sentence {
  const page = EVIDENCE[key.dimension] ?? "daily";
  const grouped = BY_PAGE[key.dimension];
  const daysBefore = beforeStretch(stretch);
  const evidence = withParams(inDays, grouped ? { group_by: grouped } : {});
  const share = Math.round((100 * (contribution ?? 0)) / whole);
  const part = share >= 95 ? "nearly all of it" : `${format.percent(share, 0)} of it`;
  const given = nameOf(key.dimension, key.value);
  const called = key.dimension === "channel" ? given.toLowerCase() : given;
  const phrases: Phrase[] = [
    `Answers ${FROM[key.dimension] ?? "of"} `,
    { text: called, to: { page, params: evidence } },
    ` explain ${part}: ${score(now.score, measure)} (${format.plural(now.n, "answer")}), `,
    `after ${score(before.score, measure)} (${format.count(before.n)}) in the ${daysBefore}`,
  ];
  if (within) {
    const there = filteredTo(inDays, key.dimension, key.value);
    phrases.push(", mostly by ", {
      text: nameOf(within.key.dimension, within.key.value).toLowerCase(),
      to: { page: EVIDENCE[within.key.dimension] ?? "daily", params: there },
    });
  }
  return [...phrases, "."];
}

function costs(
  cost: Cost,
  { measure, stretch }: Worst,
  params: Params,
  inDays: Params,
): Sentence[] {
  const { within, others } = stretch;
  const all = (within.n * within.score + others.n * others.score) / (within.n + others.n);
  const page = PAGES[measure.metric] ?? "daily";
  const told: Sentence = [
    "The cost: ",
    ...badAnswers(cost, { page, params: inDays }, stretch),
    { text: `${format.fixed(others.score - all, 1)} points`, to: to(page, params, measure) },
    " of the score of all these days.",
  ];
  const sentences = [told];
  if (cost.contacts) sentences.push(contacts(cost.contacts, inDays));
  if (cost.revenue.length) sentences.push(revenue(cost.revenue, stretch, inDays));
  return sentences;
}

/** How many more bad answers there were than before: fewer, after worse days, are no cost. */
function badAnswers(cost: Cost, to: View, stretch: Stretch): Phrase[] {
  const { bad, now, before, answers, answersBefore } = cost;
  if (now === null || before === null || now <= before) return [];
  const extra = answers - answersBefore;
  return [
    { text: `${format.count(now - before)} more ${bad} answers`, to },
    ` than in the ${beforeStretch(stretch)} `,
    `(${format.count(now)} after ${format.count(before)}), `,
    extra > 0 ? `${format.count(extra)} more answers in all, ` : "",
    "and ",
  ];
}

function contacts(found: Contacts, inDays: Params): Sentence {
  const extra = found.entered - found.enteredBefore;
  const size = `${format.count(Math.abs(extra))} ${extra < 0 ? "fewer" : "more"}`;
  return [
    { text: "The contact centre", to: { page: "customer-perspective", params: daysOf(inDays) } },
    ` had ${format.count(found.entered)} contacts in these days, ${size}, and accepted `,
    `${format.percent(found.acceptedPct, 1)} of those with a threshold in time, `,
    `after ${format.percent(found.acceptedPctBefore, 1)}.`,
  ];
}

/** Without the filters, which the contact centre's reports do not know. */
function daysOf(params: Params): Params {
  return new Map([...params].filter(([name]) => /_date$|^compare$/.test(name)));
}

function beforeStretch({ length }: Stretch): string {
  return length === 1 ? "day before" : `${length} days before`;
}

function revenue(
  [first, ...others]: readonly RevenueChange[],
  stretch: Stretch,
  inDays: Params,
): Sentence {
  if (!first) return [];
  const rest = others.map(difference);
  return [
    { text: "Revenue", to: { page: "revenue", params: daysOf(inDays) } },
    ` was ${format.money(first.now, first.currency)} in these days, ${difference(first)} `,
    `than in the ${beforeStretch(stretch)}`,
    rest.length ? `; ${format.listed(rest)}.` : ".",
  ];
}

function difference({ change: by, currency }: RevenueChange): string {
  return `${format.money(by.replace("-", ""), currency)} ${by.startsWith("-") ? "less" : "more"}`;
}

/** A metric that is measured on several scales is told with its scale. */
function name(measure: Measure, headlines: readonly Headline[]): string {
  const called = NAMES[measure.metric] ?? measure.metric;
  return hasSeveralScales(measure, headlines) ? `${called} (${measure.scale})` : called;
}

/** Where a metric is measured on several scales, the evidence is that of the one scale. */
function ofScale(measure: Measure, { params, headlines }: Findings): Params {
  if (!hasSeveralScales(measure, headlines)) return params;
  return withParams(params, { scale: encodeURIComponent(measure.scale) });
}

function hasSeveralScales({ metric }: Measure, headlines: readonly Headline[]): boolean {
  return headlines.filter(({ measure }) => measure.metric === metric).length > 1;
}

function score(value: number | null, { metric }: Measure): string {
  return format.score(value, metric);
}

function to(page: string, params: Params, { metric }: Measure): View {
  return { page, params: page === "daily" ? withParams(params, { metric }) : params };
}
