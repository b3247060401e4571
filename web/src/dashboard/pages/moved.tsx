// Shows what moved a score most: the contribution of each group to the change, the worst first, and
// the groups that changed by more than chance explains.

import type { JSX } from "preact";
import type { Insights, Mover } from "../../interface.ts";
import { BalanceChart } from "../charts/balance.tsx";
import { apart } from "../apart.ts";
import { dimensionTitle } from "../catalogue.ts";
import { Figure } from "../figure.tsx";
import * as format from "../format.ts";
import { metricName } from "../names.ts";
import { count, label, ofMeasure, type Row } from "../reply.ts";
import { look } from "../router.ts";
import { figureColumn, textColumn, type TableColumn } from "../table.tsx";
import { filteredTo, type Params } from "../view.ts";
import { inSentence, t } from "../texts.ts";

interface Props {
  readonly params: Params;
  readonly insights: Insights;
  readonly movers: NonNullable<Insights["movers"]>;
}

export function Moved({ params, insights, movers }: Props): JSX.Element {
  const { metric, change, groups } = movers;
  const { scale } = movers;
  const rows = movers.rows.map((mover) => ({ ...moverRow(mover), metric, scale }));
  const pick = (i: number): void => {
    const mover = movers.rows[i];
    if (mover) look(filteredTo(params, mover.dimension, mover.value));
  };
  return (
    <Figure
      title={t("What moved {name} most", { name: inSentence(metricName(metric)) })}
      reply={{ report: "insights", meta: insights.meta, rows: [], next_cursor: null }}
      n={count(ofMeasure(insights.headlines, movers)[0])}
      of={t("answers")}
      note={
        t(
          "The points that each group adds to the change of {change}. A group stands with a stronger one where it is the same answers by another name; others may still share some. Filled: its own score changed by more than chance explains (Benjamini-Hochberg at 5 % over all {n} groups).",
          { change: format.signed(change, 2), n: groups },
        )
      }
      onPick={(picked) => pick(rows.findIndex((each) => each === picked))}
      table={{ columns: tableColumns(), rows }}
    >
      <BalanceChart
        label={t("Contributions to the change")}
        rows={movers.rows.map((mover) => ({
          label: apart(mover.name),
          detail: [dimensionTitle(mover.dimension), withOthers(mover)].filter(Boolean).join(" · "),
          value: mover.points ?? 0,
          sure: mover.significant,
          text: format.signed(mover.points, 1),
          aside: [mover.score_previous, mover.score]
            .map((score) => format.score(score, metric))
            .join(" → "),
          words: inWords(mover, metric),
        }))}
        onPick={pick}
      />
    </Figure>
  );
}

/** "with Mobile and 2 more": the groups that have nearly the same answers as this one. */
function withOthers({ within }: Mover): string {
  const [first, ...others] = within;
  if (!first) return "";
  const name = apart(first.name);
  return others.length
    ? t("with {name} and {n} more", { name, n: format.count(others.length) })
    : t("with {name}", { name });
}

function moverRow(mover: Mover): Row {
  const names = mover.within.map(({ name }) => name);
  return { ...mover, within: names.join(", "), within_told: names.map(apart).join(", ") };
}

function inWords(mover: Mover, metric: string): string {
  return (
    `${dimensionTitle(mover.dimension)} ${apart(mover.name)}: ` +
    t("{points} points; score {now} (n {n}), before {before} (n {m})", {
      points: format.signed(mover.points, 1),
      now: format.score(mover.score, metric),
      n: format.count(mover.responses),
      before: format.score(mover.score_previous, metric),
      m: format.count(mover.responses_previous),
    }) +
    (mover.significant ? `, ${t("significant")}` : "") +
    (mover.within.length ? `, ${withOthers(mover)}` : "")
  );
}

const tableColumns = (): readonly TableColumn[] => [
  {
    ...textColumn("value", t("Group"), (row) => apart(String(row["name"]))),
    value: (row) => String(row["name"]),
    narrows: (params, row) =>
      filteredTo(params, String(row["dimension"]), label(row, "value")),
  },
  textColumn("dimension", t("By"), (row) => dimensionTitle(String(row["dimension"]))),
  figureColumn("points", t("Points"), (value) => format.signed(value, 2)),
  figureColumn("score", t("Score"), (value) => format.fixed(value, 2)),
  figureColumn("score_previous", t("Before"), (value) => format.fixed(value, 2)),
  figureColumn("responses", t("Answers"), format.count),
  figureColumn("responses_previous", t("Before"), format.count),
  textColumn("significant", t("Significant"), (row) => (row["significant"] ? t("yes") : t("no"))),
  {
    ...textColumn("within", t("With it"), (row) => String(row["within_told"] || "–")),
    value: (row) => row["within"],
  },
];
