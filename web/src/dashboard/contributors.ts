// Whose answers changed a score most: the groups of several dimensions side by side. Pure.

import { groupsOf, type Place } from "./estimates.ts";
import { movers, survivors, type Estimate, type Mover } from "./movers.ts";
import type { Reply } from "./reply.ts";

/** Whose groups may explain a change. */
export const MOVED_BY = ["country", "channel", "agent", "device", "browser", "os", "survey"];
const SHOWN = 10;
/** A group with more of the answers than this is the whole, by another name. */
const THE_WHOLE = 0.95;

export interface Contributor extends Mover<Place> {
  readonly contribution: number;
  /** True where more than chance explains that its own score changed. */
  readonly sure: boolean;
}

/**
 * All groups whose contribution is known, with what is sure of them taken together. The replies
 * are one for each dimension.
 */
export function contributors(
  replies: readonly Reply[],
  dimensions: readonly string[],
  now: Estimate,
  before: Estimate,
): Contributor[] {
  const all = replies.flatMap((reply, i) =>
    movers(groupsOf(reply.rows, dimensions[i] ?? ""), now, before),
  );
  const sure = survivors(all.map((mover) => mover.p));
  return all.flatMap((mover, i) =>
    mover.contribution === null
      ? []
      : [{ ...mover, contribution: mover.contribution, sure: sure[i] ?? false }],
  );
}

/** Those that moved most, without those that are everybody; the losses first. */
export function worstFirst(
  all: readonly Contributor[],
  now: Estimate,
  before: Estimate,
): Contributor[] {
  return all
    .filter((m) => Math.min(m.now.n / now.n, m.before.n / before.n) < THE_WHOLE)
    .sort((x, y) => Math.abs(y.contribution) - Math.abs(x.contribution))
    .slice(0, SHOWN)
    .sort((x, y) => x.contribution - y.contribution);
}
