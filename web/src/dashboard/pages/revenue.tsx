// The page Revenue: the recorded revenue of interactions, each currency by itself. Amounts are
// exact decimal texts; only the lines are drawn from numbers.

import type { JSX } from "preact";
import { LineChart } from "../charts/line.tsx";
import { findReport } from "../catalogue.ts";
import { periodEnd, type Granularity } from "../days.ts";
import { Figure } from "../figure.tsx";
import * as format from "../format.ts";
import { PageHead } from "../head.tsx";
import { Shown } from "../loaded.tsx";
import { NoData } from "../problem.tsx";
import { useReport } from "../replies.ts";
import { count, label, type Cell, type Reply, type Row } from "../reply.ts";
import { look } from "../router.ts";
import { coarserNote, granularityOf } from "../series.ts";
import { remarks, standing } from "../standing.ts";
import { columnsOf } from "../table.tsx";
import { reportQuery, withDates, type Params } from "../view.ts";
import type { PageProps } from "./page.ts";
import { t, toTranslate } from "../texts.ts";

const REPORT = "revenue";
const WITH = "interactions_with_revenue";

const COLUMNS = [
  "period",
  "currency",
  WITH,
  "revenue",
  "avg_revenue",
  "revenue_previous",
  "revenue_change",
  "avg_revenue_previous",
  "avg_revenue_change",
];

export function RevenuePage({ params, filters }: PageProps): JSX.Element {
  const query = reportQuery(params, filters, { granularity: "total", group_by: "currency" });
  const totals = useReport(REPORT, query);
  const granularity = granularityOf(params, totals.value?.meta ?? null);
  const changes = { granularity, group_by: "period,currency", fill: "true", limit: "10000" };
  const series = useReport(REPORT, reportQuery(params, filters, changes));
  return (
    <>
      <PageHead
        title={t("Revenue")}
        text={t(findReport(REPORT)?.description ?? "")}
        of={totals}
        report={REPORT}
        query={query}
      />
      <Shown of={totals}>
        {(reply) =>
          reply.rows.length === 0 ? (
            <NoData what={t("revenue")} />
          ) : (
            <>
              {byVolume(reply.rows).map((row) => (
                <Currency key={label(row, "currency")} row={row}>
                  <Shown of={series}>
                    {(parts) => (
                      <OverTime
                        total={row}
                        series={parts}
                        granularity={granularity}
                        params={params}
                      />
                    )}
                  </Shown>
                </Currency>
              ))}
            </>
          )
        }
      </Shown>
    </>
  );
}

function byVolume(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => count(b, WITH) - count(a, WITH));
}

function Currency({ row, children }: { row: Row; children: JSX.Element }): JSX.Element {
  const currency = label(row, "currency") ?? "";
  const [change, averageChange] = [text(row["revenue_change"]), text(row["avg_revenue_change"])];
  return (
    <section>
      <div class="headline">
        <p class="big">{format.money(text(row["revenue"]), currency)}</p>
        <p>
          {[
            t("{amount} on average, of {interactions}.", {
              amount: format.averageMoney(text(row["avg_revenue"]), currency),
              interactions: format.counted(
                count(row, WITH),
                "{n} interaction",
                "{n} interactions",
              ),
            }),
            change !== null &&
              t(
                averageChange === null
                  ? toTranslate("{change} than before ({before}).")
                  : toTranslate("{change} than before ({before}), {average} on average."),
                {
                  change: difference(format.money, change, currency),
                  before: format.money(text(row["revenue_previous"]), currency),
                  average: difference(format.averageMoney, averageChange ?? "0", currency),
                },
              ),
          ]
            .filter(Boolean)
            .join(" ")}
        </p>
      </div>
      {children}
    </section>
  );
}

function difference(
  told: (amount: string, currency: string) => string,
  change: string,
  currency: string,
): string {
  const amount = told(change.replace("-", ""), currency);
  return change.startsWith("-") ? t("{amount} less", { amount }) : t("{amount} more", { amount });
}

interface OverTimeProps {
  readonly total: Row;
  readonly series: Reply;
  readonly granularity: Granularity;
  readonly params: Params;
}

function OverTime({ total, series, granularity, params }: OverTimeProps): JSX.Element {
  const currency = label(total, "currency") ?? "";
  const rows = series.rows.filter((row) => row["currency"] === currency);
  const compared = series.meta.compare !== undefined;
  return (
    <Figure
      title={t("{name} by {granularity}", { name: currency, granularity: t(granularity) })}
      reply={series}
      n={count(total, WITH)}
      of={t("interactions with revenue")}
      note={coarserNote(params, granularity)}
      table={{
        columns: columnsOf(series, COLUMNS, granularity),
        rows,
        totals: [total],
      }}
    >
      <LineChart
        label={t("Revenue in {currency} by {granularity}", {
          currency,
          granularity: t(granularity),
        })}
        points={rows.map((row) => {
          const start = label(row, "period") ?? "";
          const told = standing(row, granularity, series.meta);
          const before = text(row["revenue_previous"]);
          const period = format.period(start, granularity);
          return {
            tick: format.tick(start, granularity),
            year: start.slice(0, 4),
            words: [
              `${period}: ${format.money(text(row["revenue"]), currency)}`,
              `, n ${format.count(count(row, WITH))}`,
              before === null ? "" : `, ${t("before {figure}", { figure: format.money(before, currency) })}`,
              remarks(told),
            ].join(""),
            value: toDraw(row["revenue"]),
            before: toDraw(row["revenue_previous"]),
            n: count(row, WITH),
            open: told.open,
            cut: told.cut,
          };
        })}
        format={(value) => format.count(Math.round(value))}
        bounds={[-Number.MAX_VALUE, Number.MAX_VALUE]}
        reference={0}
        legend={[
          { look: "line", text: `Revenue in ${currency}` },
          ...(compared ? [{ look: "line before", text: "Before" }] : []),
          { look: "fill-volume", text: "Interactions" },
        ]}
        onPick={(i) => {
          const start = label(rows[i] ?? {}, "period");
          if (start) look(withDates(params, start, periodEnd(start, granularity)));
        }}
      />
    </Figure>
  );
}

function text(cell: Cell | undefined): string | null {
  return typeof cell === "string" ? cell : null;
}

/** The amount as a number, used only for the height of a point. */
function toDraw(cell: Cell | undefined): number | null {
  return typeof cell === "string" ? Number(cell) : null;
}
