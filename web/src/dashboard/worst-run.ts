// Finds the worst run: the days, one after another, whose score lies furthest below that of all
// other days. Pure functions.

import { daysBetween } from "./days.ts";

export interface DayScore {
  readonly day: string;
  /** The last day, if the run is longer than one day. */
  readonly last?: string;
  readonly n: number;
  readonly score: number | null;
}

export interface Sum {
  readonly n: number;
  readonly score: number;
}

export interface WorstRun {
  readonly start: string;
  readonly end: string;
  /** The number of days. */
  readonly length: number;
  readonly within: Sum;
  readonly others: Sum;
  /** How many standard errors its score lies below that of the other days. */
  readonly z: number;
}

/**
 * The number of standard errors from which a run is reported. 28 days have some four hundred runs,
 * of which the lowest must not be reported only because it is the lowest: at 4.5, chance alone
 * reports one in fewer than one of three hundred months. More days have more runs, and by chance
 * alone the lowest of them lies lower; the limit grows so that the tail of the normal distribution,
 * exp(-z²/2), becomes smaller by the same factor.
 */
const NEWS = 4.5;
const NEWS_OF_DAYS = 28;
const Z = 1.959964;

/**
 * The worst run, which has at most half of the days; null if none is low enough. `low` and `high`
 * are the interval of all days together, from which the spread of single answers is computed.
 */
export function findWorstRun(
  days: readonly DayScore[],
  low: number | null,
  high: number | null,
): WorstRun | null {
  // n · score is the sum of whole answers; rounding it removes the rounding of the scores
  // days whose score is withheld or has no answers are in no run, and in none of the others
  const scored = days.map((d) => (d.score === null ? { ...d, n: 0, score: 0 } : { n: d.n, score: d.score }));
  const ns = prefixSums(scored.map((d) => d.n));
  const sums = prefixSums(scored.map((d) => Math.round((d.n * d.score) / 100) * 100));
  const all = ns.at(-1) ?? 0;
  if (low === null || high === null || all === 0) return null;
  const answers = days.reduce((found, { n }) => found + n, 0); // the interval is of all of them
  const deviation = ((high - low) / (2 * Z)) * Math.sqrt(answers);
  const news = Math.sqrt(NEWS ** 2 + 2 * Math.log(Math.max(1, days.length / NEWS_OF_DAYS)));
  let worst: WorstRun | null = null;
  for (let from = 0; from < days.length; from++) {
    if (scored[from]?.n === 0) continue; // a run begins with a score
    const last = Math.min(days.length, from + Math.floor(days.length / 2));
    for (let to = from + 1; to <= last; to++) {
      const n = at(ns, to) - at(ns, from);
      const rest = all - n;
      if (n === 0 || rest === 0) continue;
      const sum = at(sums, to) - at(sums, from);
      const within = { n, score: sum / n };
      const others = { n: rest, score: (at(sums, days.length) - sum) / rest };
      const z = (others.score - within.score) / (deviation * Math.sqrt(1 / n + 1 / rest));
      const [first, end] = [days[from], days[to - 1]];
      if (first && end && z > (worst?.z ?? news)) {
        const length = daysBetween(first.day, end.last ?? end.day);
        worst = { start: first.day, end: end.last ?? end.day, length, within, others, z };
      }
    }
  }
  return worst;
}

function prefixSums(values: readonly number[]): number[] {
  const sums = [0];
  for (const value of values) sums.push((sums.at(-1) ?? 0) + value);
  return sums;
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? 0;
}
