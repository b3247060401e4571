// The Overview's story: which days went worst, and the sentences that tell of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { addDays } from "../src/dashboard/days.ts";
import type { Meta } from "../src/dashboard/reply.ts";
import {
  comparedWith,
  markedDays,
  sentences,
  type Findings,
  type Phrase,
  type Worst,
} from "../src/dashboard/sentences.ts";
import { locale, speak } from "../src/dashboard/texts.ts";
import { findWorstRun, type DayScore } from "../src/dashboard/worst-run.ts";
import { coarserNote, granularityOf, rowOf } from "../src/dashboard/series.ts";
import { formatAddress, parseAddress, type Params } from "../src/dashboard/view.ts";

function days(scores: readonly (number | null)[], n = 100): DayScore[] {
  return scores.map((score, i) => ({
    day: addDays("2026-10-25", i),
    n: score === null ? 0 : n,
    score,
  }));
}

const QUIET = Array.from({ length: 28 }, (_, i) => 76 + ((i * 7) % 5));

test("a bad week is found to the day", () => {
  const scores = QUIET.map((score, i) => (i >= 4 && i <= 10 ? score - 27 : score));
  const found = findWorstRun(days(scores), 68, 72);
  assert.equal(found?.start, "2026-10-29");
  assert.equal(found?.end, "2026-11-04");
  assert.equal(found?.length, 7);
  assert.ok(Math.abs((found?.within.score ?? 0) - 51) < 1.5);
  assert.ok(Math.abs((found?.others.score ?? 0) - 78) < 1.5);
});

test("quiet weeks, empty days and no days have none", () => {
  assert.equal(findWorstRun(days(QUIET), 76.5, 79.5), null);
  assert.equal(findWorstRun(days([null, null]), null, null), null);
  assert.equal(findWorstRun([], 1, 2), null);
});

test("a single terrible day counts, days without answers within a run do not break it", () => {
  const one = QUIET.map((score, i) => (i === 9 ? 20 : score));
  assert.equal(findWorstRun(days(one), 75, 78)?.length, 1);
  const gap: (number | null)[] = QUIET.map((score, i) => (i >= 4 && i <= 8 ? 40 : score));
  gap[6] = null;
  assert.equal(findWorstRun(days(gap), 68, 72)?.length, 5);
});

test("a good run is no bad news", () => {
  assert.equal(findWorstRun(days(QUIET.map((s, i) => (i < 4 ? 100 : s))), 79, 82), null);
});

const CSAT = { metric: "csat", scale: "1-5" };

const WORST: Worst = {
  measure: CSAT,
  run: {
    start: "2026-10-29",
    end: "2026-11-04",
    length: 7,
    within: { n: 1013, score: 50.74 },
    others: { n: 1954, score: 77.48 },
    z: 15,
  },
  topContributor: {
    key: { dimension: "country", value: "AT" },
    now: { n: 445, score: 16.63, low: 13, high: 20 },
    before: { n: 64, score: 81.25, low: 70, high: 89 },
    contribution: -27.7,
    p: 1e-30,
    change: -28.6,
  },
  within: null,
  cost: {
    bad: "dissatisfied",
    now: 371,
    before: 56,
    answers: 1013,
    answersBefore: 644,
    contacts: { entered: 1400, enteredBefore: 980, acceptedPct: 40.9, acceptedPctBefore: 80.1 },
    revenue: [
      { currency: "EUR", now: "2548.7700", change: "-2421.1700" },
      { currency: "GBP", now: "689.6800", change: "257.7600" },
    ],
  },
};

const FINDINGS: Findings = {
  params: new Map([["preset", "last_28_days"]]),
  compared: "the 28 days before",
  headlines: [
    {
      measure: { metric: "nps", scale: "0-10" },
      now: { n: 1185, score: 13.76, low: 9.1, high: 18.3 },
      before: { n: 1218, score: 19.79, low: 15.3, high: 24.2 },
      significant: false,
    },
    {
      measure: CSAT,
      now: { n: 2967, score: 68.35, low: 66.7, high: 70 },
      before: { n: 2538, score: 76.48, low: 74.8, high: 78.1 },
      significant: true,
    },
  ],
  worst: WORST,
};

const nameOf = (_dimension: string, value: string | null): string =>
  value === "AT" ? "Austria" : String(value);

