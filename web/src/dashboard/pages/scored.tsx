// The pages CSAT, Loyalty (NPS) and CES: the headline, its trend, its segments, its distribution.

import type { JSX } from "preact";
import { ColumnChart } from "../charts/columns.tsx";
import { LineChart } from "../charts/line.tsx";
import { periodEnd, type Granularity } from "../days.ts";
import { Figure } from "../figure.tsx";
import * as format from "../format.ts";
import { PageHead } from "../head.tsx";
import { Shown } from "../loaded.tsx";
import { NoData } from "../problem.tsx";
import { useReport } from "../replies.ts";
import {
  count,
  label,
  measures,
  number,
  ofMeasure,
  type Column,
  type Measure,
  type Reply,
  type Row,
} from "../reply.ts";
import { look } from "../router.ts";
import { axis, bounds, coarserNote, granularityOf, scorePoints } from "../series.ts";
import { capital, distribution, segmentColumn, segmentLegend, shares } from "../shares.ts";
import { columnsOf } from "../table.tsx";
import { reportQuery, withDates, type Params } from "../view.ts";
import { withheldNote } from "../withheld.ts";
import { WrittenLink } from "../written.tsx";
import { legend } from "./daily.tsx";
import { WorstRunNote, markedRunOf } from "./worst-run-note.tsx";
import type { PageProps } from "./page.ts";
import { t, toTranslate } from "../texts.ts";

interface Metric {
  readonly report: "csat" | "nps" | "ces";
  readonly title: string;
  readonly text: string;
  /** The name of the headline's column. */
  readonly headline: string;
  /** The API's columns of bad, neutral and good answers. */
  readonly segments: readonly [string, string, string];
}

const CSAT: Metric = {
  report: "csat",
  title: toTranslate("Customer satisfaction"),
  text: toTranslate(
    "Satisfied, neutral and dissatisfied customers, and the share of the first.",
  ),
  headline: "csat_pct",
  segments: ["dissatisfied", "neutral", "satisfied"],
};
const NPS: Metric = {
  report: "nps",
  title: toTranslate("Loyalty"),
  text: toTranslate(
    "The net promoter score: the share of promoters (9–10) minus that of detractors (0–6).",
  ),
  headline: "nps",
  segments: ["detractors", "passives", "promoters"],
};
const CES: Metric = {
  report: "ces",
  title: toTranslate("Customer effort"),
  text: toTranslate(
    "How many found it easy or difficult, and the share of the first.",
  ),
  headline: "ces_pct",
  segments: ["difficult", "neutral", "easy"],
};

export const CsatPage = (props: PageProps): JSX.Element => <ScoredPage {...props} metric={CSAT} />;
export const NpsPage = (props: PageProps): JSX.Element => <ScoredPage {...props} metric={NPS} />;
export const CesPage = (props: PageProps): JSX.Element => <ScoredPage {...props} metric={CES} />;

function ScoredPage({ params, filters, metric }: PageProps & { metric: Metric }): JSX.Element {
  const query = reportQuery(params, filters, { granularity: "total" });
  const whole = useReport(metric.report, query);
  const granularity = granularityOf(params, whole.value?.meta ?? null);
  const changes = { granularity, fill: "true", limit: "10000" };
  const series = useReport(metric.report, reportQuery(params, filters, changes));
  const found = measures(whole.value?.rows ?? []);
  return (
    <>
      <PageHead
        title={t(metric.title)}
        text={t(metric.text)}
        of={whole}
        report={metric.report}
        query={query}
      />
      <WrittenLink params={params} filters={filters} metric={metric.report} />
      <Shown of={whole}>
        {(reply) =>
          found.length === 0 ? (
            <NoData />
          ) : (
            found.map((measure) => (
              <OneScale
                key={measure.scale}
                metric={metric}
                measure={measure}
                whole={reply}
                named={found.length > 1 || params.has("scale")}
              >
                <Shown of={series}>
                  {(parts) => (
                    <OverTime
                      metric={metric}
                      measure={measure}
                      whole={reply}
                      series={parts}
                      granularity={granularity}
                      params={params}
                    />
                  )}
                </Shown>
              </OneScale>
            ))
          )
        }
      </Shown>
    </>
  );
}

interface ScaleProps {
  readonly metric: Metric;
  readonly measure: Measure;
  readonly whole: Reply;
  /** Whether the scale is named. */
  readonly named: boolean;
  readonly children: JSX.Element;
}

