// The page Customer Perspective: the contact centre as customers see it, laid out as the original
// report. Its levels can be folded: tenant (if there are several), media type, day, segment and
// service. The API computes the subtotals.

import type { JSX } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { LineChart } from "../charts/line.tsx";
import { dimensionTitle, findReport, targetOf } from "../catalogue.ts";
import { amount, apiCsv, currencies } from "../csv.ts";
import { Figure } from "../figure.tsx";
import { formatFolds, isUnfolded, parseFolds, toggled, type Folds } from "../folds.ts";
import * as format from "../format.ts";
import { PageHead } from "../head.tsx";
import { isOperator } from "../keys.ts";
import { Shown } from "../loaded.tsx";
import { ordered, tree, visible, type Node } from "../pivot.ts";
import { printing } from "../printing.ts";
import { NoData } from "../problem.tsx";
import { useReport } from "../replies.ts";
import { count, label, number, type Reply, type Row } from "../reply.ts";
import { look } from "../router.ts";
import { coarserNote, granularityOf } from "../series.ts";
import { remarks, standing } from "../standing.ts";
import { key } from "../session.ts";
import {
  columnsOf,
  Heading,
  parseOrder,
  tableColumn,
  type Order,
  type TableColumn,
} from "../table.tsx";
import { onlyValue, reportQuery, withParams, type Params } from "../view.ts";
import { useWindow } from "../windowed.ts";
import type { PageProps } from "./page.ts";
import { pieces, t, toTranslate } from "../texts.ts";

const REPORT = "customer-perspective";

/** The columns of the original report, without the last. */
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

/** The column that counts what a figure is made of, such as interactions with a known time. */
const TOLD_FROM: Readonly<Record<string, string>> = {
  response_ratio: "accepted",
  accept_service_level_pct: "accept_due",
  first_response_service_level_pct: "first_response_due",
  finished_service_level_pct: "finish_due",
  avg_accept_time_fmt: "accept_timed",
  avg_first_response_time_fmt: "first_response_timed",
  avg_finish_response_time_fmt: "finish_timed",
  avg_satisfaction: "with_satisfaction",
};

export function PerspectivePage({ params, filters }: PageProps): JSX.Element {
  const granularity = params.get("granularity");
  const levels = [
    ...(severalTenants(params) ? ["tenant"] : []),
    "media_type",
    ...(granularity === "total" ? [] : ["period"]),
    "customer_segment",
    "service_type",
  ];
  const changes = { subtotals: "true", limit: "10000", group_by: levels.join() };
  const query = reportQuery(params, filters, changes);
  const rows = useReport(REPORT, query);
  return (
    <>
      <PageHead
        title={t("Customer Perspective")}
        text={t(findReport(REPORT)?.description ?? "")}
        of={rows}
        report={REPORT}
        query={query}
      />
      <Levels params={params} filters={filters} />
      <Shown of={rows}>
        {(reply) =>
          count(reply.totals[0], "entered") === 0 ? (
            <NoData what={t("interactions")} />
          ) : (
            <Pivot reply={reply} granularity={granularity ?? "day"} params={params} />
          )
        }
      </Shown>
    </>
  );
}

/** Whether there are rows of several tenants, which only an operator without a filter sees. */
function severalTenants(params: Params): boolean {
  return isOperator(key.value ?? "") && typeof onlyValue(params, "tenant") !== "string";
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
  readonly params: Params;
}

