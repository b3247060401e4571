// Replies for a component. They are requested when their paths change; the old ones stay, to be shown
// dimmed, until all new ones are there.

import { useEffect, useState } from "preact/hooks";
import { ApiError, forgetReplies, get } from "./api.ts";
import type { Reply } from "./reply.ts";

export interface Loaded<T> {
  /** The latest value, perhaps of an earlier request. */
  readonly value: T | null;
  /** True while `value` is of an earlier request. */
  readonly stale: boolean;
  readonly problem: ApiError | null;
  readonly retry: () => void;
}

interface Outcome<T> {
  readonly asked: string;
  readonly value: T | null;
  readonly problem: ApiError | null;
}

/** The replies at several paths under /v1; without paths an empty list, at once. */
function useAll<T>(
  paths: readonly string[],
  fetchOne: (path: string) => Promise<T> = get,
): Loaded<readonly T[]> {
  const [tries, setTries] = useState(0);
  const asked = `${tries} ${paths.join(" ")}`;
  const [outcome, setOutcome] = useState<Outcome<readonly T[]>>({
    asked: "",
    value: null,
    problem: null,
  });
  useEffect(() => {
    let current = true;
    Promise.all(paths.map(fetchOne)).then(
      (value) => current && setOutcome({ asked, value, problem: null }),
      (error: unknown) =>
        current && setOutcome((old) => ({ asked, value: old.value, problem: problemOf(error) })),
    );
    return () => {
      current = false;
    };
  }, [asked]);
  const retry = (): void => {
    forgetReplies();
    setTries(tries + 1);
  };
  const stale = outcome.asked !== asked;
  return { value: outcome.value, stale, problem: stale ? null : outcome.problem, retry };
}

export function useOne<T>(path: string): Loaded<T> {
  const all = useAll<T>([path]);
  return { ...all, value: all.value?.[0] ?? null };
}

/** A report's reply with all of its pages. */
export function useReport(report: string, query: string): Loaded<Reply> {
  const loaded = useReports([reportPath(report, query)]);
  return { ...loaded, value: loaded.value?.[0] ?? null };
}

/** The replies at several reports' paths, each with all of its pages. */
export function useReports(paths: readonly string[]): Loaded<readonly Reply[]> {
  return useAll<Reply>(paths, whole);
}

/** The most pages that are loaded: nobody reads a longer table, and figure.tsx says that it goes on. */
const MOST_PAGES = 5;

/** The reply at a report's path with all of its pages. */
async function whole(path: string): Promise<Reply> {
  const first = await get<Reply>(path);
  const rows = [...first.rows];
  let cursor = first.next_cursor;
  for (let page = 1; cursor !== null && page < MOST_PAGES; page++) {
    const next = await get<Reply>(nextPage(path, cursor));
    rows.push(...next.rows);
    cursor = next.next_cursor;
  }
  return { ...first, rows, next_cursor: cursor };
}

function nextPage(path: string, cursor: string): string {
  return `${path}${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}`;
}

export function reportPath(report: string, query: string): string {
  return `/reports/${report}${query && `?${query}`}`;
}

function problemOf(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(0, "page", String(error), null);
}
