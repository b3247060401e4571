// What moved a score most: every group's contribution to the change, the worst first, and which of
// them changed by more than chance explains.

import type { JSX } from "preact";
import { BalanceChart } from "../charts/balance.tsx";
import { dimensionTitle } from "../catalogue.ts";
import {
  contributors,
  foldedFirst,
  MOVED_BY,
  moversOf,
  type Head,
} from "../contributors.ts";
import { before, now } from "../estimates.ts";
import { Figure } from "../figure.tsx";
import * as format from "../format.ts";
import { Shown } from "../loaded.tsx";
import { toMeasure } from "../measures.tsx";
import { METRIC_NAMES, nameOf } from "../names.ts";
import { reportPath, useAll, whole } from "../replies.ts";
import { ofMeasure, type Measure, type Reply, type Row } from "../reply.ts";
import { look } from "../router.ts";
import type { TableColumn } from "../table.tsx";
import { filteredTo, formatCondition, reportQuery, withParams, type Params } from "../view.ts";
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
  const row = ofMeasure(totals.rows, measure)[0];
  const [a, b] = [now(row), before(row)];
  const changes = { granularity: "total", compare, limit: "10000" };
  const pathOf = (of: Params, name: string): string =>
    reportPath("daily", reportQuery(of, filters, { ...changes, group_by: name }));
  const replies = (of: Params, names: readonly string[]): Promise<Reply[]> =>
    Promise.all(names.map((name) => whole(pathOf(of, name))));
  const find = async (): Promise<Found> => {
    const all = contributors(await replies(asked, dimensions), dimensions, a, b);
    const heads = await foldedFirst(all, a, b, async ({ key: { dimension, value } }) => {
      const others = { negated: true, values: [value] };
      const rest = dimensions.filter((name) => name !== dimension);
      const of = withParams(asked, { [dimension]: formatCondition(others) });
      return moversOf(await replies(of, rest), rest, a, b);
    });
    return { all: all.length, heads };
  };
  const paths = a.score === null || b.score === null ? [] : [pathOf(asked, dimensions.join())];
  const loaded = useAll<Found>(paths, find);
  if (a.score === null || b.score === null) return null;
  const change = a.score - b.score;
  const name = METRIC_NAMES[measure.metric] ?? measure.metric;
  return (
    <Shown of={loaded}>
      {([found]) => {
        if (!found) return null;
        const rows = found.heads.map((head) => moverRow(head));
        const pick = (i: number): void => {
          const place = found.heads[i]?.key;
          if (place) look(filteredTo(params, place.dimension, place.value));
        };
        return (
          <Figure
            title={`What moved ${name.toLowerCase()} most`}
            reply={totals}
            n={a.n}
            of="answers"
            note={
              `The points that each group adds to the change of ${format.signed(change, 2)}. ` +
              `A group stands with a stronger one where it is the same answers by another name; ` +
              `others may still share some. ` +
              `Filled: its own score changed by more than chance explains ` +
              `(Benjamini-Hochberg at 5 % over all ${found.all} groups).`
            }
            onPick={(picked) => pick(rows.findIndex((each) => each === picked))}
            table={{ columns: COLUMNS, rows }}
          >
            <BalanceChart
              label="Contributions to the change"
              rows={found.heads.map((head) => ({
                label: nameOf(head.key.dimension, head.key.value),
                detail: [dimensionTitle(head.key.dimension), withOthers(head)]
                  .filter(Boolean)
                  .join(" · "),
                value: head.contribution,
                sure: head.sure,
                text: format.signed(head.contribution, 1),
                aside: [head.before, head.now]
                  .map((each) => format.score(each.score, measure.metric))
                  .join(" → "),
                words: inWords(head, measure),
              }))}
              onPick={pick}
            />
          </Figure>
        );
      }}
    </Shown>
  );
}

interface Found {
  /** How many groups there are in all. */
  readonly all: number;
  readonly heads: readonly Head[];
}

/** "with Mobile and 2 more", of the groups that stand within one. */
function withOthers({ within }: Head): string {
  const names = within.map(({ key }) => nameOf(key.dimension, key.value));
  if (names.length === 0) return "";
  const others = names.length - 1;
  return `with ${names[0]}${others ? ` and ${format.count(others)} more` : ""}`;
}

function moverRow({ key, contribution, now: a, before: b, sure, within }: Head): Row {
  return {
    dimension: key.dimension,
    value: key.value,
    contribution: Math.round(contribution * 100) / 100,
    score: a.score,
    score_previous: b.score,
    responses: a.n,
    responses_previous: b.n,
    significant: sure,
    within: within.map((each) => nameOf(each.key.dimension, each.key.value)).join(", "),
  };
}

function inWords(mover: Head, { metric }: Measure): string {
  const { key, contribution, now: a, before: b, sure } = mover;
  return (
    `${dimensionTitle(key.dimension)} ${nameOf(key.dimension, key.value)}: ` +
    `${format.signed(contribution, 1)} points; ` +
    `score ${format.score(a.score, metric)} (n ${format.count(a.n)}), ` +
    `before ${format.score(b.score, metric)} (n ${format.count(b.n)})${sure ? ", significant" : ""}` +
    (mover.within.length ? `, ${withOthers(mover)}` : "")
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
  textColumn("within", "With it", (row) => String(row["within"] || "–")),
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
