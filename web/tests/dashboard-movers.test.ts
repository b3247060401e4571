// Which of many groups changed: chance is not mistaken for news.

import assert from "node:assert/strict";
import { test } from "node:test";
import { pValue, survivors, upperTail, type Estimate } from "../src/dashboard/movers.ts";

const Z = 1.959964;

/** docs/metrics.md: Wilson's interval of a percentage. */
function csat(good: number, n: number): Estimate {
  if (n === 0) return { n, score: null, low: null, high: null };
  const p = good / n;
  const centre = (p + (Z * Z) / (2 * n)) / (1 + (Z * Z) / n);
  const half = (Z * Math.sqrt((p * (1 - p)) / n + (Z * Z) / (4 * n * n))) / (1 + (Z * Z) / n);
  const [low, high] = [two(100 * (centre - half)), two(100 * (centre + half))];
  return { n, score: two(100 * p), low, high };
}

/** docs/metrics.md: the adjusted Wald interval of an NPS. */
function nps(promoters: number, passives: number, detractors: number): Estimate {
  const n = promoters + passives + detractors;
  if (n === 0) return { n, score: null, low: null, high: null };
  const [p, d] = [(promoters + 0.75) / (n + 3), (detractors + 0.75) / (n + 3)];
  const x = p - d;
  const half = Z * Math.sqrt((p + d - x * x) / (n + 3));
  const score = two((100 * (promoters - detractors)) / n);
  return {
    n,
    score,
    low: Math.min(score, Math.max(-100, two(100 * (x - half)))),
    high: Math.max(score, Math.min(100, two(100 * (x + half)))),
  };
}

function two(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Chance that is the same at every run (mulberry32). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Of n draws, how many fall into each of the given shares. */
function draw(random: () => number, n: number, shares: readonly number[]): number[] {
  const counts = shares.map(() => 0);
  for (let i = 0; i < n; i++) {
    let rest = random();
    const found = shares.findIndex((share) => (rest -= share) < 0);
    const index = found < 0 ? shares.length - 1 : found;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}

test("the vectors of docs/metrics.md hold for the intervals used here", () => {
  assert.deepEqual(csat(70, 100), { n: 100, score: 70, low: 60.42, high: 78.11 });
  assert.deepEqual(nps(291, 476, 395), { n: 1162, score: -8.95, low: -13.31, high: -4.55 });
});

test("of too few answers there is no p-value", () => {
  assert.equal(pValue(csat(9, 9), csat(0, 90)), null);
});

test("at 5 % a p-value says what the API's significant says", () => {
  // MOVER: the difference's interval excludes 0
  assert.ok((pValue(csat(60, 100), csat(74, 100)) ?? 1) < 0.05);
  assert.ok((pValue(csat(60, 100), csat(73, 100)) ?? 0) > 0.05);
  assert.equal(pValue(csat(60, 100), csat(60, 100)), 1);
  assert.ok(Math.abs(2 * upperTail(1.959964) - 0.05) < 1e-6);
});

test("Benjamini-Hochberg, by hand", () => {
  assert.deepEqual(survivors([0.01, 0.04, 0.03, null, 0.9]), [true, false, false, false, false]);
  assert.deepEqual(survivors([0.01, 0.02, 0.03, 0.04, 0.05]), [true, true, true, true, true]);
  assert.deepEqual(survivors([]), []);
});

const WEEKS = 1_000;
const GROUPS = 66;

test("of 1,000 quiet weeks, at most 7 in 100 show a significant mover", () => {
  const random = chance(20261121);
  let alarms = 0;
  for (let week = 0; week < WEEKS; week++) {
    const ps = Array.from({ length: GROUPS }, (_, group) => {
      const n = (): number => 10 + Math.floor(random() ** 3 * 250);
      if (group % 2) {
        const shares = [0.41, 0.32, 0.27] as const;
        const [a, b] = [draw(random, n(), shares), draw(random, n(), shares)];
        return pValue(nps(a[0] ?? 0, a[1] ?? 0, a[2] ?? 0), nps(b[0] ?? 0, b[1] ?? 0, b[2] ?? 0));
      }
      const share = [0.6, 0.75, 0.9, 0.97][(group / 2) % 4] ?? 0.75;
      const good = (): Estimate => {
        const size = n();
        return csat(draw(random, size, [share, 1 - share])[0] ?? 0, size);
      };
      return pValue(good(), good());
    });
    if (survivors(ps).some(Boolean)) alarms++;
  }
  assert.ok(alarms / WEEKS <= 0.07, `${alarms} of ${WEEKS}`);
});

test("a group that fell by 30 points is found among 65 quiet ones", () => {
  const random = chance(7);
  let found = 0;
  for (let week = 0; week < 100; week++) {
    const ps = Array.from({ length: GROUPS }, (_, group) => {
      const good = (share: number): Estimate =>
        csat(draw(random, 150, [share, 1 - share])[0] ?? 0, 150);
      return pValue(good(group === 0 ? 0.45 : 0.75), good(0.75));
    });
    if (survivors(ps)[0]) found++;
  }
  assert.ok(found >= 95, `${found} of 100`);
});
