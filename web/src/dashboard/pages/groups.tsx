// Shared by the pages by country, channel, browser and agent: each group's score by one measure with
// its interval, the score of the days compared with, and a table of all groups.

import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { findReport } from "../catalogue.ts";
import { DotPlot, type DotRow } from "../charts/dots.tsx";
import { before, now } from "../estimates.ts";
import { Figure } from "../figure.tsx";
import * as format from "../format.ts";
import { PageHead } from "../head.tsx";
import { Shown } from "../loaded.tsx";
import { MeasureStrip, chosen, useTotals } from "../measures.tsx";
import { pValue, survivors } from "../movers.ts";
import { byName, fetchNames, metricName, nameOf } from "../names.ts";
import { NoData } from "../problem.tsx";
import { useReport, type Loaded } from "../replies.ts";
import { count, label, ofMeasure, type Measure, type Reply, type Row } from "../reply.ts";
import { look } from "../router.ts";
import { axis } from "../series.ts";
import { columnsOf, parseOrder, type Order } from "../table.tsx";
import { filteredTo, reportQuery, withParams, type Params } from "../view.ts";
import { isWithheld, withheldNote } from "../withheld.ts";
import type { PageProps } from "./page.ts";
import { t } from "../texts.ts";

export interface Grouping {
  readonly report: string;
  readonly title: string;
  readonly text: string;
  /** The dimensions that the rows are grouped by. */
  readonly by: readonly string[];
  /** The parameter group_by, if it is not the report's own. */
  readonly groupBy?: string;
  readonly noun: string;
  /** Whether the noun is a tenant's own word, which has no translation. */
  readonly own?: boolean;
  /** Whether the report says which groups differ from the others; then these are marked. */
  readonly sides?: boolean;
  /** Whether the groups have an order of their own, in which the API tells them. */
  readonly inOrder?: boolean;
  /** What else the report is asked. */
  readonly asked?: Readonly<Record<string, string>>;
}

function nounOf({ noun, own }: Grouping): string {
  return own ? noun : t(noun);
}

type Mark = "" | "▼ " | "▲ ";

export interface Groups {
  readonly reply: Reply;
  readonly rows: readonly Row[];
  /** The mark of rows that changed, or differ, by more than chance explains. */
  readonly mark: (row: Row) => Mark;
  readonly total: Row | undefined;
  readonly measure: Measure;
}

interface Props extends PageProps {
  readonly grouping: Grouping;
  readonly above?: ComponentChildren;
  /** What is told of a reply before its groups; and whether they are left out. */
  readonly told?: (reply: Reply) => { readonly text: ComponentChildren; readonly alone: boolean };
  /** The chart, if it is not one of dots. */
  readonly chart?: (groups: Groups) => ComponentChildren;
  readonly below?: (reply: Reply) => ComponentChildren;
}

export function GroupPage(props: Props): JSX.Element {
  const { params, filters, grouping } = props;
  const ofAll = grouping.asked ? { ...grouping.asked, group_by: "metric" } : {};
  const totals = useTotals(params, filters, grouping.asked ? grouping.report : "daily", ofAll);
  const order = params.get("order_by");
  const changes = {
    granularity: "total",
    limit: "10000",
    metric: null, // the strip chooses among them
    scale: null,
    ...grouping.asked,
    ...(grouping.groupBy ? { group_by: grouping.groupBy } : {}),
    ...(order ? { order_by: order } : {}),
  };
  const query = reportQuery(params, filters, changes);
  const groups = useReport(grouping.report, query);
  const family = findReport(grouping.report)?.family ?? null;
  useNames(grouping.by, reportQuery(params, filters, { granularity: null, compare: null, family }));
  const measure = chosen(params, totals.value?.rows ?? []);
  return (
    <>
      <PageHead
        title={t(grouping.title)}
        text={t(grouping.text)}
        of={groups}
        report={grouping.report}
        query={query}
      />
      <Shown of={totals}>
        {(reply) => <MeasureStrip params={params} totals={reply} measure={measure} />}
      </Shown>
      {props.above}
      <Shown of={groups}>
        {(reply) => {
          const told = props.told?.(reply);
          if (told?.alone) return <>{told.text}</>;
          if (!measure) return <NoData />;
          const rows = ofMeasure(reply.rows, measure);
          const total = ofMeasure(reply.totals, measure)[0];
          const mark = grouping.sides ? sideOf : markChanges(rows);
          return (
            <>
              {told?.text}
              <OneMeasure {...props} groups={{ reply, rows, mark, total, measure }} />
              {props.below?.(reply)}
            </>
          );
        }}
      </Shown>
      <ByPeriod {...props} measure={measure} />
    </>
  );
}

