// Shown in place of something that cannot be loaded: what happened, what to do, the request's id.

import type { JSX } from "preact";
import type { ApiError } from "./api.ts";
import { CopyButton } from "./copy.tsx";
import { look, view } from "./router.ts";
import { carried } from "./view.ts";
import { t } from "./texts.ts";

interface Props {
  readonly problem: ApiError;
  readonly retry: () => void;
}

export function ProblemNote({ problem, retry }: Props): JSX.Element {
  return (
    <div class="problem" role="alert">
      <p>
        <strong>{problem.message}</strong> {advice(problem.status)}
      </p>
      <p class="actions">
        <button type="button" onClick={retry}>
          {t("Try again")}
        </button>
        {problem.status === 400 && (
          <button type="button" onClick={() => look(carried(new Map(), []))}>
            {t("Show the page without filters")}
          </button>
        )}
        {problem.requestId && (
          <CopyButton title={t("Copy the request id")} text={() => problem.requestId ?? ""} />
        )}
      </p>
      {problem.requestId && <p class="note">{t("Request {id}", { id: problem.requestId })}</p>}
    </div>
  );
}

function advice(status: number): string {
  if (status === 0) return t("Is it running, and are you online? What you see below may be old.");
  if (status === 400) return t("The address asks for something that this report does not know.");
  if (status === 403) return t("Ask whoever gave you the key for one that may read this.");
  if (status === 429 || status === 503) return t("It is busy; in a few seconds it should answer.");
  if (status >= 500) return t("If it stays so, tell the people who run Pulse the request's id.");
  return "";
}

/** Nothing was counted in these days with these filters. */
export function NoData({ what = t("answers") }: { readonly what?: string }): JSX.Element {
  const params = view.value.params;
  const filtered = [...params.keys()].some((name) => !DAYS.has(name) && !LAYOUT.has(name));
  return (
    <div class="nothing">
      <p>
        {filtered
          ? t("No {what} in these days with these filters.", { what })
          : t("No {what} in these days.", { what })}
      </p>
      {filtered && (
        <button
          type="button"
          onClick={() => look(new Map([...params].filter(([name]) => DAYS.has(name))))}
        >
          {t("Remove the filters")}
        </button>
      )}
    </div>
  );
}

const DAYS = new Set(["preset", "start_date", "end_date", "compare", "granularity", "tenant"]);
/** The parameters that only lay out rows, which do not matter without rows. */
const LAYOUT = new Set(["order_by", "group_by", "folds"]);