function Pivot({ reply, granularity, params }: PivotProps): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const grouped = groupedBy(reply);
  // at first tenants are unfolded, so that their media types are shown
  const usual = grouped[0] === "tenant" ? 2 : 1;
  const folds = parseFolds(params.get("folds"), usual);
  const order = parseOrder(params.get("order_by"));
  const columns = useMemo(() => pivotColumns(reply), [reply]);
  const found = useMemo(() => {
    const rows = tree(reply.rows, grouped);
    const column = columns.find((each) => each.orderedBy === order?.column);
    return order && column ? ordered(rows, comparing(column, order.descending)) : rows;
  }, [reply, order?.column, order?.descending]);
  const nodes = useMemo(
    () => visible(found, (node) => isUnfolded(folds, node)),
    [found, params.get("folds")],
  );
  const levels = useMemo(
    () =>
      grouped.map((name) => {
        const column = reply.columns.find((each) => each.name === name);
        return column ? tableColumn(column, reply.meta, granularity) : null;
      }),
    [reply, granularity],
  );
  const told = ({ row, level }: Node): string =>
    level === 0 ? t("All") : (levels[level - 1]?.text(row) ?? "");
  const drawn = useWindow(frame, nodes.length);
  const fold = (next: Folds): void =>
    look(withParams(params, { folds: formatFolds(next, usual) }), { replace: true });
  const sort = (column: string): void => {
    const descending = order?.column === column ? !order.descending : true;
    look(withParams(params, { order_by: `${descending ? "-" : ""}${column}` }), { replace: true });
  };
  const unsort = (): void => look(withParams(params, { order_by: null }), { replace: true });
  const hasTargets = useMemo(
    () => reply.rows.some((row) => columns.some((column) => column.target(row) !== null)),
    [reply, columns],
  );
  const levelsTitle = grouped.map(levelTitle).join(" › ");
  return (
    <Figure
      title={t("What customers met")}
      reply={reply}
      n={count(reply.totals[0], "entered")}
      of={t("interactions entered")}
      note={
        <>
          {t("Unfold to")}{" "}
          {grouped.map((name, i) => (
            <span key={name}>
              {i > 0 && " › "}
              <button
                type="button"
                class="link"
                onClick={() => fold({ level: i + 1, except: new Set() })}
              >
                {levelTitle(name)}
              </button>
            </span>
          ))}
          {hasTargets && ` · ${t("Blue: the target is met. Rust and bold: it is missed.")}`}
          <Paper rows={nodes.length} compared={reply.meta.compare !== undefined} />
        </>
      }
      table={{ columns, rows: [] }}
      csv={() => apiCsv(reply, nodes.map((node) => node.row))}
      drawn={
        <div
          class="table-frame tall"
          tabIndex={0}
          role="region"
          aria-label={t("What customers met")}
          ref={frame}
          onScroll={drawn.onScroll}
        >
          <table
            class={grouped[0] === "tenant" ? "pivot" : "pivot one-tenant"}
            aria-rowcount={nodes.length + 1}
          >
            <thead>
              <tr aria-rowindex={1}>
                <th scope="col" aria-sort={order ? "none" : "ascending"}>
                  {printing.value ? (
                    levelsTitle
                  ) : (
                    <button type="button" class="sort" onClick={unsort}>
                      {levelsTitle}
                    </button>
                  )}
                </th>
                {columns.map((column) => (
                  <Heading
                    key={column.name}
                    column={{ ...column, name: column.orderedBy }}
                    order={order}
                    onSort={sort}
                  />
                ))}
              </tr>
            </thead>
            <tbody>
              {drawn.partial && <Widest nodes={nodes} columns={columns} told={told} />}
              {drawn.above > 0 && <Room columns={columns.length + 1} height={drawn.above} />}
              {nodes.slice(drawn.first, drawn.end).map((node, i) => (
                <Line
                  key={node.key}
                  node={node}
                  index={drawn.first + i + 2}
                  name={told(node)}
                  columns={columns}
                  unfolded={found.below.has(node.key) ? isUnfolded(folds, node) : null}
                  onFold={() => fold(toggled(folds, node))}
                />
              ))}
              {drawn.below > 0 && <Room columns={columns.length + 1} height={drawn.below} />}
            </tbody>
          </table>
        </div>
      }
    />
  );
}

/** A landscape sheet has so many rows; a row that tells how its figures changed is higher. */
const ROWS_OF_A_SHEET = { plain: 25, compared: 15 };
const MANY_SHEETS = 10;

interface PaperProps {
  readonly rows: number;
  readonly compared: boolean;
}

/** Says on the screen how much paper all rows that are unfolded would take, if that is much. */
function Paper({ rows, compared }: PaperProps): JSX.Element | null {
  const sheets = Math.ceil(rows / ROWS_OF_A_SHEET[compared ? "compared" : "plain"]);
  if (sheets <= MANY_SHEETS) return null;
  return (
    <span class="screen-only">
      {" · "}
      {t("On paper these {rows} rows take some {sheets} sheets; folded ones are not printed.", {
        rows: format.count(rows),
        sheets: format.count(sheets),
      })}
    </span>
  );
}

