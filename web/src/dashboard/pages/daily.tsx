// The page Daily: the score of one measure by day with its interval, average, median and answers.

import type { JSX } from "preact";
import { LineChart, type LegendItem } from "../charts/line.tsx";
import { periodEnd, type Granularity } from "../days.ts";
import { now } from "../estimates.ts";
import { Figure } from "../figure.tsx";
import * as format from "../format.ts";
import { PageHead } from "../head.tsx";
import { Shown } from "../loaded.tsx";
import { MeasureStrip, chosen, useTotals } from "../measures.tsx";
import { metricName } from "../names.ts";
import { NoData } from "../problem.tsx";
import { useReport } from "../replies.ts";
import { label, ofMeasure, type Measure, type Reply } from "../reply.ts";
import { look } from "../router.ts";
import { axis, bounds, coarserNote, granularityOf, scorePoints } from "../series.ts";
import { remarks, standing } from "../standing.ts";
import { columnsOf } from "../table.tsx";
import { reportQuery, withDates, withParams, type Params } from "../view.ts";
import { WorstRunNote, markedRunOf } from "./worst-run-note.tsx";
import type { PageProps } from "./page.ts";
import { t } from "../texts.ts";

export function DailyPage({ params, filters }: PageProps): JSX.Element {
  const totals = useTotals(params, filters);
  const granularity = granularityOf(params, totals.value?.meta ?? null);
  const query = reportQuery(params, filters, { granularity, fill: "true", limit: "10000" });
  const series = useReport("daily", query);
  const measure = chosen(params, totals.value?.rows ?? []);
  return (
    <>
      <PageHead
        title={t("Daily")}
        text={t("How many answered and how they scored, over time.")}
        of={series}
        report="daily"
        query={query}
      />
      <Shown of={totals}>
        {(reply) => <MeasureStrip params={params} totals={reply} measure={measure} />}
      </Shown>
      <Shown of={series}>
        {(reply) =>
          measure && totals.value ? (
            <Measured
              reply={reply}
              totals={totals.value}
              measure={measure}
              params={params}
              granularity={granularity}
            />
          ) : (
            <NoData />
          )
        }
      </Shown>
    </>
  );
}

interface Props {
  readonly reply: Reply;
  readonly totals: Reply;
  readonly measure: Measure;
  readonly params: Params;
  readonly granularity: Granularity;
}

function Measured({ reply, totals, measure, params, granularity }: Props): JSX.Element {
  const rows = ofMeasure(reply.rows, measure);
  const total = ofMeasure(totals.rows, measure)[0];
  const whole = now(total);
  const { metric } = measure;
  const title = metricName(metric);
  const markedRun = markedRunOf(rows, total, granularity, "score");
  const coarser = coarserNote(params, granularity);
  const zoom = (i: number): void => {
    const start = label(rows[i] ?? {}, "period");
    if (!start) return;
    const inPeriod = withDates(params, start, periodEnd(start, granularity));
    look(withParams(inPeriod, { granularity: null }));
  };
  const scale = (value: number): string => format.fixed(value, 1);
  const [least = 0, most = 10] = (/^(\d+)-(\d+)/.exec(measure.scale) ?? []).slice(1).map(Number);
  return (
    <>
      <Figure
        title={t("{name} over time", { name: title })}
        reply={reply}
        n={whole.n}
        of={t("answers")}
        note={
          (markedRun || coarser) && (
            <>
              {markedRun && <WorstRunNote markedRun={markedRun} metric={metric} />} {coarser}
            </>
          )
        }
        table={{
          columns: columnsOf(
            reply,
            ["period", "responses", "score", "ci_low", "ci_high", "score_previous", "score_change"],
            granularity,
          ),
          rows,
        }}
      >
        <LineChart
          label={t("{name} by {granularity}", { name: title, granularity: t(granularity) })}
          points={scorePoints(rows, metric, granularity, reply.meta)}
          format={axis(metric)}
          bounds={bounds(metric)}
          reference={whole.score}
          marked={markedRun?.marked ?? null}
          height={320}
          legend={legend(reply)}
          onPick={zoom}
        />
      </Figure>
      <Figure
        title={t("{name}: average and median score", { name: title })}
        reply={reply}
        n={whole.n}
        of={t("answers")}
        tableOpen
        note={t("On the scale {scale}. Solid: average. Dashed: median.", { scale: measure.scale })}
        table={{
          columns: columnsOf(
            reply,
            ["period", "responses", "score", "ci_low", "ci_high", "average", "median"],
            granularity,
          ),
          rows,
          totals: total ? [total] : [],
        }}
      >
        <LineChart
          label={t("Average score by {granularity}", { granularity: t(granularity) })}
          points={scorePoints(rows, metric, granularity, reply.meta, "average").map((point, i) => ({
            ...point,
            words: [
              `${format.period(label(rows[i] ?? {}, "period") ?? "", granularity)}: `,
              `${t("average")} ${format.cell(rows[i]?.["average"])}, `,
              `${t("median")} ${format.cell(rows[i]?.["median"], "scale", "median")}, `,
              `n ${format.count(point.n)}`,
              remarks(standing(rows[i] ?? {}, granularity, reply.meta)),
            ].join(""),
            low: null,
            high: null,
            before: median(rows[i]?.["median"]),
          }))}
          format={scale}
          bounds={[least, most]}
          volume={false}
          height={200}
          legend={[
            { look: "line", text: t("Average") },
            { look: "line before", text: t("Median") },
          ]}
          onPick={zoom}
        />
      </Figure>
    </>
  );
}

function median(cell: unknown): number | null {
  return typeof cell === "number" ? cell : null;
}

export function legend(reply: Reply): LegendItem[] {
  return [
    { look: "line", text: t("Score") },
    { look: "band", text: t("95 % interval") },
    { look: "reference", text: t("Whole period") },
    ...(reply.meta.compare ? [{ look: "line before", text: t("Before") }] : []),
    { look: "fill-volume", text: t("Answers") },
  ];
}
