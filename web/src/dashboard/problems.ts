// What is wrong on the page at the moment. Several requests mostly fail for one reason: that is
// said once, and one button tries all of them again.

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Problem } from "./api.ts";

interface Failure {
  /** Whose failure it is. */
  readonly owner: object;
  readonly reason: string;
  readonly retry: () => void;
}

/** In the order in which they came. */
const failures = signal<readonly Failure[]>([]);

interface Said {
  /** Is it this one's to say it? */
  readonly here: boolean;
  /** Tries everything again that failed for the reason. */
  readonly retryAll: () => void;
}

/** Of all that fail for one reason the first says so. */
export function useProblem(problem: Problem | null, retry: () => void): Said {
  const owner = useRef({}).current;
  const reason = problem && `${problem.status} ${problem.code} ${problem.message}`;
  const newest = useRef(retry);
  newest.current = retry;
  useEffect(() => {
    if (reason === null) return;
    const failure = { owner, reason, retry: () => newest.current() };
    failures.value = [...failures.value, failure];
    return () => {
      failures.value = failures.value.filter((each) => each !== failure);
    };
  }, [reason]);
  const alike = failures.value.filter((each) => each.reason === reason);
  return {
    here: alike[0]?.owner === owner,
    retryAll: () => alike.forEach((each) => each.retry()),
  };
}