interface PivotLineProps {
  readonly node: Node;
  /** The place among the table's rows; the heading is the first. */
  readonly index: number;
  readonly name: string;
  readonly columns: readonly PivotColumn[];
  /** Whether the rows below it are shown; null if there are none. */
  readonly unfolded: boolean | null;
  readonly onFold: () => void;
}

function Line({ node, index, name, columns, unfolded, onFold }: PivotLineProps): JSX.Element {
  const told = (
    <span class="told" title={name}>
      {name}
    </span>
  );
  return (
    <tr class={`level-${node.level}`} aria-rowindex={index}>
      <th scope="row">
        {unfolded === null ? (
          told
        ) : (
          <button type="button" class="fold" aria-expanded={unfolded} onClick={onFold}>
            <span aria-hidden="true">{unfolded ? "▾ " : "▸ "}</span>
            {told}
          </button>
        )}
      </th>
      {columns.map((column) => {
        const change = column.change(node.row);
        const target = column.target(node.row);
        const [judged, words] = againstTarget(column.rank(node.row), target);
        const n = column.n === null ? null : number(node.row, column.n);
        return (
          <td
            key={column.name}
            class={`numeric ${judged}`}
            title={n === null ? undefined : `n ${format.count(n)}`}
          >
            {column.text(node.row)}
            {words && <span class="unseen"> {words}</span>}
            {change !== null && <span class="change">{change}</span>}
          </td>
        );
      })}
    </tr>
  );
}

/** The class and the words for a service level beside its target; both empty without one. */
function againstTarget(level: number | null, target: number | null): [string, string] {
  if (level === null || target === null) return ["", ""];
  const text = format.percent(target, 0);
  return level < target
    ? ["missed", t("misses the target of {target}", { target: text })]
    : ["met", t("meets the target of {target}", { target: text })];
}

/** A row with the height of the rows that are not drawn. */
function Room({ columns, height }: { columns: number; height: number }): JSX.Element {
  return (
    <tr class="room" aria-hidden="true">
      <td colSpan={columns} style={{ height: `${height}px` }} />
    </tr>
  );
}

interface WidestProps {
  readonly nodes: readonly Node[];
  readonly columns: readonly PivotColumn[];
  readonly told: (node: Node) => string;
}

/** An invisible row with the longest texts, so that columns keep their widths while scrolling. */
function Widest({ nodes, columns, told }: WidestProps): JSX.Element {
  const texts = useMemo(
    () => [
      longest(nodes.map((node) => "\u2003".repeat(node.level + 1) + told(node))),
      ...columns.map((column) => longest(nodes.map((node) => column.text(node.row)))),
    ],
    [nodes, columns],
  );
  return (
    <tr class="widest" aria-hidden="true">
      {texts.map((text, i) => (
        <td key={i}>{i === 0 ? <span class="told">{text}</span> : text}</td>
      ))}
    </tr>
  );
}

function longest(texts: readonly string[]): string {
  return texts.reduce((most, text) => (text.length > most.length ? text : most), "");
}

function levelTitle(name: string): string {
  return name === "period" ? t("Day") : dimensionTitle(name);
}

interface PivotColumn extends TableColumn {
  /** The name of the column in order_by. */
  readonly orderedBy: string;
  /** The number by which rows are ordered. */
  readonly rank: (row: Row) => number | null;
  /** The change, shown below the figure; null without a comparison. */
  readonly change: (row: Row) => string | null;
  /** The target of the figure in rows of one medium; null without one. */
  readonly target: (row: Row) => number | null;
  /** The column that counts what the figure is made of; null for counts. */
  readonly n: string | null;
}