function told(findings: Findings): string[] {
  return sentences(findings, nameOf).map((sentence) =>
    sentence.map((phrase: Phrase) => (typeof phrase === "string" ? phrase : phrase.text)).join(""),
  );
}

test("what went wrong, for whom, and what it cost", () => {
  assert.deepEqual(
    told(FINDINGS).map((sentence) => sentence.replaceAll("\u00a0", " ")),
    [
      "Customer satisfaction was 68.4 % (2,967 answers), 8.1 points lower than in the 28 days " +
        "before (76.5 %), more than chance explains.",
      "It went wrong from Thu 29 Oct to Wed 4 Nov: 50.7 %, against 77.5 % on the other days.",
      "Answers from Austria explain nearly all of it: 16.6 % (445 answers), after 81.3 % (64) in " +
        "the 7 days before.",
      "The cost: 315 more dissatisfied answers than in the 7 days before (371 after 56), 369 " +
        "more answers in all, and 9.1 points of the score of all these days.",
      "The contact centre had 1,400 contacts in these days, 420 more, and accepted 40.9 % of " +
        "those with a threshold in time, after 80.1 %.",
      "Revenue was €2,548.77 in these days, €2,421.17 less than in the 7 days before; " +
        "£257.76 more.",
      "The net promoter score was 13.8 (−6.0, which may be chance).",
    ],
  );
});

test("fewer bad answers than before are no cost, nor is a count that is withheld", () => {
  const cost = WORST.cost;
  assert.ok(cost);
  const counts: [number | null, number | null][] = [[120, 180], [180, 180], [120, null], [null, 0]];
  for (const [now, before] of counts) {
    const found: Findings = { ...FINDINGS, worst: { ...WORST, cost: { ...cost, now, before } } };
    const sentence = told(found).find((each) => each.startsWith("The cost"));
    assert.equal(sentence, "The cost: 9.1 points of the score of all these days.");
  }
});

test("of a metric on two scales, each is told by its scale, and the worst days are of one", () => {
  const other = { metric: "csat", scale: "1-10" };
  const [nps, csat] = FINDINGS.headlines;
  assert.ok(nps && csat);
  const twice = { ...FINDINGS, headlines: [csat, { ...csat, measure: other }, nps] };
  const all = told(twice);
  assert.match(all[0] ?? "", /^Customer satisfaction \(1-5\) was 68\.4/);
  assert.match(all.at(-1) ?? "", /^Customer satisfaction \(1-10\) was .*; The net promoter/);
  assert.doesNotMatch(told(FINDINGS).join(" "), /\(1-5\)|\(0-10\)/);
  assert.deepEqual(markedDays(WORST, CSAT), ["2026-10-29", "2026-11-04"]);
  assert.equal(markedDays(WORST, other), null);
  assert.equal(markedDays(null, CSAT), null);
});

test("a phrase links to its evidence, of the very days", () => {
  const links = sentences(FINDINGS, nameOf)
    .flat()
    .flatMap((phrase) => (typeof phrase === "string" ? [] : [formatAddress(phrase.to)]));
  assert.ok(links.includes("/csat?preset=last_28_days"));
  const days = "start_date=2026-10-29&end_date=2026-11-04&compare=previous_period";
  assert.ok(links.includes(`/geo?${days}&metric=csat`));
  assert.ok(links.includes(`/revenue?${days}`));
});

test("nothing bad is not made up, nothing known not told", () => {
  const quiet = { ...FINDINGS, worst: null };
  assert.equal(told(quiet).length, 2);
  assert.doesNotMatch(told(quiet).join(" "), /wrong|cost/);
  assert.deepEqual(told({ ...quiet, headlines: [] }), []);
});

