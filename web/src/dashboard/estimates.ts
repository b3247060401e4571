// From the rows of a compared reply to what movers.ts and the sentences reason about. Pure.

import type { Estimate, Group } from "./movers.ts";
import { count, label, number, type Row } from "./reply.ts";

/** A dimension's value. */
export interface Place {
  readonly dimension: string;
  readonly value: string | null;
}

export function now(row: Row | undefined): Estimate {
  return estimate(row, "");
}

export function before(row: Row | undefined): Estimate {
  return estimate(row, "_previous");
}

function estimate(row: Row | undefined, when: string): Estimate {
  return {
    n: count(row, `responses${when}`),
    score: number(row, `score${when}`),
    low: number(row, `ci_low${when}`),
    high: number(row, `ci_high${when}`),
  };
}

export function groupsOf(rows: readonly Row[], dimension: string): Group<Place>[] {
  return rows.map((row) => ({
    key: { dimension, value: label(row, dimension) },
    now: now(row),
    before: before(row),
  }));
}
