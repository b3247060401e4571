// Shows loaded content: dimmed while a newer reply is awaited, and with the error if there is one.

import type { ComponentChildren, JSX } from "preact";
import { ProblemNote } from "./problem.tsx";
import { useProblem } from "./problems.ts";
import type { Loaded } from "./replies.ts";
import { t } from "./texts.ts";

interface Props<T> {
  readonly of: Loaded<T>;
  readonly children: (value: T) => ComponentChildren;
}

export function Shown<T>({ of, children }: Props<T>): JSX.Element {
  const said = useProblem(of.problem, of.retry);
  return (
    <div class={of.stale || of.problem ? "loaded stale" : "loaded"} aria-busy={of.stale}>
      {of.problem && said.here && <ProblemNote problem={of.problem} retry={said.retryAll} />}
      {of.value === null && of.stale && <p class="loading">{t("Loading …")}</p>}
      {of.value !== null && <div class="shown">{children(of.value)}</div>}
    </div>
  );
}
