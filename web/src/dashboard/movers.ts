// Of many groups, whose change chance does not explain (docs/metrics.md, "Comparison"). Pure.
//
// The API gives each score with its 95 % interval; docs/metrics.md's interval of a difference
// (MOVER) is built from the two of them, and how far it would have to be widened until it contains
// 0 gives the p-value. At 5 % this is the API's own `significant`.

export interface Estimate {
  readonly n: number;
  readonly score: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** Of fewer answers, on either side, no difference is called significant or not. */
const FEWEST_TO_COMPARE = 10;
const Z = 1.959964;

/** How likely such a change is, or a greater one, where nothing has changed. */
export function pValue(now: Estimate, before: Estimate): number | null {
  if (Math.min(now.n, before.n) < FEWEST_TO_COMPARE) return null;
  const [a, b] = [ends(now), ends(before)];
  if (!a || !b) return null;
  const change = a.score - b.score;
  if (change === 0) return 1;
  // the arms of the interval of the difference that point towards 0
  const arm = change > 0
    ? Math.hypot(a.score - a.low, b.high - b.score)
    : Math.hypot(a.high - a.score, b.score - b.low);
  return arm === 0 ? 0 : 2 * upperTail((Z * Math.abs(change)) / arm);
}

function ends({ score, low, high }: Estimate): { score: number; low: number; high: number } | null {
  return score === null || low === null || high === null ? null : { score, low, high };
}

const TAIL = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];

/** The standard normal's probability above z >= 0 (Abramowitz & Stegun 26.2.17, error < 8e-8). */
export function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series = TAIL.reduceRight((sum, coefficient) => t * (coefficient + sum), 0);
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}

/** Benjamini-Hochberg: which of the p-values survive at a rate; a null never does, but counts. */
export function survivors(ps: readonly (number | null)[], rate = 0.05): boolean[] {
  const known = ps.filter((p) => p !== null).sort((a, b) => a - b);
  let limit = -1;
  known.forEach((p, index) => {
    if (p <= (rate * (index + 1)) / ps.length) limit = p;
  });
  return ps.map((p) => p !== null && p <= limit);
}
