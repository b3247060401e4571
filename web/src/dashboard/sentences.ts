// The Overview's sentences, made from figures: what the score is, when it went wrong, for whom,
// what it cost. Every phrase that states a figure links to the page that shows it.

import type { TopContributor } from "./top-contributor.ts";
import { addDays, daysBetween } from "./days.ts";
import * as format from "./format.ts";
import type { Estimate } from "./movers.ts";
import { isSame, span, type Measure, type Meta } from "./reply.ts";
import type { WorstRun } from "./worst-run.ts";
import { inSentence, pieces, t, toTranslate } from "./texts.ts";
import { filteredTo, withDates, withParams, type Params, type View } from "./view.ts";

interface Link {
  readonly text: string;
  readonly to: View;
}

export type Phrase = string | Link;
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
  readonly run: WorstRun;
  readonly topContributor: TopContributor | null;
  /** Within the top contributor, the group that explains most of it. */
  readonly within: TopContributor | null;
  readonly cost: Cost | null;
}

/** What a top contributor and a place within it are called. */
export type NameOf = (dimension: string, value: string | null) => string;

const PAGES: Readonly<Record<string, string>> = { csat: "csat", nps: "nps", ces: "ces" };
const NAMES: Readonly<Record<string, string>> = {
  csat: toTranslate("Customer satisfaction"),
  nps: toTranslate("The net promoter score"),
  ces: toTranslate("Customer effort"),
};
const EVIDENCE: Readonly<Record<string, string>> = {
  country: "geo",
  channel: "source",
  agent: "agents",
  browser: "browsers",
  os: "browsers",
  device: "browsers",
};
const WHO_EXPLAINS: Readonly<Record<string, string>> = {
  country: toTranslate(
    "Answers from {who} explain {part}: {score} ({answers}), after {before} ({n}) in the {days}{within}.",
  ),
  channel: toTranslate(
    "Answers by {who} explain {part}: {score} ({answers}), after {before} ({n}) in the {days}{within}.",
  ),
  survey: toTranslate(
    "Answers to {who} explain {part}: {score} ({answers}), after {before} ({n}) in the {days}{within}.",
  ),
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
  if (compare?.with === "previous_year") return t("the same days a year before");
  if (!compare?.start_date || !compare.end_date) return t("the period before"); // each tenant's own
  const { start_date: start, end_date: end } = compare;
  if (addDays(end, 1) !== span(date_range).start_date) {
    return t("the days {days}", { days: format.days(start, end) });
  }
  if (start === end) return t("the day before");
  return t("the {n} days before", { n: daysBetween(start, end) });
}

/** First and last of the worst days, where they are this measure's; null of any other. */
export function markedDays(
  worst: Worst | null,
  measure: Measure,
): readonly [string, string] | null {
  if (!worst || !isSame(worst.measure, measure)) return null;
  return [worst.run.start, worst.run.end];
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
  return pieces<Link>("{name} was {score} ({answers}){change}.", {
    name: { text: name(measure, headlines), to: to(PAGES[measure.metric] ?? "daily", params, measure) },
    score: { text: score(now.score, measure), to: to("daily", params, measure) },
    answers: answers(now.n),
    change: change(headline, compared),
  });
}

function answers(n: number): string {
  return format.counted(n, "{n} answer", "{n} answers");
}

function change({ now, before, significant, measure }: Headline, compared: string): string {
  if (now.score === null || before.score === null) return "";
  const by = now.score - before.score;
  const points = format.fixed(Math.abs(by), 1);
  if (by === 0) return t(", as in {compared}", { compared });
  const lower = by < 0;
  if (significant === null) {
    const text = lower
      ? toTranslate(", {points} points lower than in {compared}")
      : toTranslate(", {points} points higher than in {compared}");
    return t(text, { points, compared });
  }
  const size = lower
    ? toTranslate(", {points} points lower than in {compared} ({before}), {doubt}")
    : toTranslate(", {points} points higher than in {compared} ({before}), {doubt}");
  const doubt = significant ? t("more than chance explains") : t("which may be chance");
  return t(size, { points, compared, before: score(before.score, measure), doubt });
}

function following(others: readonly Headline[], findings: Findings): Sentence {
  const { headlines } = findings;
  const phrases = others.flatMap((headline, i): Phrase[] => {
    const { measure, now, before } = headline;
    const page = PAGES[measure.metric] ?? "daily";
    const params = ofScale(measure, findings);
    const link = { text: name(measure, headlines), to: to(page, params, measure) };
    const known = now.score !== null && before.score !== null;
    const points = known ? format.signed((now.score ?? 0) - (before.score ?? 0), 1) : null;
    const doubtful = headline.significant === false;
    const text =
      points === null
        ? toTranslate("{name} was {score}")
        : doubtful
          ? toTranslate("{name} was {score} ({change}, which may be chance)")
          : toTranslate("{name} was {score} ({change})");
    const values = { name: link, score: score(now.score, measure), change: points ?? "" };
    return [...(i ? ["; "] : []), ...pieces<Link>(text, values)];
  });
  return [...phrases, "."];
}

function worst(found: Worst, params: Params, nameOf: NameOf): Sentence[] {
  const { measure, run, topContributor, cost } = found;
  const inDays = withParams(withDates(params, run.start, run.end), {
    compare: "previous_period",
    metric: measure.metric,
  });
  const told: Sentence[] = [when(run, measure, params)];
  if (topContributor) told.push(forWhom(topContributor, found, inDays, nameOf));
  if (cost) told.push(...costs(cost, found, params, inDays));
  return told;
}

