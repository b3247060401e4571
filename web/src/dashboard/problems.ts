// The errors on the page at the moment. Several requests mostly fail for the same reason: it is shown
// once, with one button that tries all of them again.

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ApiError } from "./api.ts";

interface Failure {
  /** The component whose request failed. */
  readonly owner: object;
  readonly reason: string;
  readonly retry: () => void;
}

/** The failures in the order in which they came. */
const failures = signal<readonly Failure[]>([]);

interface Said {
  /** Whether this component shows the reason. */
  readonly here: boolean;
  /** Tries again everything that failed for this reason. */
  readonly retryAll: () => void;
}

/** Of all components that fail for the same reason, only the first shows it. */
export function useProblem(problem: ApiError | null, retry: () => void): Said {
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