/** Uniform within [0, 1): mulberry32, so that a failure can be repeated. */
function chance(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** So many days of 100 answers, of which a share is good; and the interval of them all. */
function drawn(random: () => number, share: (day: number) => number, count: number) {
  const scores = Array.from({ length: count }, (_, day) => {
    let good = 0;
    for (let i = 0; i < 100; i++) if (random() < share(day)) good++;
    return good;
  });
  const p = scores.reduce((sum, each) => sum + each, 0) / count / 100;
  const half = 195.9964 * Math.sqrt((p * (1 - p)) / (100 * count));
  return findWorstRun(days(scores), 100 * p - half, 100 * p + half);
}

test("32 bad days of three years are found, nearly to the day", () => {
  const bad = (day: number): boolean => day >= 500 && day < 532;
  const found = drawn(chance(1), (day) => (bad(day) ? 0.6 : 0.75), 1096);
  assert.ok(found && Math.abs(found.length - 32) <= 3, JSON.stringify(found));
  const off = Math.abs(Date.parse(found.start) - Date.parse(addDays("2026-10-25", 500)));
  assert.ok(off <= 3 * 86_400_000, found.start);
});

test("of quiet years at most one in fifty has worst days", () => {
  const random = chance(20261130);
  const told = Array.from({ length: 100 }, () => drawn(random, () => 0.75, 365));
  assert.ok(told.filter(Boolean).length <= 2);
});

test("of weeks a run is told by its first day and its last", () => {
  const weeks = [76, 77, 75, 50, 51, 76, 78, 75].map((score, i) => {
    const day = addDays("2026-01-05", 7 * i);
    return { day, last: addDays(day, 6), n: 500, score };
  });
  const found = findWorstRun(weeks, 68, 71);
  assert.deepEqual(
    [found?.start, found?.end, found?.length],
    ["2026-01-26", "2026-02-08", 14],
  );
});

test("what is drawn is what can be read, and it is said where that is not what was asked", () => {
  const params = (search: string): Params => parseAddress("/", search).params;
  const years = "?start_date=2023-12-01&end_date=2026-11-29";
  const drawnBy = (search: string): string => granularityOf(params(search), null);
  assert.equal(drawnBy(`${years}&granularity=day`), "week");
  assert.equal(drawnBy(`${years}&granularity=month`), "month");
  assert.equal(drawnBy(`?start_date=2026-01-01&end_date=2026-12-31&granularity=day`), "day");
  assert.equal(drawnBy(`?start_date=2010-01-01&end_date=2026-12-31&granularity=week`), "month");
  assert.equal(drawnBy(""), "day");
  assert.match(coarserNote(params("?granularity=day"), "week") ?? "", /^By week/);
  assert.equal(coarserNote(params("?granularity=day"), "day"), null);
  assert.equal(coarserNote(params(""), "week"), null);
});

test("a day lies in the last row that begins on it or before", () => {
  const rows = ["2026-01-05", "2026-01-12"].map((period) => ({ period }));
  assert.deepEqual(
    ["2026-01-04", "2026-01-05", "2026-01-11", "2026-01-30"].map((day) => rowOf(rows, day)),
    [-1, 0, 0, 1],
  );
});

test("the story is told in the reader's language, in its order of words", async () => {
  await speak("de");
  assert.match(told(FINDINGS).join(" "), /^Kundenzufriedenheit: 68,4.% \(2.967 Antworten\), 8,1 Punkte/);
  assert.match(told(FINDINGS).join(" "), /Schief ging es von Do., 29. Okt. bis Mi., 4. Nov.: 50,7/);
  assert.doesNotMatch(told(FINDINGS).join(" "), /\{|answers|than/);
  await speak("en");
  locale.value = "en-GB"; // whatever this machine's is
});

test("what the days are compared with is said as it is", () => {
  const told = (days: readonly [string, string], before: readonly string[], what = "previous_period") =>
    comparedWith({
      date_range: { start_date: days[0], end_date: days[1] },
      compare: {
        with: what,
        ...(before[0] && before[1] ? { start_date: before[0], end_date: before[1] } : {}),
      },
    } as Meta);
  const october = ["2026-10-01", "2026-10-31"] as const;
  assert.equal(told(["2026-11-21", "2026-11-21"], ["2026-11-20", "2026-11-20"]), "the day before");
  assert.equal(told(october, ["2026-08-31", "2026-09-30"]), "the 31 days before");
  assert.equal(told(october, ["2026-09-01", "2026-09-30"]), "the 30 days before"); // last_month
  assert.equal(
    told(["2026-11-01", "2026-11-22"], ["2026-10-01", "2026-10-22"]), // month_to_date
    "the days 1 – 22 Oct 2026",
  );
  assert.equal(
    told(october, ["2025-10-01", "2025-10-31"], "previous_year"),
    "the same days a year before",
  );
  assert.equal(told(october, []), "the period before"); // several tenants, each with its own days
});
