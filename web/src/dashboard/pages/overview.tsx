// Overview: what happened, in sentences; the headline figures; what changed most.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Sparkline } from "../charts/line.tsx";
import type { Granularity } from "../days.ts";
import { before, now } from "../estimates.ts";
import * as format from "../format.ts";
import { headline } from "../found.ts";
import { PageHead } from "../head.tsx";
import { Link } from "../link.tsx";
import { Shown } from "../loaded.tsx";
import { Change, toScale } from "../measures.tsx";
import { fetchNames, metricMeaning, metricName, nameOf } from "../names.ts";
import { Newcomer } from "../newcomer.tsx";
import { useReport } from "../replies.ts";
import { measures, ofMeasure, type Measure, type Reply, type Row } from "../reply.ts";
import {
  byNews,
  comparedWith,
  markedDays,
  sentences,
  type Findings,
  type Sentence,
} from "../sentences.ts";
import { granularityOf, rowOf } from "../series.ts";
import { comparisonOf, reportQuery, withParams } from "../view.ts";
import { Moved } from "./moved.tsx";
import type { PageProps } from "./page.ts";
import { useWorst } from "./worst.ts";
import { t } from "../texts.ts";
import { WrittenLink } from "../written.tsx";

export function OverviewPage({ params, filters }: PageProps): JSX.Element {
  const compare = comparisonOf(params);
  const query = reportQuery(params, filters, { granularity: "total", compare });
  const totals = useReport("daily", query);
  const meta = totals.value?.meta ?? null;
  const granularity = granularityOf(params, meta);
  // the worst days are looked for by day, however the lines are drawn
  const searched = granularityOf(withParams(params, { granularity: "day" }), meta);
  const by = (periods: Granularity): string =>
    reportQuery(params, filters, {
      granularity: periods,
      fill: "true",
      compare: null,
      limit: "10000",
    });
  const drawn = useReport("daily", by(granularity));
  const series = useReport("daily", by(searched));
  const surveys = useReport("daily", reportQuery(params, filters, BY_SURVEY));
  useEffect(() => {
    const names = reportQuery(params, filters, { granularity: null, compare: null });
    fetchNames("agent", names);
    fetchNames("survey", names);
  }, [query]);
  return (
    <>
      <PageHead
        title={t("Overview")}
        text={t("What happened in these days, and where to look.")}
        of={totals}
        report="daily"
        query={query}
      />
      <Shown of={totals}>
        {(reply) =>
          reply.rows.length === 0 ? (
            <Newcomer />
          ) : (
            <Shown of={drawn}>
              {(lines) => (
                <Shown of={series}>
                  {(parts) => (
                    <Found
                      params={params}
                      filters={filters}
                      totals={reply}
                      lines={lines}
                      series={parts}
                      searched={searched}
                      surveys={surveys.value?.rows ?? []}
                      compare={compare}
                    />
                  )}
                </Shown>
              )}
            </Shown>
          )
        }
      </Shown>
    </>
  );
}

const BY_SURVEY = { granularity: "total", group_by: "survey", compare: null, limit: "10000" };

interface FoundProps extends PageProps {
  readonly totals: Reply;
  /** By period: what the lines are drawn of, and where the worst days are looked for. */
  readonly lines: Reply;
  readonly series: Reply;
  readonly searched: Granularity;
  /** Each survey's row of each of its measures. */
  readonly surveys: readonly Row[];
  readonly compare: string | null;
}

function Found(props: FoundProps): JSX.Element {
  const { params, filters, totals, series, searched } = props;
  const worst = useWorst(params, filters, totals, series, searched);
  const headlines = measures(totals.rows).map((measure) => headline(totals, measure));
  const findings: Findings = {
    params,
    headlines,
    compared: comparedWith(totals.meta),
    worst: worst.value,
  };
  const first = byNews(headlines, worst.value)[0]?.measure;
  return (
    <>
      <section
        class={worst.stale ? "story stale" : "story"}
        aria-label={t("In short")}
        aria-busy={worst.stale}
      >
        {sentences(findings, nameOf).map((sentence, i) => (
          <Told key={i} sentence={sentence} />
        ))}
        {worst.value && (
          <WrittenLink
            params={params}
            filters={filters}
            metric={worst.value.measure.metric}
            days={[worst.value.run.start, worst.value.run.end]}
          />
        )}
      </section>
      <section class="cards" aria-label={t("Headline figures")}>
        {headlines.map(({ measure }) => (
          <Card
            key={`${measure.metric} ${measure.scale}`}
            {...props}
            measure={measure}
            marked={markedDays(worst.value, measure)}
          />
        ))}
      </section>
      {first && props.compare !== null && (
        <Moved {...props} measure={first} compare={props.compare} />
      )}
    </>
  );
}

function Told({ sentence }: { readonly sentence: Sentence }): JSX.Element {
  return (
    <p>
      {sentence.map((phrase, i) =>
        typeof phrase === "string" ? (
          phrase
        ) : (
          <Link key={i} to={phrase.to}>
            {phrase.text}
          </Link>
        ),
      )}
    </p>
  );
}

interface CardProps extends FoundProps {
  readonly measure: Measure;
  readonly marked: readonly [string, string] | null;
}

function Card({ params, totals, lines, surveys, measure, marked }: CardProps): JSX.Element {
  const row = ofMeasure(totals.rows, measure)[0];
  const rows = ofMeasure(lines.rows, measure);
  const together = ofMeasure(surveys, measure).filter((each) => now(each).n > 0).length;
  const several = measures(totals.rows).filter((each) => each.metric === measure.metric).length > 1;
  const { n, score, low, high } = now(row);
  return (
    <Link to={{ page: measure.metric, params: several ? toScale(params, measure) : params }}>
      <article class="card">
        <h2>
          {metricName(measure.metric)}
          {several && <span class="note"> {t("on {scale}", { scale: measure.scale })}</span>}
        </h2>
        <p>
          <span class="big">{format.score(score, measure.metric)}</span>{" "}
          <span class="note">{metricMeaning(measure.metric)}</span>
        </p>
        <p class="note">
          {t("{low} to {high}", { low: format.fixed(low, 1), high: format.fixed(high, 1) })} · n{" "}
          {format.count(n)}
          {together > 1 && ` ${t("of {n} surveys", { n: together })}`}
        </p>
        <p>
          <Change row={row} from={format.score(before(row).score, measure.metric)} />
        </p>
        <Sparkline
          values={rows.map((each) => now(each).score)}
          marked={marked && [rowOf(rows, marked[0]), rowOf(rows, marked[1])]}
        />
      </article>
    </Link>
  );
}
