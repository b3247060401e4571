// The page Drivers: how much of a score's spread each dimension explains, and which of its groups.
// A driver need not be a cause, so each group's difference stands beside the adjusted one.

import type { JSX } from "preact";
import type { Driver, DriverGroup, Drivers } from "../../interface.ts";
import { dimensionTitle, findReport } from "../catalogue.ts";
import { amongLinked } from "../experienced.ts";
import { DotPlot, type DotRow } from "../charts/dots.tsx";
import { Figure } from "../figure.tsx";
import * as format from "../format.ts";
import { PageHead } from "../head.tsx";
import { Shown } from "../loaded.tsx";
import { MeasureStrip, chosen, useTotals } from "../measures.tsx";
import { metricName } from "../names.ts";
import { NoData } from "../problem.tsx";
import { useOne } from "../replies.ts";
import { count, label, type Measure, type Meta } from "../reply.ts";
import { go, look } from "../router.ts";
import { figureColumn, textColumn, type TableColumn } from "../table.tsx";
import { inSentence, language, t } from "../texts.ts";
import { carried, filteredTo, reportQuery, withParams, type Params } from "../view.ts";
import type { PageProps } from "./page.ts";

export function DriversPage({ params, filters }: PageProps): JSX.Element {
  const totals = useTotals(params, filters);
  const query = reportQuery(params, filters, { granularity: "total" });
  return (
    <>
      <PageHead
        title={t("Drivers")}
        text={t("What goes with a score, and with which groups. It need not be the reason.")}
        of={totals}
        report="daily"
        query={query}
      />
      <Shown of={totals}>
        {(reply) => {
          const measure = chosen(params, reply.rows);
          if (!measure) return <NoData />;
          return (
            <>
              <MeasureStrip params={params} totals={reply} measure={measure} />
              <OfMeasure params={params} filters={filters} measure={measure} />
            </>
          );
        }}
      </Shown>
    </>
  );
}

function OfMeasure({
  params,
  filters,
  measure,
}: PageProps & { readonly measure: Measure }): JSX.Element {
  const query = reportQuery(params, filters, {
    metric: measure.metric,
    scale: encodeURIComponent(measure.scale),
    compare: null,
    granularity: null,
    lang: language.value,
  });
  const found = useOne<Drivers>(`/insights/drivers?${query}`);
  return (
    <Shown of={found}>
      {(reply) => (
        <>
          <Strengths reply={reply} measure={measure} />
          {reply.drivers.map((driver) => (
            <Groups
              key={driver.dimension}
              driver={driver}
              meta={reply.meta}
              params={params}
              measure={measure}
            />
          ))}
        </>
      )}
    </Shown>
  );
}

interface StrengthsProps {
  readonly reply: Drivers;
  readonly measure: Measure;
}

function Strengths({ reply, measure }: StrengthsProps): JSX.Element {
  const row = reply.headline ?? {};
  const name = inSentence(metricName(label(row, "metric") ?? ""));
  const rows = reply.drivers.map(({ dimension, explains_pct, responses, p, significant }) => ({
    ...measure,
    dimension,
    explains_pct,
    responses,
    p,
    significant,
  }));
  return (
    <Figure
      title={t("What goes with {name}", { name })}
      reply={{ report: "drivers", meta: reply.meta, rows: [], next_cursor: null }}
      n={count(row)}
      of={t("answers")}
      note={
        <>
          {t(
            "How much of the spread of the answers goes with each dimension, less what chance alone would make of its number of groups. Significant by Benjamini-Hochberg at 5 % over all of them.",
          )}
          {reply.drivers.some(({ dimension }) => !isOfAnswers(dimension)) &&
            ` ${t("What customers went through is known of answers alone that are linked to their interaction.")}`}
        </>
      }
      table={{
        columns: [
          {
            ...textColumn("dimension", t("By"), (each) => dimensionTitle(String(each["dimension"]))),
            narrows: () => null, // all answers are behind each dimension
          },
          figureColumn("explains_pct", t("Goes with it"), (value) => format.percent(value, 2)),
          figureColumn("responses", t("Answers"), format.count),
          figureColumn("p", "p", told),
          textColumn("significant", t("Significant"), (each) => (each["significant"] ? t("yes") : t("no"))),
        ],
        rows,
      }}
    />
  );
}

/** A probability as text; "< 0.0001" if it is smaller than that. */
function told(p: number | null): string {
  return p !== null && p < 0.0001 ? `< ${format.fixed(0.0001, 4)}` : format.fixed(p, 4);
}

