// What moved a score: contributions add up, and chance is not mistaken for news.

import assert from "node:assert/strict";
import { test } from "node:test";
import { foldedFirst, type Contributor } from "../src/dashboard/contributors.ts";
import { topContributor } from "../src/dashboard/top-contributor.ts";
import type { Place } from "../src/dashboard/estimates.ts";
import {
  movers,
  pValue,
  survivors,
  upperTail,
  type Estimate,
  type Group,
} from "../src/dashboard/movers.ts";

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

test("contributions add up to the change of the whole", () => {
  const counts = [[60, 80, 400, 500], [300, 380, 20, 300], [0, 0, 7, 9], [12, 15, 0, 0]] as const;
  const groups = counts.map(([g1, n1, g0, n0], key) => ({
    key,
    now: csat(g1, n1),
    before: csat(g0, n0),
  }));
  const sum = (index: 0 | 1 | 2 | 3): number => counts.reduce((s, c) => s + c[index], 0);
  const [now, before] = [csat(sum(0), sum(1)), csat(sum(2), sum(3))];
  const total = movers(groups, now, before).reduce((s, m) => s + (m.contribution ?? 0), 0);
  assert.ok(Math.abs(total - ((now.score ?? 0) - (before.score ?? 0))) < 0.02);
});

test("a group that only became smaller has moved nothing", () => {
  const groups = [
    { key: "same", now: csat(75, 100), before: csat(300, 400) },
    { key: "worse", now: csat(50, 500), before: csat(150, 200) },
  ];
  const [same, worse] = movers(groups, csat(125, 600), csat(450, 600));
  assert.equal(same?.contribution, 0);
  assert.ok((worse?.contribution ?? 0) < -50);
});

test("a withheld score has no contribution, and too few answers no p-value", () => {
  const withheld: Estimate = { n: 3, score: null, low: null, high: null };
  const group = { key: 1, now: withheld, before: csat(5, 9) };
  const [mover] = movers([group], csat(50, 90), csat(50, 90));
  assert.equal(mover?.contribution, null);
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

function group(dimension: string, value: string, now: Estimate, before: Estimate): Group<Place> {
  return { key: { dimension, value }, now, before };
}

test("the topContributor is who explains more than its size, not who is everybody", () => {
  const [now, before] = [csat(514, 1013), csat(511, 644)];
  const countries = [
    group("country", "AT", csat(74, 445), csat(52, 64)),
    group("country", "DE", csat(440, 568), csat(459, 580)),
  ];
  const surveys = [group("survey", "support", now, before)];
  const devices = [
    group("device", "mobile", csat(280, 550), csat(261, 335)),
    group("device", "desktop", csat(234, 463), csat(250, 309)),
  ];
  const found = topContributor([surveys, devices, countries], now, before);
  assert.deepEqual(found?.key, { dimension: "country", value: "AT" });
  assert.ok((found?.contribution ?? 0) / (found?.change ?? 1) > 0.9);
  assert.equal(topContributor([devices], now, before), null);
});

test("after days that were worse still, nobody is to blame: the best of them rose", () => {
  const [now, before] = [csat(500, 1000), csat(200, 1000)];
  const countries = [
    group("country", "DE", csat(350, 500), csat(50, 500)),
    group("country", "AT", csat(150, 500), csat(150, 500)),
  ];
  assert.equal(topContributor([countries], now, before), null);
  assert.equal(topContributor([countries], before, before), null);
  const back = countries.map((each) => ({ ...each, now: each.before, before: each.now }));
  assert.equal(topContributor([back], before, now)?.key.value, "DE"); // the other way round, it fell
});

/** Groups as contributors to one change, each of them sure. */
function sureOf(groups: readonly Group<Place>[], now: Estimate, before: Estimate): Contributor[] {
  return movers(groups, now, before).map((mover) => ({
    ...mover,
    contribution: mover.contribution ?? 0,
    sure: true,
  }));
}

test("the same answers by another name stand within the strongest group", async () => {
  // only Austria fell, on each device alike: without it neither device moved; chat fell by itself
  const [now, before] = [csat(1300, 2000), csat(1520, 2000)];
  const groups = [
    group("country", "AT", csat(200, 500), csat(380, 500)),
    group("country", "DE", csat(1100, 1500), csat(1140, 1500)),
    group("device", "mobile", csat(650, 1000), csat(760, 1000)),
    group("device", "desktop", csat(650, 1000), csat(760, 1000)),
    group("channel", "chat", csat(60, 100), csat(100, 100)),
    group("agent", "anna", csat(30, 60), csat(45, 60)),
  ];
  const outside = [
    group("device", "mobile", csat(550, 750), csat(570, 750)),
    group("device", "desktop", csat(550, 750), csat(570, 750)),
    group("channel", "chat", csat(58, 98), csat(98, 98)),
    group("agent", "anna", { n: 4, score: null, low: null, high: null }, csat(3, 4)),
  ];
  const asked: string[] = [];
  const heads = await foldedFirst(sureOf(groups, now, before), now, before, async ({ key }) => {
    asked.push(`${key.dimension}=${key.value}`);
    return key.value === "AT" ? movers(outside, now, before) : movers(groups, now, before);
  });
  assert.equal(asked[0], "country=AT");
  assert.deepEqual(
    heads.map(({ key, within }) => [key.value, within.map((each) => each.key.value)]),
    [
      ["AT", ["mobile", "desktop"]],
      ["DE", []],
      ["chat", []],
      ["anna", []], // of whom nobody may tell what remains
    ],
  );
});

test("under what may be chance nothing is folded, and nothing is asked", async () => {
  const [now, before] = [csat(700, 1000), csat(760, 1000)];
  const groups = [
    group("country", "AT", csat(100, 200), csat(152, 200)),
    group("device", "mobile", csat(100, 200), csat(152, 200)),
  ];
  const unsure = sureOf(groups, now, before).map((each) => ({ ...each, sure: false }));
  const heads = await foldedFirst(unsure, now, before, () => {
    throw new Error("asked");
  });
  assert.equal(heads.length, 2);
});
