// What moved a score most: every group's contribution to the change, the worst first, and which of
// them changed by more than chance explains.

import type { JSX } from "preact";
import { BalanceChart } from "../charts/balance.tsx";
import { dimensionTitle } from "../catalogue.ts";
import { contributors, MOVED_BY, worstFirst, type Contributor } from "../contributors.ts";
import { before, now } from "../estimates.ts";
import { Figure } from "../figure.tsx";
import * as format from "../format.ts";
import { Shown } from "../loaded.tsx";
import { toMeasure } from "../measures.tsx";
import { METRIC_NAMES, nameOf } from "../names.ts";
import { reportPath, useReports } from "../replies.ts";
import { ofMeasure, type Measure, type Reply, type Row } from "../reply.ts";
import { look } from "../router.ts";
import type { TableColumn } from "../table.tsx";
import { filteredTo, reportQuery } from "../view.ts";
import type { PageProps } from "./page.ts";

interface Props extends PageProps {
  readonly totals: Reply;
  readonly measure: Measure;
  readonly compare: string;
}

export function Moved(props: Props): JSX.Element | null {
  const { params, filters, totals, measure, compare } = props;
  const dimensions = MOVED_BY.filter((name) => filters.includes(name) && !params.has(name));
  const asked = toMeasure(params, measure);
  const changes = { granularity: "total", compare, limit: "10000" };
  const loaded = useReports(
    dimensions.map((name) =>
      reportPath("daily", reportQuery(asked, filters, { ...changes, group_by: name })),
    ),
  );
  const row = ofMeasure(totals.rows, measure)[0];
  const [a, b] = [now(row), before(row)];
  if (a.score === null || b.score === null) return null;
  const change = a.score - b.score;
  return (
    <Shown of={loaded}>
      {(replies) => {
        const all = contributors(replies, dimensions, a, b);
        const shown = worstFirst(all, a, b);
        const rows = shown.map((mover) => moverRow(mover));
        const pick = (i: number): void => {
          const place = shown[i]?.key;
          if (place) look(filteredTo(params, place.dimension, place.value));
        };
        const name = METRIC_NAMES[measure.metric] ?? measure.metric;
        return (
          <Figure
            title={`What moved ${name.toLowerCase()} most`}
            reply={totals}
            n={a.n}
            of="answers"
            note={
              `The points that each group adds to the change of ${format.signed(change, 2)}; ` +
              `groups of different kinds hold the same answers. ` +
              `Filled: its own score changed by more than chance explains ` +
              `(Benjamini-Hochberg at 5 % over all ${all.length} groups).`
            }
            onPick={(picked) => pick(rows.findIndex((each) => each === picked))}
            table={{ columns: COLUMNS, rows }}
          >
            <BalanceChart
              label="Contributions to the change"
              rows={shown.map((mover) => ({
                label: nameOf(mover.key.dimension, mover.key.value),
                detail: dimensionTitle(mover.key.dimension),
                value: mover.contribution,
                sure: mover.sure,
                text: format.signed(mover.contribution, 1),
                aside: [mover.before, mover.now]
                  .map((each) => format.score(each.score, measure.metric))
                  .join(" → "),
                words: inWords(mover, measure),
              }))}
              onPick={pick}
            />
          </Figure>
        );
      }}
    </Shown>
  );
}

function moverRow({ key, contribution, now: a, before: b, sure }: Contributor): Row {
  return {
    dimension: key.dimension,
    value: key.value,
    contribution: Math.round(contribution * 100) / 100,
    score: a.score,
    score_previous: b.score,
    responses: a.n,
    responses_previous: b.n,
    significant: sure,
  };
}

function inWords(mover: Contributor, { metric }: Measure): string {
  const { key, contribution, now: a, before: b, sure } = mover;
  return (
    `${dimensionTitle(key.dimension)} ${nameOf(key.dimension, key.value)}: ` +
    `${format.signed(contribution, 1)} points; ` +
    `score ${format.score(a.score, metric)} (n ${format.count(a.n)}), ` +
    `before ${format.score(b.score, metric)} (n ${format.count(b.n)})${sure ? ", significant" : ""}`
  );
}

const COLUMNS: readonly TableColumn[] = [
  textColumn("value", "Group", (row) => nameOf(String(row["dimension"]), valueOf(row))),
  textColumn("dimension", "By", (row) => dimensionTitle(String(row["dimension"]))),
  figureColumn("contribution", "Points", (value) => format.signed(value, 2)),
  figureColumn("score", "Score", (value) => format.fixed(value, 2)),
  figureColumn("score_previous", "Before", (value) => format.fixed(value, 2)),
  figureColumn("responses", "Answers", format.count),
  figureColumn("responses_previous", "Before", format.count),
  textColumn("significant", "Significant", (row) => (row["significant"] ? "yes" : "no")),
];

function valueOf(row: Row): string | null {
  const value = row["value"];
  return typeof value === "string" ? value : null;
}

function textColumn(name: string, title: string, text: (row: Row) => string): TableColumn {
  return { name, title, numeric: false, text, value: text };
}

function figureColumn(
  name: string,
  title: string,
  tell: (value: number | null) => string,
): TableColumn {
  const text = (row: Row): string => {
    const value = row[name];
    return tell(typeof value === "number" ? value : null);
  };
  return { name, title, numeric: true, text, value: (row) => row[name] };
}
