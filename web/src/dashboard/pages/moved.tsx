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
import { metricName, nameOf, plainNameOf } from "../names.ts";
import { reportPath, useAll, whole } from "../replies.ts";
import { ofMeasure, type Measure, type Reply, type Row } from "../reply.ts";
import { look } from "../router.ts";
import type { TableColumn } from "../table.tsx";
import { filteredTo, formatCondition, reportQuery, withParams, type Params } from "../view.ts";
import type { PageProps } from "./page.ts";
import { inSentence, t } from "../texts.ts";

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
  const name = metricName(measure.metric);
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
            title={t("What moved {name} most", { name: inSentence(name) })}
            reply={totals}
            n={a.n}
            of={t("answers")}
            note={
              t(
                "The points that each group adds to the change of {change}. A group stands with a stronger one where it is the same answers by another name; others may still share some. Filled: its own score changed by more than chance explains (Benjamini-Hochberg at 5 % over all {n} groups).",
                { change: format.signed(change, 2), n: found.all },
              )
            }
            onPick={(picked) => pick(rows.findIndex((each) => each === picked))}
            table={{ columns: tableColumns(), rows }}
          >
            <BalanceChart
              label={t("Contributions to the change")}
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
  return others
    ? t("with {name} and {n} more", { name: names[0] ?? "", n: format.count(others) })
    : t("with {name}", { name: names[0] ?? "" });
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
    t("{points} points; score {now} (n {n}), before {before} (n {m})", {
      points: format.signed(contribution, 1),
      now: format.score(a.score, metric),
      n: format.count(a.n),
      before: format.score(b.score, metric),
      m: format.count(b.n),
    }) +
    (sure ? `, ${t("significant")}` : "") +
    (mover.within.length ? `, ${withOthers(mover)}` : "")
  );
}

const tableColumns = (): readonly TableColumn[] => [
  {
    ...textColumn("value", t("Group"), (row) => nameOf(String(row["dimension"]), valueOf(row))),
    value: (row) => plainNameOf(String(row["dimension"]), valueOf(row)),
  },
  textColumn("dimension", t("By"), (row) => dimensionTitle(String(row["dimension"]))),
  figureColumn("contribution", t("Points"), (value) => format.signed(value, 2)),
  figureColumn("score", t("Score"), (value) => format.fixed(value, 2)),
  figureColumn("score_previous", t("Before"), (value) => format.fixed(value, 2)),
  figureColumn("responses", t("Answers"), format.count),
  figureColumn("responses_previous", t("Before"), format.count),
  textColumn("significant", t("Significant"), (row) => (row["significant"] ? t("yes") : t("no"))),
  textColumn("within", t("With it"), (row) => String(row["within"] || "–")),
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
