// The days that went worst: the run of days whose score lies furthest below that of all others.
// Pure.

import { daysBetween } from "./days.ts";

export interface DayScore {
  readonly day: string;
  /** Where it is more than one day: the last of them. */
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
  /** In days. */
  readonly length: number;
  readonly within: Sum;
  readonly others: Sum;
  /** Standard errors by which it lies below the others. */
  readonly z: number;
}

/**
 * Standard errors at which a run is told of. The lowest of some four hundred runs of 28 days
 * must not be news: at 4.5 it is, by chance, in fewer than one of three hundred months. Of more
 * days the lowest run lies lower, by chance too: by as much as a normal deviate's tail, exp(-z²/2),
 * must be thinner where it is looked at so many times as often.
 */
const NEWS = 4.5;
const NEWS_OF_DAYS = 28;
const Z = 1.959964;

/**
 * The worst run of days, at most half of them; null where none stands out. `low` and `high` are
 * the interval of all days together, which tells how much single answers differ.
 */
export function findWorstRun(
  days: readonly DayScore[],
  low: number | null,
  high: number | null,
): WorstRun | null {
  // n · score is a sum of answers again: what scores are rounded to does not reach it
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
