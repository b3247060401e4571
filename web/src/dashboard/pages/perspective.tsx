// Customer Perspective: the contact centre as customers met it, laid out as the original report:
// tenant, media type, day, segment, service; levels that fold, subtotals from the API.

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { LineChart } from "../charts/line.tsx";
import { dimensionTitle, findReport } from "../catalogue.ts";
import { isOpen, periodEnd } from "../days.ts";
import { Figure } from "../figure.tsx";
import * as format from "../format.ts";
import { PageHead } from "../head.tsx";
import { Shown } from "../loaded.tsx";
import { nameOf } from "../names.ts";
import { downTo, tree, visible, type Node } from "../pivot.ts";
import { NoData } from "../problem.tsx";
import { useReport } from "../replies.ts";
import { count, label, number, span, type Cell, type Reply, type Row } from "../reply.ts";
import { granularityOf } from "../series.ts";
import { columnsOf, tableColumn, type TableColumn } from "../table.tsx";
import { reportQuery, type Params } from "../view.ts";
import type { PageProps } from "./page.ts";

const REPORT = "customer-perspective";

/** The original's columns, but for the last. */
const COLUMNS = [
  "entered",
  "response_ratio",
  "accept_service_level_pct",
  "first_response_service_level_pct",
  "finished_service_level_pct",
  "avg_accept_time_fmt",
  "avg_first_response_time_fmt",
  "avg_finish_response_time_fmt",
  "avg_satisfaction",
];
const REVENUE = "avg_revenue";

const WITHOUT_PERIODS = "tenant,media_type,customer_segment,service_type";

export function PerspectivePage({ params, filters }: PageProps): JSX.Element {
  const granularity = params.get("granularity");
  const changes = {
    subtotals: "true",
    limit: "10000",
    ...(granularity === "total" ? { group_by: WITHOUT_PERIODS } : {}),
  };
  const query = reportQuery(params, filters, changes);
  const rows = useReport(REPORT, query);
  return (
    <>
      <PageHead
        title="Customer Perspective"
        text={findReport(REPORT)?.description ?? ""}
        meta={rows.value?.meta ?? null}
        report={REPORT}
        query={query}
      />
      <Levels params={params} filters={filters} />
      <Shown of={rows}>
        {(reply) =>
          count(reply.totals[0], "entered") === 0 ? (
            <NoData what="interactions" />
          ) : (
            <Pivot key={groupedBy(reply).join()} reply={reply} granularity={granularity ?? "day"} />
          )
        }
      </Shown>
    </>
  );
}

function groupedBy(reply: Reply): string[] {
  return reply.columns
    .filter(({ kind }) => kind === "dimension" || kind === "period")
    .map(({ name }) => name);
}

// -- the folding table

interface PivotProps {
  readonly reply: Reply;
  readonly granularity: string;
}

/** Unfolded at first: tenants and their media types are seen. */
const FIRST_LEVEL = 2;

