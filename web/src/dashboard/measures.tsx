// The survey metrics side by side: the headline figures, and the choice of the one to look at.

import type { JSX } from "preact";
import { useReport, type Loaded } from "./replies.ts";
import { before, now } from "./estimates.ts";
import * as format from "./format.ts";
import { metricMeaning, metricName } from "./names.ts";
import { measures, ofMeasure, type Measure, type Reply, type Row } from "./reply.ts";
import { view } from "./router.ts";
import { Link } from "./link.tsx";
import { onlyValue, reportQuery, withParams, type Params } from "./view.ts";
import { t } from "./texts.ts";

/** All measures over the whole of the days, whichever is looked at. */
export function useTotals(params: Params, filters: readonly string[]): Loaded<Reply> {
  const changes = { metric: null, scale: null, granularity: "total" };
  return useReport("daily", reportQuery(params, filters, changes));
}

/** The measure that is looked at: the one filtered to, else the one with the most answers. */
export function chosen(params: Params, rows: readonly Row[]): Measure | null {
  const [metric, scale] = [onlyValue(params, "metric"), onlyValue(params, "scale")];
  const fitting = measures(rows).filter(
    (m) => (!metric || m.metric === metric) && (!scale || m.scale === scale),
  );
  const n = (measure: Measure): number => now(ofMeasure(rows, measure)[0]).n;
  return fitting.reduce<Measure | null>((a, b) => (a && n(a) >= n(b) ? a : b), null);
}

interface Props {
  readonly params: Params;
  readonly totals: Reply;
  readonly measure: Measure | null;
}

export function MeasureStrip({ params, totals, measure }: Props): JSX.Element {
  return (
    <nav class="measures" aria-label={t("What is measured")}>
      {measures(totals.rows).map((each) => {
        const row = ofMeasure(totals.rows, each)[0];
        const current = each.metric === measure?.metric && each.scale === measure.scale;
        return (
          <Link
            key={`${each.metric} ${each.scale}`}
            to={{ page: view.value.page, params: toMeasure(params, each) }}
            current={current}
          >
            <span class="name">{metricName(each.metric)}</span>
            <span>
              <strong>{format.score(now(row).score, each.metric)}</strong>{" "}
              <span class="note">{metricMeaning(each.metric)}</span>
            </span>
            <span class="note">
              n {format.count(now(row).n)} · {each.scale}
              <Change row={row} />
            </span>
          </Link>
        );
      })}
    </nav>
  );
}

interface ChangeProps {
  readonly row: Row | undefined;
  /** What it was before, to be told too. */
  readonly from?: string;
}

/** Points more or less than before, marked where chance does not explain them. */
export function Change({ row, from }: ChangeProps): JSX.Element | null {
  const [a, b] = [now(row).score, before(row).score];
  if (a === null || b === null) return null;
  const sure = row?.["score_significant"] === true;
  const look = sure ? (a < b ? "worse" : "better") : "";
  return (
    <span class={`change ${look}`}>
      {" "}
      {a < b ? "▼" : a > b ? "▲" : "="} {format.signed(a - b, 1)}
      {from && ` ${t("from {score}", { score: from })}`}
      {sure ? "" : ` (${t("may be chance")})`}
    </span>
  );
}

export function toMeasure(params: Params, measure: Measure): Params {
  return withParams(toScale(params, measure), { metric: measure.metric });
}

/** Of the metric's scales one alone. */
export function toScale(params: Params, { scale }: Measure): Params {
  return withParams(params, { scale: encodeURIComponent(scale) });
}
