// Which days went worst, as charts over time mark them, and by which periods these are drawn.

import assert from "node:assert/strict";
import { test } from "node:test";
import { addDays } from "../src/dashboard/days.ts";
import { findWorstRun, type DayScore } from "../src/dashboard/worst-run.ts";
import { coarserNote, granularityOf, rowOf } from "../src/dashboard/series.ts";
import { parseAddress, type Params } from "../src/dashboard/view.ts";

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

test("days whose score is withheld are no bad ones, and are among neither the run nor the others", () => {
  const withheld = days(QUIET).map((each, i) => (i === 9 ? { ...each, n: 4, score: null } : each));
  assert.equal(findWorstRun(withheld, 76.5, 79.5), null);
  const bad = withheld.map((each, i) => (i >= 10 && i <= 12 ? { ...each, score: 40 } : each));
  const found = findWorstRun(bad, 68, 72);
  assert.equal(found?.start, "2026-11-04");
  assert.deepEqual(found?.within, { n: 300, score: 40 });
  assert.equal(found?.others.n, 2400);
});

test("a run begins with an answer and ends with one", () => {
  const scores: (number | null)[] = QUIET.map((score, i) => (i >= 6 && i <= 8 ? 40 : score));
  scores[5] = scores[9] = null;
  const found = findWorstRun(days(scores), 68, 72);
  assert.deepEqual([found?.start, found?.end], ["2026-10-31", "2026-11-02"]);
});

test("a good run is no bad news", () => {
  assert.equal(findWorstRun(days(QUIET.map((s, i) => (i < 4 ? 100 : s))), 79, 82), null);
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