/** Marks significant changes, by Benjamini and Hochberg over all groups of the page. */
function markChanges(rows: readonly Row[]): (row: Row) => Mark {
  const sure = survivors(rows.map((row) => pValue(now(row), before(row))));
  const moved = new Set(rows.filter((_, i) => sure[i]));
  return (row) => {
    if (!moved.has(row)) return "";
    return (now(row).score ?? 0) < (before(row).score ?? 0) ? "▼ " : "▲ ";
  };
}

/** Marks agents above or below the others, as the API says it. */
function sideOf(row: Row): Mark {
  const side = label(row, "differs");
  return side === null ? "" : side === "below" ? "▼ " : "▲ ";
}

function useNames(dimensions: readonly string[], query: string): void {
  useEffect(() => {
    for (const name of ["agent", "survey"]) if (dimensions.includes(name)) fetchNames(name, query);
  }, [dimensions.join(), query]);
}

const TABLE = [
  "responses",
  "score",
  "adjusted_score",
  "score_change",
  "score_previous",
  "ci_low",
  "ci_high",
  "average",
  "median",
  "share_pct",
  "responses_previous",
];

function OneMeasure(props: Props & { readonly groups: Groups }): JSX.Element {
  const { grouping, groups, params } = props;
  const { reply, measure, total } = groups;
  const order = parseOrder(params.get("order_by"));
  const rows = grouping.inOrder ? groups.rows : inOrder(groups.rows, order, grouping.by);
  const notes = [
    grouping.sides
      ? t(
          "▼ ▲: below or above what the others make of the same kinds of answers, by more than chance explains over all agents. The adjusted score takes out what an agent was dealt.",
        )
      : reply.meta.compare && t("▼ ▲: changed by more than chance explains, over all groups here."),
    withheldNote(rows),
  ];
  const marked = grouping.sides ? "adjusted_score" : "score_change";
  const columns = columnsOf(reply, [...grouping.by, ...TABLE]).map((column) =>
    column.name === marked
      ? { ...column, text: (row: Row) => groups.mark(row) + column.text(row) }
      : column,
  );
  const pick = (row: Row): void => look(pickGroup(params, grouping.by, row));
  const sort = (column: string): void => {
    const descending = order?.column === column ? !order.descending : column !== grouping.by[0];
    look(withParams(params, { order_by: `${descending ? "-" : ""}${column}` }), { replace: true });
  };
  return (
    <Figure
      title={t("{name} by {noun}", { name: metricName(measure.metric), noun: nounOf(grouping) })}
      reply={reply}
      n={count(total)}
      of={t("answers")}
      tableOpen
      order={order}
      onSort={sort}
      onPick={pick}
      note={notes.filter(Boolean).join(" ")}
      table={{
        columns,
        rows,
        totals: total ? [total] : [],
      }}
    >
      {props.chart ? (
        props.chart({ ...groups, rows })
      ) : (
        <Dots rows={rows} groups={groups} grouping={grouping} onPick={pick} />
      )}
    </Figure>
  );
}

/** The parameters with filters that leave only the row's group. */
export function pickGroup(params: Params, by: readonly string[], row: Row): Params {
  return by.reduce((found, name) => filteredTo(found, name, label(row, name)), params);
}

interface DotsProps {
  readonly rows: readonly Row[];
  readonly groups: Groups;
  readonly grouping: Grouping;
  readonly onPick: (row: Row) => void;
}

const MOST_DOTS = 25;