function Pivot({ reply, granularity }: PivotProps): JSX.Element {
  const grouped = groupedBy(reply);
  const found = useMemo(() => tree(reply.rows, grouped), [reply]);
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(() => downTo(found, FIRST_LEVEL));
  const columns = pivotColumns(reply);
  const levels = grouped.map((name) => {
    const column = reply.columns.find((each) => each.name === name);
    return column ? tableColumn(column, reply.meta, granularity) : null;
  });
  const nodes = visible(found, unfolded);
  const compared = reply.meta.compare !== undefined;
  const toggle = (key: string): void => {
    const next = new Set(unfolded);
    if (!next.delete(key)) next.add(key);
    setUnfolded(next);
  };
  const told = (node: Node): string =>
    node.level === 0 ? "All" : (levels[node.level - 1]?.text(node.row) ?? "");
  return (
    <Figure
      title="What customers met"
      reply={reply}
      n={count(reply.totals[0], "entered")}
      of="interactions entered"
      note={
        <>
          Unfold to{" "}
          {grouped.map((name, i) => (
            <span key={name}>
              {i > 0 && " › "}
              <button
                type="button"
                class="link"
                onClick={() => setUnfolded(downTo(found, i + 1))}
              >
                {levelTitle(name)}
              </button>
            </span>
          ))}
        </>
      }
      table={{
        columns: [...levelColumns(grouped), ...columns, ...changeColumns(reply)],
        rows: nodes.map((node) => node.row),
      }}
      drawn={
        <div class="table-frame" tabIndex={0} role="region" aria-label="What customers met">
          <table class="pivot">
            <thead>
              <tr>
                <th scope="col">{grouped.map(levelTitle).join(" › ")}</th>
                {columns.map((column) => (
                  <th key={column.name} scope="col" class="numeric">
                    {column.title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {nodes.map((node) => (
                <tr key={node.key} class={`level-${node.level}`}>
                  <th scope="row">
                    {found.below.has(node.key) ? (
                      <button
                        type="button"
                        class="fold"
                        aria-expanded={unfolded.has(node.key)}
                        onClick={() => toggle(node.key)}
                      >
                        <span aria-hidden="true">{unfolded.has(node.key) ? "▾ " : "▸ "}</span>
                        {told(node)}
                      </button>
                    ) : (
                      told(node)
                    )}
                  </th>
                  {columns.map((column) => (
                    <td key={column.name} class="numeric">
                      {column.text(node.row)}
                      {compared && <span class="change">{column.change(node.row)}</span>}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      }
    />
  );
}

function levelTitle(name: string): string {
  return name === "period" ? "Day" : dimensionTitle(name);
}

interface PivotColumn extends TableColumn {
  /** Below a figure: how it changed. */
  readonly change: (row: Row) => string;
}

/** The original's columns, the last of them once for each currency. */
function pivotColumns(reply: Reply): PivotColumn[] {
  const figures = columnsOf(reply, COLUMNS).map((column) => ({
    ...column,
    change: (row: Row) => changeOf(row, column.name),
  }));
  const averages = currencies(reply).map((currency) => ({
    ...amountColumn(REVENUE, `Average revenue ${currency}`, currency),
    change: (row: Row) => averageChange(amountOf(row, `${REVENUE}_change`, currency)),
  }));
  return [...figures, ...averages];
}

/** For CSV: what stands below the figures. */
function changeColumns(reply: Reply): TableColumn[] {
  if (reply.meta.compare === undefined) return [];
  const names = COLUMNS.map((name) => `${name.replace(/_fmt$/, "")}_change`);
  const averages = currencies(reply).map((currency) =>
    amountColumn(`${REVENUE}_change`, `Average revenue ${currency} change`, currency),
  );
  return [...columnsOf(reply, names), ...averages];
}

function changeOf(row: Row, name: string): string {
  const change = number(row, `${name.replace(/_fmt$/, "")}_change`);
  if (change === null) return "";
  if (name.endsWith("_fmt")) {
    return (change < 0 ? "−" : "+") + format.duration(Math.abs(change));
  }
  return format.signed(change, name === "entered" ? 0 : 2);
}

/** Every currency that an amount is in. */
function currencies(reply: Reply): string[] {
  const amounts = [...reply.rows, ...reply.totals].map((row) => row[REVENUE]);
  return [...new Set(amounts.flatMap((each) => Object.keys(isMoney(each) ? each : {})))].sort();
}

function amountColumn(name: string, title: string, currency: string): TableColumn {
  const value = (row: Row): string | null => amountOf(row, name, currency);
  const text = (row: Row): string => format.averageMoney(value(row));
  return { name: `${name} ${currency}`, title, numeric: true, text, value };
}

function amountOf(row: Row, name: string, currency: string): string | null {
  const amounts = row[name];
  return isMoney(amounts) ? (amounts[currency] ?? null) : null;
}

function isMoney(cell: Cell | undefined): cell is Readonly<Record<string, string>> {
  return typeof cell === "object" && cell !== null;
}

function averageChange(amount: string | null): string {
  if (amount === null) return "";
  return (amount.startsWith("-") ? "" : "+") + format.averageMoney(amount);
}

/** For CSV: each level in a column of its own, empty where a row is a subtotal above it. */
function levelColumns(grouped: readonly string[]): TableColumn[] {
  return grouped.map((name, i) => {
    const text = (row: Row): string =>
      (number(row, "level") ?? grouped.length) > i ? nameOf(name, label(row, name)) : "";
    return { name, title: dimensionTitle(name), numeric: false, text, value: text };
  });
}

// -- service levels over time

const SERVICE_LEVELS = [
  ["accept_service_level_pct", "accept_due", "Accepted in time"],
  ["first_response_service_level_pct", "first_response_due", "Answered in time"],
  ["finished_service_level_pct", "finish_due", "Finished in time"],
] as const;

interface LevelsProps {
  readonly params: Params;
  readonly filters: readonly string[];
}

function Levels({ params, filters }: LevelsProps): JSX.Element {
  const by = granularityOf(params, null);
  const changes = { group_by: "period", granularity: by, fill: "true" };
  const series = useReport(REPORT, reportQuery(params, filters, changes));
  return (
    <Shown of={series}>
      {(reply) => {
        const zone = span(reply.meta.date_range).timezone ?? "UTC";
        return (
          <div class="multiples">
            {SERVICE_LEVELS.map(([name, due, title]) => (
              <Figure
                key={name}
                title={title}
                reply={reply}
                n={count(reply.totals[0], due)}
                note={<Achieved row={reply.totals[0]} name={name} />}
                table={{
                  columns: columnsOf(reply, ["period", due, name, `${name}_previous`], by),
                  rows: reply.rows,
                }}
              >
                <LineChart
                  label={`${title} by ${by}`}
                  points={reply.rows.map((row) => {
                    const start = label(row, "period") ?? "";
                    const value = number(row, name);
                    const before = number(row, `${name}_previous`);
                    return {
                      tick: format.tick(start, by),
                      words: [
                        `${format.period(start, by)}: ${format.percent(value, 2)}`,
                        `, n ${format.count(count(row, due))}`,
                        before === null ? "" : `, before ${format.percent(before, 2)}`,
                      ].join(""),
                      value,
                      before,
                      n: count(row, due),
                      open: isOpen(periodEnd(start, by), reply.meta.as_of, zone),
                    };
                  })}
                  format={(value) => format.percent(value, 0)}
                  bounds={[0, 100]}
                  reference={number(reply.totals[0], name)}
                  reach={reachOf(reply.rows)}
                  volume={false}
                  height={150}
                  legend={[
                    { look: "line", text: "In time" },
                    { look: "reference", text: "Whole period" },
                    ...(reply.meta.compare ? [{ look: "line before", text: "Before" }] : []),
                  ]}
                />
              </Figure>
            ))}
          </div>
        );
      }}
    </Shown>
  );
}

/** All values of the three, which thus get the same axis. */
function reachOf(rows: readonly Row[]): number[] {
  const names = SERVICE_LEVELS.flatMap(([name]) => [name, `${name}_previous`]);
  return rows
    .flatMap((row) => names.map((name) => number(row, name)))
    .filter((value) => value !== null);
}

interface AchievedProps {
  readonly row: Row | undefined;
  readonly name: string;
}

function Achieved({ row, name }: AchievedProps): JSX.Element {
  const before = number(row, `${name}_previous`);
  return (
    <>
      <strong class="lead">{format.percent(number(row, name), 1)}</strong> of those with a threshold
      {before !== null && `, after ${format.percent(before, 1)}`}
    </>
  );
}