interface GroupsProps {
  readonly driver: Driver;
  readonly meta: Meta;
  readonly params: Params;
  readonly measure: Measure;
}

const MOST_DOTS = 10;

function Groups({ driver, meta, params, measure }: GroupsProps): JSX.Element {
  const { dimension, explains_pct, significant, adjusted_for, rows } = driver;
  const ofAnswers = isOfAnswers(dimension);
  const pick = (group: DriverGroup | undefined): void => {
    if (!ofAnswers) return go({ page: "experience", params: byExperience(params, driver, measure) });
    const found = group && ofGroup(params, dimension, group.value);
    if (found) look(found);
  };
  const strata = format.listed(adjusted_for.map((name) => inSentence(dimensionTitle(name))));
  return (
    <Figure
      title={dimensionTitle(dimension)}
      reply={{ report: "drivers", meta, rows: [], next_cursor: null }}
      n={driver.responses}
      of={t("answers")}
      {...(ofAnswers ? {} : { narrowed: amongLinked })}
      note={
        <>
          {t("{share} of the spread goes with it", { share: format.percent(explains_pct, 2) })}
          {significant ? "" : `, ${t("which may be chance")}`}.{" "}
          {adjusted_for.length > 0 &&
            t("Adjusted: against what the others make of the same {strata}.", { strata })}
        </>
      }
      table={{
        columns: columns(dimension, adjusted_for.length > 0),
        rows: rows.map((each) => ({ ...measure, ...each })),
      }}
      onPick={(picked) => pick(rows.find(({ value }) => value === picked["value"]))}
    >
      <DotPlot
        label={t("Against the rest")}
        rows={rows.slice(0, MOST_DOTS).map((group) => dot(group, significant))}
        format={(value) => format.signed(value, 0)}
        reference={0}
        legend={[
          { look: "line", text: t("Points above or below the rest, and 95 % interval") },
          { look: "reference", text: t("The rest") },
        ]}
        onPick={(i) => pick(rows[i])}
      />
    </Figure>
  );
}

/** Whether it is a dimension of the answers themselves, and not of what customers went through. */
function isOfAnswers(dimension: string): boolean {
  return (findReport("daily")?.filters ?? []).includes(dimension);
}

/** The view of the page Experience by the dimension. */
function byExperience(params: Params, { dimension }: Driver, measure: Measure): Params {
  const kept = carried(params, findReport("experience")?.filters ?? []);
  const { metric, scale } = measure;
  return withParams(kept, { by: dimension, metric, scale: encodeURIComponent(scale) });
}

/** The view of one group; null for answers that no value of a filter finds. */
function ofGroup(params: Params, dimension: string, value: string | null): Params | null {
  if (value === "(other)") return null;
  const all = value === null && !isOfAnswers(dimension) ? amongLinked(params) : params;
  return filteredTo(all, dimension, value);
}

function dot(group: DriverGroup, significant: boolean): DotRow {
  const { name, difference, ci_low, ci_high, responses, points } = group;
  const by = format.signed(difference, 1);
  const below = significant && ci_high !== null && ci_high < 0;
  const above = significant && ci_low !== null && ci_low > 0;
  return {
    label: name,
    value: difference,
    low: ci_low,
    high: ci_high,
    before: null,
    text: by,
    aside: `n ${format.count(responses)}`,
    look: below ? "worse" : above ? "better" : "",
    words: t("{name}: {by} points against the rest, {points} of the whole, n {n}", {
      name,
      by,
      points: format.signed(points, 1),
      n: format.count(responses),
    }),
  };
}

function columns(dimension: string, adjusted: boolean): readonly TableColumn[] {
  const signed = (value: number | null): string => format.signed(value, 2);
  return [
    {
      ...textColumn("value", t("Group"), (row) => String(row["name"])),
      narrows: (params, row) => ofGroup(params, dimension, label(row, "value")),
    },
    figureColumn("responses", t("Answers"), format.count),
    figureColumn("score", t("Score"), (value) => format.fixed(value, 2)),
    figureColumn("difference", t("Against the rest"), signed),
    figureColumn("ci_low", t("95 % from"), signed),
    figureColumn("ci_high", t("95 % to"), signed),
    figureColumn("points", t("Points of the whole"), signed),
    ...(adjusted ? [figureColumn("adjusted_difference", t("Adjusted"), signed)] : []),
  ];
}