function when(run: WorstRun, measure: Measure, params: Params): Sentence {
  const { start, end, within, others } = run;
  const days =
    start === end
      ? t("on {day}", { day: format.longDay(start) })
      : t("from {start} to {end}", { start: format.longDay(start), end: format.longDay(end) });
  return pieces<Link>("It went wrong {days}: {score}, against {others} on the other days.", {
    days: { text: days, to: to("daily", params, measure) },
    score: score(within.score, measure),
    others: score(others.score, measure),
  });
}

function forWhom(
  { key, now, before, contribution, change: whole }: TopContributor,
  { within, measure, run }: Worst,
  inDays: Params,
  nameOf: NameOf,
): Sentence {
  const page = EVIDENCE[key.dimension] ?? "daily";
  const grouped = BY_PAGE[key.dimension];
  const evidence = withParams(inDays, grouped ? { group_by: grouped } : {});
  const share = Math.round((100 * (contribution ?? 0)) / whole);
  const given = nameOf(key.dimension, key.value);
  const there = filteredTo(inDays, key.dimension, key.value);
  const mostly = within && {
    text: inSentence(nameOf(within.key.dimension, within.key.value)),
    to: { page: EVIDENCE[within.key.dimension] ?? "daily", params: there },
  };
  return pieces<Link>(WHO_EXPLAINS[key.dimension] ?? WHO_EXPLAINS["country"] ?? "", {
    who: {
      text: key.dimension === "channel" ? inSentence(given) : given,
      to: { page, params: evidence },
    },
    part:
      share >= 95 ? t("nearly all of it") : t("{share} of it", { share: format.percent(share, 0) }),
    score: score(now.score, measure),
    answers: answers(now.n),
    before: score(before.score, measure),
    n: format.count(before.n),
    days: beforeRun(run),
    within: mostly ? pieces<Link>(", mostly by {within}", { within: mostly }) : "",
  });
}

function costs(
  cost: Cost,
  { measure, run }: Worst,
  params: Params,
  inDays: Params,
): Sentence[] {
  const { within, others } = run;
  const all = (within.n * within.score + others.n * others.score) / (within.n + others.n);
  const page = PAGES[measure.metric] ?? "daily";
  const { bad, now, before } = cost;
  const extra = cost.answers - cost.answersBefore;
  // fewer bad answers than before, after worse days, are no cost
  const more = now !== null && before !== null && now > before ? now - before : 0;
  const text = !more
    ? toTranslate("The cost: {points} of the score of all these days.")
    : extra > 0
      ? toTranslate(
          "The cost: {bad} than in the {days} ({now} after {before}), {n} more answers in all, and {points} of the score of all these days.",
        )
      : toTranslate(
          "The cost: {bad} than in the {days} ({now} after {before}), and {points} of the score of all these days.",
        );
  const told = pieces<Link>(text, {
    bad: {
      text: t("{n} more {bad} answers", { n: format.count(more), bad: t(bad) }),
      to: { page, params: inDays },
    },
    days: beforeRun(run),
    now: format.count(now),
    before: format.count(before),
    n: format.count(extra),
    points: {
      text: t("{points} points", { points: format.fixed(others.score - all, 1) }),
      to: to(page, params, measure),
    },
  });
  const sentences: Sentence[] = [told];
  if (cost.contacts) sentences.push(contacts(cost.contacts, inDays));
  if (cost.revenue.length) sentences.push(revenue(cost.revenue, run, inDays));
  return sentences;
}

function contacts(found: Contacts, inDays: Params): Sentence {
  const extra = found.entered - found.enteredBefore;
  const size = { n: format.count(Math.abs(extra)) };
  return pieces<Link>(
    "{centre} had {n} contacts in these days, {change}, and accepted {now} of those with a threshold in time, after {before}.",
    {
      centre: {
        text: t("The contact centre"),
        to: { page: "customer-perspective", params: daysOf(inDays) },
      },
      n: format.count(found.entered),
      change: extra < 0 ? t("{n} fewer", size) : t("{n} more", size),
      now: format.percent(found.acceptedPct, 1),
      before: format.percent(found.acceptedPctBefore, 1),
    },
  );
}

/** Without the filters, which the contact centre's reports do not know. */
function daysOf(params: Params): Params {
  return new Map([...params].filter(([name]) => /_date$|^compare$/.test(name)));
}

function beforeRun({ length }: WorstRun): string {
  return length === 1 ? t("day before") : t("{n} days before", { n: format.count(length) });
}

function revenue(
  [first, ...others]: readonly RevenueChange[],
  run: WorstRun,
  inDays: Params,
): Sentence {
  if (!first) return [];
  const rest = others.map(difference);
  const text = rest.length
    ? toTranslate(
        "{revenue} was {amount} in these days, {change} than in the {days}; {others}.",
      )
    : toTranslate("{revenue} was {amount} in these days, {change} than in the {days}.");
  return pieces<Link>(text, {
    revenue: { text: t("Revenue"), to: { page: "revenue", params: daysOf(inDays) } },
    amount: format.money(first.now, first.currency),
    change: difference(first),
    days: beforeRun(run),
    others: format.listed(rest),
  });
}

function difference({ change: by, currency }: RevenueChange): string {
  const amount = format.money(by.replace("-", ""), currency);
  return by.startsWith("-") ? t("{amount} less", { amount }) : t("{amount} more", { amount });
}

/** A metric that is measured on several scales is told with its scale. */
function name(measure: Measure, headlines: readonly Headline[]): string {
  const called = t(NAMES[measure.metric] ?? measure.metric);
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
