// The page Rates: how often each score from 0 to 10 was given to the net promoter question.

import type { JSX } from "preact";
import { ColumnChart } from "../charts/columns.tsx";
import { Figure } from "../figure.tsx";
import * as format from "../format.ts";
import { PageHead } from "../head.tsx";
import { Shown } from "../loaded.tsx";
import { NoData } from "../problem.tsx";
import { useReport } from "../replies.ts";
import { number } from "../reply.ts";
import { distribution, segmentLegend } from "../shares.ts";
import { columnsOf } from "../table.tsx";
import { reportQuery } from "../view.ts";
import { nothingCounted, withheldNote } from "../withheld.ts";
import type { PageProps } from "./page.ts";
import { t } from "../texts.ts";

const SEGMENTS = ["detractors", "passives", "promoters"];

export function RatesPage({ params, filters }: PageProps): JSX.Element {
  const query = reportQuery(params, filters, { granularity: "total" });
  const rates = useReport("rates", query);
  const asked = params.get("granularity");
  return (
    <>
      <PageHead
        title={t("Rates")}
        text={t("How often each score from 0 to 10 was given, of the net promoter question.")}
        of={rates}
        report="rates"
        query={query}
      />
      <Shown of={rates}>
        {(reply) => {
          const total = reply.totals[0];
          const rows = reply.rows.map((row) => ({
            ...row,
            segment: SEGMENTS[segmentOf(number(row, "score_value") ?? 0)] ?? null,
          }));
          return nothingCounted(total) ? (
            <NoData />
          ) : (
            <Figure
              title={t("Answers by score")}
              reply={reply}
              n={number(total, "responses")}
              of={t("answers")}
              note={withheldNote(reply.rows)}
              tableOpen
              table={{
                columns: columnsOf(reply, [
                  "score_value",
                  "responses",
                  "share_pct",
                  "responses_previous",
                  "share_pct_previous",
                  "share_pct_change",
                ]),
                rows: reply.rows,
                totals: reply.totals,
              }}
            >
              <ColumnChart
                label={t("Answers by score")}
                points={distribution(rows, SEGMENTS)}
                format={(value) => format.percent(value, 0)}
                height={300}
                legend={segmentLegend(SEGMENTS)}
              />
            </Figure>
          );
        }}
      </Shown>
      {asked && asked !== "total" && <ByPeriod params={params} filters={filters} by={asked} />}
    </>
  );
}

function ByPeriod({ params, filters, by }: PageProps & { readonly by: string }): JSX.Element {
  const rates = useReport("rates", reportQuery(params, filters, { limit: "10000" }));
  return (
    <Shown of={rates}>
      {(reply) => (
        <Figure
          title={t("Answers by score and {granularity}", { granularity: t(by) })}
          reply={reply}
          n={number(reply.totals[0], "responses")}
          of={t("answers")}
          note={withheldNote(reply.rows)}
          table={{
            columns: columnsOf(reply, ["period", "score_value", "responses", "share_pct"], by),
            rows: reply.rows,
          }}
        />
      )}
    </Shown>
  );
}

function segmentOf(score: number): number {
  return score >= 9 ? 2 : score >= 7 ? 1 : 0;
}