function Dots({ rows, groups, grouping, onPick }: DotsProps): JSX.Element {
  const { total, measure, reply } = groups;
  const { by, sides } = grouping;
  const worse = sides ? t("below the others") : t("significantly worse");
  const better = sides ? t("above the others") : t("significantly better");
  const compared = reply.meta.compare !== undefined;
  const dots = rows.slice(0, MOST_DOTS).map((row): DotRow => {
    const [a, b] = [now(row), before(row)];
    const name = by.map((dimension) => nameOf(dimension, label(row, dimension))).join(", ");
    const marked = groups.mark(row);
    const look = marked === "" ? "" : marked === "▼ " ? "worse" : "better";
    const figure = format.score(a.score, measure.metric);
    return {
      label: name,
      value: a.score,
      low: a.low,
      high: a.high,
      before: b.score,
      text: `${marked}${figure}`,
      aside: `n ${format.count(a.n)}`,
      look,
      words: [
        `${name}: ${figure}`,
        a.low === null ? "" : ` (${format.fixed(a.low, 1)} to ${format.fixed(a.high, 1)})`,
        `, n ${format.count(a.n)}`,
        b.score === null
          ? ""
          : `, ${t("before {figure}", { figure: format.score(b.score, measure.metric) })}`,
        look && `, ${look === "worse" ? worse : better}`,
        isWithheld(row) ? `, ${t("too few answers to show")}` : "",
      ].join(""),
    };
  });
  return (
    <>
      <DotPlot
        label={t("Scores")}
        rows={dots}
        format={axis(measure.metric)}
        reference={now(total).score}
        legend={[
          { look: "line", text: t("Score and 95 % interval") },
          { look: "reference", text: t("All") },
          ...(compared
            ? [
                { look: "line before", text: t("Hollow: before") },
                ...(sides ? [] : [{ look: "line worse", text: t("▼ worse") }]),
              ]
            : []),
          ...(sides ? [{ look: "line worse", text: t("▼ below the others") }] : []),
        ]}
        onPick={(i) => {
          const row = rows[i];
          if (row) onPick(row);
        }}
      />
      {rows.length > MOST_DOTS && (
        <p class="note">
          {t("The first {n} of {all}; the table has them all.", { n: MOST_DOTS, all: rows.length })}
        </p>
      )}
    </>
  );
}

/** Rows in the order of the address; dimensions by the names shown, which the API does not know. */
function inOrder(rows: readonly Row[], order: Order | undefined, by: readonly string[]): Row[] {
  if (!order) return byVolume(rows);
  return by.includes(order.column) ? byName(rows, order.column, order.descending) : [...rows];
}

function byVolume(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => count(b) - count(a));
}

/** The same rows by period, if the address has a granularity. */
function ByPeriod(props: Props & { readonly measure: Measure | null }): JSX.Element | null {
  const { params, measure } = props;
  const by = params.get("granularity");
  if (!measure || !by || by === "total") return null;
  return <Periods {...props} measure={measure} by={by} />;
}

interface PeriodsProps extends Props {
  readonly measure: Measure;
  readonly by: string;
}

function Periods({ params, filters, grouping, measure, by }: PeriodsProps): JSX.Element {
  const changes = {
    limit: "10000",
    compare: null,
    metric: measure.metric,
    scale: encodeURIComponent(measure.scale),
    ...grouping.asked,
    ...(grouping.groupBy ? { group_by: grouping.groupBy } : {}),
  };
  const loaded: Loaded<Reply> = useReport(grouping.report, reportQuery(params, filters, changes));
  return (
    <Shown of={loaded}>
      {(reply) => (
        <Figure
          title={t("By {noun} and {granularity}", { noun: nounOf(grouping), granularity: t(by) })}
          reply={reply}
          n={count(ofMeasure(reply.totals, measure)[0])}
          of={t("answers")}
          table={{
            columns: columnsOf(reply, ["period", ...grouping.by, ...TABLE], by),
            rows: ofMeasure(reply.rows, measure),
          }}
        />
      )}
    </Shown>
  );
}