function OneScale({ metric, measure, whole, named, children }: ScaleProps): JSX.Element {
  const row = ofMeasure(whole.rows, measure)[0] ?? {};
  const breakdown = ofMeasure(whole.breakdown ?? [], measure);
  const { headline, segments, report } = metric;
  const change = number(row, `${headline}_change`);
  const withheld = withheldNote([row]);
  return (
    <section>
      {named && <h2>{t("On the scale {scale}", { scale: measure.scale })}</h2>}
      <div class="headline">
        <p class="big">{format.score(number(row, headline), report)}</p>
        <p>
          {[
            t("95 % interval {low} to {high}, of {answers}.", {
              low: format.fixed(number(row, "ci_low"), 2),
              high: format.fixed(number(row, "ci_high"), 2),
              answers: format.counted(count(row), "{n} answer", "{n} answers"),
            }),
            number(row, "average") !== null &&
              t("Average score {average}, median {median}.", {
                average: format.cell(row["average"]),
                median: format.cell(row["median"], "scale", "median"),
              }),
            change !== null &&
              t("{points} points against {before} before, {doubt}.", {
                points: format.signed(change, 2),
                before: format.fixed(number(row, `${headline}_previous`), 2),
                doubt: row[`${headline}_significant`]
                  ? t("more than chance explains")
                  : t("which may be chance"),
              }),
          ]
            .filter(Boolean)
            .join(" ")}
        </p>
        <Shares row={row} segments={segments} />
      </div>
      {withheld && <p class="note">{withheld}</p>}
      {children}
      <Figure
        title={t("How often each score was given")}
        reply={whole}
        n={count(row)}
        of={t("answers")}
        note={withheldNote(breakdown)}
        table={{
          columns: columnsOf(
            { ...whole, columns: BREAKDOWN_COLUMNS },
            ["score_value", "segment", "responses", "share_pct"],
          ),
          rows: breakdown,
        }}
      >
        <ColumnChart
          label={t("How often each score was given")}
          points={distribution(breakdown, segments)}
          format={(value) => format.percent(value, 0)}
          legend={segmentLegend(segments)}
        />
      </Figure>
    </section>
  );
}

const BREAKDOWN_COLUMNS: readonly Column[] = [
  { name: "score_value", kind: "dimension" },
  { name: "segment", kind: "dimension" },
  { name: "responses", kind: "metric", unit: "count" },
  { name: "share_pct", kind: "metric", unit: "percent" },
];

/** The three segments as one bar, each with its description in words. */
function Shares({ row, segments }: { row: Row; segments: readonly string[] }): JSX.Element {
  const parts = shares(row, segments);
  return (
    <div class="shares">
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        {parts.map(({ name, look, from, width }) => (
          <rect key={name} class={look} x={from} y="0" width={width} height="4" />
        ))}
      </svg>
      <ul>
        {parts.map(({ name, title, look, share, n }) => (
          <li key={name}>
            <svg class="swatch" width="10" height="10" aria-hidden="true">
              <rect class={look} width="10" height="10" />
            </svg>{" "}
            {title} <strong>{share}</strong> <span class="note">n {n}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

interface OverTimeProps {
  readonly metric: Metric;
  readonly measure: Measure;
  readonly whole: Reply;
  readonly series: Reply;
  readonly granularity: Granularity;
  readonly params: Params;
}

function OverTime(props: OverTimeProps): JSX.Element {
  const { metric, measure, series, granularity, params } = props;
  const rows = ofMeasure(series.rows, measure);
  const row = ofMeasure(props.whole.rows, measure)[0];
  const { headline, segments, report } = metric;
  const markedRun = markedRunOf(rows, row, granularity, headline);
  const pick = (i: number): void => {
    const start = label(rows[i] ?? {}, "period");
    if (start) look(withDates(params, start, periodEnd(start, granularity)));
  };
  const columns = segments.flatMap((name) => [name, `${name}_pct`]);
  const withheld = withheldNote(rows);
  const coarser = coarserNote(params, granularity);
  return (
    <>
      <Figure
        title={t("Over time")}
        reply={series}
        n={count(row)}
        of={t("answers")}
        note={
          (markedRun || withheld || coarser) && (
            <>
              {markedRun && <WorstRunNote markedRun={markedRun} metric={report} />} {withheld} {coarser}
            </>
          )
        }
        table={{
          columns: columnsOf(
            series,
            ["period", "responses", headline, "ci_low", "ci_high", `${headline}_previous`],
            granularity,
          ),
          rows,
        }}
      >
        <LineChart
          label={t("{name} by {granularity}", {
            name: t(metric.title),
            granularity: t(granularity),
          })}
          points={scorePoints(rows, report, granularity, series.meta, headline)}
          format={axis(report)}
          bounds={bounds(report)}
          reference={number(row, headline)}
          marked={markedRun?.marked ?? null}
          legend={legend(series)}
          onPick={pick}
        />
      </Figure>
      <Figure
        title={capital(format.listed([...segments].reverse().map((name) => t(name))))}
        reply={series}
        n={count(row)}
        of={t("answers")}
        note={withheld}
        table={{
          columns: columnsOf(series, ["period", "responses", ...columns], granularity),
          rows,
        }}
      >
        <ColumnChart
          label={t("Shares by {granularity}", { granularity: t(granularity) })}
          points={rows.map((each) => segmentColumn(each, segments, granularity, series.meta))}
          format={(value) => `${value} %`}
          most={100}
          legend={segmentLegend(segments)}
          onPick={pick}
        />
      </Figure>
    </>
  );
}
