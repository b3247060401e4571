// Makes the estimates that movers.ts compares from the rows of a reply. Pure functions.

import type { Estimate } from "./movers.ts";
import { count, number, type Row } from "./reply.ts";

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