/** The columns of the original report, the last one once for each currency. */
function pivotColumns(reply: Reply): PivotColumn[] {
  const compared = reply.meta.compare !== undefined;
  const figures = columnsOf(reply, COLUMNS).map((column): PivotColumn => {
    const orderedBy = column.name.replace(/_fmt$/, ""); // times sort as numbers
    const change = (row: Row): string | null => (compared ? changeOf(row, column.name) : null);
    return {
      ...column,
      orderedBy,
      rank: (row) => number(row, orderedBy),
      change,
      target: (row) => targetOf(label(row, "media_type"), column.name),
      n: TOLD_FROM[column.name] ?? null,
    };
  });
  const averages = currencies(reply, [REVENUE]).map((currency): PivotColumn => {
    const value = (row: Row): string | null => amount(row, REVENUE, currency);
    const change = (row: Row): string | null =>
      compared ? averageChange(amount(row, `${REVENUE}_change`, currency)) : null;
    return {
      name: `${REVENUE}_${currency}`,
      title: t("Average revenue {currency}", { currency }),
      numeric: true,
      text: (row) => format.averageMoney(value(row)),
      value,
      orderedBy: `${REVENUE}_${currency}`,
      rank: (row) => (value(row) === null ? null : Number(value(row))),
      change,
      target: () => null,
      n: null,
    };
  });
  return [...figures, ...averages];
}

/** Compares rows by a column; rows without a figure come last in either direction. */
function comparing({ rank }: PivotColumn, descending: Order["descending"]) {
  return (a: Row, b: Row): number => {
    const [x, y] = [rank(a), rank(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return descending ? y - x : x - y;
  };
}

function changeOf(row: Row, name: string): string {
  const change = number(row, `${name.replace(/_fmt$/, "")}_change`);
  if (change === null) return "";
  if (name.endsWith("_fmt")) {
    return (change < 0 ? "−" : "+") + format.duration(Math.abs(change));
  }
  return format.signed(change, name === "entered" ? 0 : 2);
}

function averageChange(by: string | null): string {
  if (by === null) return "";
  return (by.startsWith("-") ? "" : "+") + format.averageMoney(by);
}

// -- service levels over time

const SERVICE_LEVELS = [
  ["accept_service_level_pct", "accept_due", toTranslate("Accepted in time")],
  ["first_response_service_level_pct", "first_response_due", toTranslate("Answered in time")],
  ["finished_service_level_pct", "finish_due", toTranslate("Finished in time")],
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
        return (
          <div class="multiples">
            {SERVICE_LEVELS.map(([name, due, title]) => (
              <Figure
                key={name}
                title={t(title)}
                reply={reply}
                n={count(reply.totals[0], due)}
                note={
                  <>
                    <Achieved row={reply.totals[0]} name={name} /> {coarserNote(params, by)}
                  </>
                }
                table={{
                  columns: columnsOf(reply, ["period", due, name, `${name}_previous`], by),
                  rows: reply.rows,
                }}
              >
                <LineChart
                  label={t("{name} by {granularity}", { name: t(title), granularity: t(by) })}
                  points={reply.rows.map((row) => {
                    const start = label(row, "period") ?? "";
                    const told = standing(row, by, reply.meta);
                    const value = number(row, name);
                    const before = number(row, `${name}_previous`);
                    return {
                      tick: format.tick(start, by),
                      year: start.slice(0, 4),
                      words: [
                        `${format.period(start, by)}: ${format.percent(value, 2)}`,
                        `, n ${format.count(count(row, due))}`,
                        before === null ? "" : `, ${t("before {figure}", { figure: format.percent(before, 2) })}`,
                        remarks(told),
                      ].join(""),
                      value,
                      before,
                      n: count(row, due),
                      open: told.open,
                      cut: told.cut,
                    };
                  })}
                  format={(value) => format.percent(value, 0)}
                  bounds={[0, 100]}
                  reference={number(reply.totals[0], name)}
                  reach={reachOf(reply.rows)}
                  volume={false}
                  height={150}
                  legend={[
                    { look: "line", text: t("In time") },
                    { look: "reference", text: t("Whole period") },
                    ...(reply.meta.compare ? [{ look: "line before", text: t("Before") }] : []),
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

/** All values of the three charts, so that their axes are the same. */
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
      {pieces<JSX.Element>(
        before === null
          ? toTranslate("{share} of those with a threshold")
          : toTranslate("{share} of those with a threshold, after {before}"),
        {
          share: (
            <strong key="share" class="lead">
              {format.percent(number(row, name), 1)}
            </strong>
          ),
          before: format.percent(before, 1),
        },
      )}
    </>
  );
}
