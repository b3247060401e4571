// The page Agent activity: what each agent handled, how long that took, and its share of the time.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { DotPlot } from "../charts/dots.tsx";
import { findReport } from "../catalogue.ts";
import { Figure } from "../figure.tsx";
import * as format from "../format.ts";
import { PageHead } from "../head.tsx";
import { Shown } from "../loaded.tsx";
import { byName, fetchNames, nameOf } from "../names.ts";
import { NoData } from "../problem.tsx";
import { useReport } from "../replies.ts";
import { count, label, number, type Reply, type Row } from "../reply.ts";
import { look } from "../router.ts";
import { columnsOf, parseOrder, type TableColumn } from "../table.tsx";
import { filteredTo, reportQuery, withParams } from "../view.ts";
import type { PageProps } from "./page.ts";
import { t } from "../texts.ts";

const REPORT = "agent-activity";
const COLUMNS = [
  "agent",
  "media_type",
  "handled",
  "handle_timed",
  "avg_handle_time_fmt",
  "active_seconds_fmt",
  "engaged_seconds_fmt",
  "engaged_pct",
  "with_satisfaction",
  "avg_satisfaction",
  "handled_previous",
  "avg_handle_time_fmt_previous",
  "engaged_pct_change",
  "avg_satisfaction_change",
];

/** The query for names of agents in interactions: without the family, it would be of surveys. */
const OF_THE_CONTACT_CENTRE = { family: "interaction", granularity: null, compare: null };

export function ActivityPage({ params, filters }: PageProps): JSX.Element {
  const order = params.get("order_by") ?? null;
  const changes = { limit: "10000", order_by: order };
  const query = reportQuery(params, filters, changes);
  const rows = useReport(REPORT, query);
  const whole = { granularity: "total", group_by: "agent" };
  const agents = useReport(REPORT, reportQuery(params, filters, whole));
  useEffect(
    () => fetchNames("agent", reportQuery(params, filters, OF_THE_CONTACT_CENTRE)),
    [query],
  );
  const sorted = parseOrder(order ?? undefined);
  const sort = (column: string): void => {
    const descending = sorted?.column === column ? !sorted.descending : column !== "agent";
    const name = column.replace(/_fmt$/, ""); // times sort as numbers
    look(withParams(params, { order_by: `${descending ? "-" : ""}${name}` }), { replace: true });
  };
  const pick = (row: Row): void => look(filteredTo(params, "agent", label(row, "agent")));
  return (
    <>
      <PageHead
        title={t("Agent activity")}
        text={t(findReport(REPORT)?.description ?? "")}
        of={rows}
        report={REPORT}
        query={query}
      />
      <Shown of={agents}>
        {(reply) =>
          reply.rows.length ? (
            <Engaged reply={reply} onPick={pick} />
          ) : (
            <NoData what={t("interactions")} />
          )
        }
      </Shown>
      <Shown of={rows}>
        {(reply) => (
          <Figure
            title={t("By agent and media type")}
            reply={reply}
            n={count(reply.totals[0], "handled")}
            of={t("handled")}
            order={sorted}
            onSort={sort}
            onPick={pick}
            table={{
              columns: columnsOf(reply, ["period", ...COLUMNS], params.get("granularity")).map(
                withoutSessions,
              ),
              rows:
                sorted?.column === "agent"
                  ? byName(reply.rows, "agent", sorted.descending)
                  : reply.rows,
              totals: reply.totals,
            }}
          />
        )}
      </Shown>
    </>
  );
}

/** A column of sessions' times that shows "–" instead of 0 if no session is known. */
function withoutSessions(column: TableColumn): TableColumn {
  if (!/^(active|engaged)_seconds/.test(column.name)) return column;
  const known = (row: Row): boolean => count(row, "active_seconds") > 0;
  return {
    ...column,
    text: (row) => (known(row) ? column.text(row) : format.duration(null)),
    value: (row) => (known(row) ? column.value(row) : null),
  };
}

interface EngagedProps {
  readonly reply: Reply;
  readonly onPick: (row: Row) => void;
}

function Engaged({ reply, onPick }: EngagedProps): JSX.Element {
  const rows = reply.rows
    .filter((row) => count(row, "handled") > 0 || number(row, "engaged_pct") !== null)
    .sort((a, b) => count(b, "handled") - count(a, "handled"));
  return (
    <Figure
      title={t("Share of active time engaged with customers")}
      reply={reply}
      n={count(reply.totals[0], "handled")}
      of={t("handled")}
      table={{
        columns: columnsOf(reply, COLUMNS).map(withoutSessions),
        rows,
        totals: reply.totals,
      }}
    >
      <DotPlot
        label={t("Engaged share by agent")}
        rows={rows.slice(0, 30).map((row) => {
          const name = nameOf("agent", label(row, "agent"));
          const value = number(row, "engaged_pct");
          const before = number(row, "engaged_pct_previous");
          const figure = format.percent(value, 1);
          return {
            label: name,
            value,
            low: null,
            high: null,
            before,
            text: figure,
            aside: `n ${format.count(count(row, "handled"))}`,
            look: "",
            words: [
              t("{name}: {share} engaged", { name, share: figure }),
              before === null ? "" : `, ${t("before {figure}", { figure: format.percent(before, 1) })}`,
              `, ${t("{n} handled", { n: format.count(count(row, "handled")) })}`,
            ].join(""),
          };
        })}
        format={(value) => format.percent(value, 0)}
        reference={number(reply.totals[0], "engaged_pct")}
        legend={[
          { look: "line", text: t("Engaged") },
          { look: "reference", text: t("All") },
          ...(reply.meta.compare ? [{ look: "line before", text: t("Hollow: before") }] : []),
        ]}
        onPick={(i) => {
          const row = rows[i];
          if (row) onPick(row);
        }}
      />
    </Figure>
  );
}
