// The survey metrics side by side: their headline figures, and the choice of one of them.

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

/** All measures over all days, whichever is chosen, by a report of surveys and as it is `asked`. */
export function useTotals(
  params: Params,
  filters: readonly string[],
  report = "daily",
  asked: Record<string, string | null> = {},
): Loaded<Reply> {
  const changes = { metric: null, scale: null, granularity: "total", ...asked };
  return useReport(report, reportQuery(params, filters, changes));
}

/** The chosen measure: the one of the filter, otherwise the one with most responses. */
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
  /** The figure before, which is shown too. */
  readonly from?: string;
}

/** The change in points, marked if it is more than chance. */
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

function toMeasure(params: Params, measure: Measure): Params {
  return withParams(toScale(params, measure), { metric: measure.metric });
}

/** Filters to one of the metric's scales. */
export function toScale(params: Params, { scale }: Measure): Params {
  return withParams(params, { scale: encodeURIComponent(scale) });
}
