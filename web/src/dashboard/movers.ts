// Finds those of many groups whose scores changed by more than chance explains (docs/metrics.md,
// "Comparison"). Pure functions.
//
// The API gives each score with its 95 % interval. docs/metrics.md makes the interval of a
// difference (MOVER) of the two scores' intervals. The p-value follows from how far that interval
// has to be widened until it contains 0; below 5 % the API's own `significant` is true.

export interface Estimate {
  readonly n: number;
  readonly score: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** If either side has fewer answers, nothing is said about whether the change is significant. */
const FEWEST_TO_COMPARE = 10;
const Z = 1.959964;

/**
 * The p-value: how likely a change of at least this size is if nothing has changed. It is null if
 * there are too few answers, or a score is missing.
 */
export function pValue(now: Estimate, before: Estimate): number | null {
  if (Math.min(now.n, before.n) < FEWEST_TO_COMPARE) return null;
  const [a, b] = [ends(now), ends(before)];
  if (!a || !b) return null;
  const change = a.score - b.score;
  if (change === 0) return 1;
  // the half of the difference's interval on the side of 0
  const arm = change > 0
    ? Math.hypot(a.score - a.low, b.high - b.score)
    : Math.hypot(a.high - a.score, b.score - b.low);
  return arm === 0 ? 0 : 2 * upperTail((Z * Math.abs(change)) / arm);
}

function ends({ score, low, high }: Estimate): { score: number; low: number; high: number } | null {
  return score === null || low === null || high === null ? null : { score, low, high };
}

const TAIL = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];

/** P(Z > z) of a standard normal Z for z >= 0 (Abramowitz & Stegun 26.2.17, error < 8e-8). */
export function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series = TAIL.reduceRight((sum, coefficient) => t * (coefficient + sum), 0);
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}

/**
 * Whether each p-value is significant at a false discovery rate, by Benjamini and Hochberg. A null
 * never is, but counts among the comparisons.
 */
export function survivors(ps: readonly (number | null)[], rate = 0.05): boolean[] {
  const known = ps.filter((p) => p !== null).sort((a, b) => a - b);
  let limit = -1;
  known.forEach((p, index) => {
    if (p <= (rate * (index + 1)) / ps.length) limit = p;
  });
  return ps.map((p) => p !== null && p <= limit);
}
