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
  const all = moversOf(replies, dimensions, now, before);
  const sure = survivors(all.map((mover) => mover.p));
  return all.flatMap((mover, i) =>
    mover.contribution === null
      ? []
      : [{ ...mover, contribution: mover.contribution, sure: sure[i] ?? false }],
  );
}

/** The groups of the replies, one for each dimension, as parts of the change of the whole. */
export function moversOf(
  replies: readonly Reply[],
  dimensions: readonly string[],
  now: Estimate,
  before: Estimate,
): Mover<Place>[] {
  return replies.flatMap((reply, i) =>
    movers(groupsOf(reply.rows, dimensions[i] ?? ""), now, before),
  );
}

/** Those that moved most, without those that are everybody; the losses first. */
export function worstFirst(
  all: readonly Contributor[],
  now: Estimate,
  before: Estimate,
): Contributor[] {
  return strongest(all, now, before)
    .slice(0, SHOWN)
    .sort((x, y) => x.contribution - y.contribution);
}

/** A contributor with those of other dimensions whose contribution is nearly all within it. */
export interface Head extends Contributor {
  readonly within: readonly Contributor[];
}

/** What each group of other dimensions adds to the change without the answers of one group. */
export type Without = (head: Contributor) => Promise<readonly Mover<Place>[]>;

/** Of those that may be shown, so many are looked at, and under so many of them others folded. */
const LOOKED_AT = 20;
const MOST_HEADS = 4;
/** Of a contribution what remains outside of another group where it is that group's, told again. */
const TOLD_AGAIN = 1 / 3;

/**
 * Those that moved most, the losses first. The same answers have a country, a browser and an
 * agent: a group of which little remains without the answers of a stronger one that changed for
 * certain is that one's, and stands within it.
 */
export async function foldedFirst(
  all: readonly Contributor[],
  now: Estimate,
  before: Estimate,
  without: Without,
): Promise<Head[]> {
  let left = strongest(all, now, before).slice(0, LOOKED_AT);
  const heads: Head[] = [];
  for (let asked = 0; left.length > 0 && heads.length < SHOWN; ) {
    const [head, ...others] = left as [Contributor, ...Contributor[]];
    const foldable = others.some((each) => isFoldable(each, head));
    const ask = head.sure && foldable && asked < MOST_HEADS;
    const outside = ask ? await without(head) : null;
    const within = outside ? others.filter((each) => isWithin(each, head, outside)) : [];
    heads.push({ ...head, within });
    left = others.filter((each) => !within.includes(each));
    if (ask) asked++;
  }
  return heads.sort((x, y) => x.contribution - y.contribution);
}

/** Groups of one dimension share no answer. */
function isFoldable(each: Contributor, head: Contributor): boolean {
  return (
    each.key.dimension !== head.key.dimension &&
    Math.sign(each.contribution) === Math.sign(head.contribution)
  );
}

function isWithin(
  each: Contributor,
  head: Contributor,
  outside: readonly Mover<Place>[],
): boolean {
  if (!isFoldable(each, head)) return false;
  const rest = outside.find(
    ({ key }) => key.dimension === each.key.dimension && key.value === each.key.value,
  );
  if (rest?.contribution === null) return false; // withheld: nobody can tell
  const remains = (rest?.contribution ?? 0) * Math.sign(each.contribution);
  return remains <= TOLD_AGAIN * Math.abs(each.contribution);
}

/** The strongest first, without those that are everybody. */
function strongest(
  all: readonly Contributor[],
  now: Estimate,
  before: Estimate,
): Contributor[] {
  return all
    .filter((m) => Math.min(m.now.n / now.n, m.before.n / before.n) < THE_WHOLE)
    .sort((x, y) => Math.abs(y.contribution) - Math.abs(x.contribution));
}
