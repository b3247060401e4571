// For whom it went wrong: the one group that explains a change better than its size does. Pure.

import { movers, survivors, type Estimate, type Group, type Mover } from "./movers.ts";
import type { Place } from "./estimates.ts";

/** Of a change, what a group must explain beyond its share of the answers, to be named. */
const EXPLAINS_MORE = 0.25;

export interface TopContributor extends Mover<Place> {
  /** The whole's change, of which `contribution` is this group's. */
  readonly change: number;
}

/**
 * The group, of several dimensions' groups, that most exceeds in contribution what its share of
 * the answers before would let it have; null where none stands out, or only by chance, and where
 * the whole has not become worse: a group's part in a rise is no blame. Of every scale, also one
 * where lower is better, the higher score is the better.
 */
export function topContributor(
  dimensions: readonly (readonly Group<Place>[])[],
  now: Estimate,
  before: Estimate,
): TopContributor | null {
  if (now.score === null || before.score === null || now.score >= before.score) return null;
  const change = now.score - before.score;
  const all = dimensions.flatMap((groups) => movers(groups, now, before));
  const sure = survivors(all.map((mover) => mover.p));
  let best: TopContributor | null = null;
  let most = EXPLAINS_MORE;
  all.forEach((mover, i) => {
    const excess = (mover.contribution ?? 0) / change - mover.before.n / before.n;
    if (sure[i] && excess > most) {
      best = { ...mover, change };
      most = excess;
    }
  });
  return best;
}
