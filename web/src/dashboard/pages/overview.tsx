// The page Overview: what happened as sentences, the headline figures, and what changed most. The
// API finds all of it and makes the sentences (GET /v1/insights); the page shows them.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Insights, Phrase, Sentence } from "../../interface.ts";
import { Sparkline } from "../charts/line.tsx";
import { apart } from "../apart.ts";
import { behindPhrases } from "../behind.ts";
import { before, now } from "../estimates.ts";
import * as format from "../format.ts";
import { PageHead } from "../head.tsx";
import { Link } from "../link.tsx";
import { Shown } from "../loaded.tsx";
import { Change, toScale } from "../measures.tsx";
import { fetchNames, metricMeaning, metricName } from "../names.ts";
import { Newcomer } from "../newcomer.tsx";
import { reportPath, useOne, useReports } from "../replies.ts";
import { isSame, label, measures, number, ofMeasure, type Measure, type Row } from "../reply.ts";
import { granularityOf, rowOf } from "../series.ts";
import { comparisonOf, evidenceOf, NO_COMPARISON, reportQuery, type Params } from "../view.ts";
import { Moved } from "./moved.tsx";
import type { PageProps } from "./page.ts";
import { language, t } from "../texts.ts";
import { ExperienceLink, SentenceComments, WrittenLink } from "../written.tsx";

export function OverviewPage({ params, filters }: PageProps): JSX.Element {
  const compare = comparisonOf(params);
  const asked = { granularity: null, compare: compare ?? NO_COMPARISON, lang: language.value };
  const found = useOne<Insights>(`/insights?${reportQuery(params, filters, asked)}`);
  const meta = found.value?.meta ?? null;
  // the lines are requested once the days are known, since a preset may mean very many
  const periods = { fill: "true", compare: null, limit: "10000" };
  const drawn = reportQuery(params, filters, {
    ...periods,
    granularity: granularityOf(params, meta),
  });
  const lines = useReports(meta ? [reportPath("daily", drawn)] : []);
  const query = reportQuery(params, filters, { granularity: "total", compare });
  useEffect(() => {
    // names for the filter bar; the reply itself has all others
    const names = reportQuery(params, filters, { granularity: null, compare: null });
    for (const name of ["agent", "survey"]) if (params.has(name)) fetchNames(name, names);
  }, [query]);
  return (
    <>
      <PageHead
        title={t("Overview")}
        text={t("What happened in these days, and where to look.")}
        of={found}
        report="daily"
        query={query}
      />
      <Shown of={found}>
        {(insights) =>
          insights.headlines.length === 0 ? (
            <Newcomer />
          ) : (
            <>
              <Story params={params} filters={filters} insights={insights} />
              <Shown of={lines}>
                {([reply]) => (
                  <Cards params={params} insights={insights} lines={reply?.rows ?? []} />
                )}
              </Shown>
              {insights.movers && (
                <Moved params={params} insights={insights} movers={insights.movers} />
              )}
            </>
          )
        }
      </Shown>
    </>
  );
}

interface StoryProps extends PageProps {
  readonly insights: Insights;
}

function Story({ params, filters, insights }: StoryProps): JSX.Element {
  const { sentences, worst } = insights;
  return (
    <section class="story" aria-label={t("In short")}>
      {sentences.map((sentence, i) => (
        <Told key={i} sentence={sentence} params={params} />
      ))}
      {worst && (
        <>
          <WrittenLink
            params={params}
            filters={filters}
            metric={worst.metric}
            days={[worst.start_date, worst.end_date]}
          />
          <ExperienceLink
            params={params}
            metric={worst.metric}
            days={[worst.start_date, worst.end_date]}
          />
        </>
      )}
    </section>
  );
}

interface ToldProps {
  readonly sentence: Sentence;
  readonly params: Params;
}

function Told({ sentence, params }: ToldProps): JSX.Element {
  return (
    <p>
      {sentence.phrases.map(({ text, report, query }: Phrase, i) =>
        report === null || query === null ? (
          apart(text)
        ) : (
          <Link key={i} to={evidenceOf(report, query, params)}>
            {apart(text)}
          </Link>
        ),
      )}
      <SentenceComments
        views={behindPhrases(sentence.phrases, params)}
        sentence={sentence.text}
      />
    </p>
  );
}

interface CardsProps {
  readonly params: Params;
  readonly insights: Insights;
  /** The rows by period, from which the lines are drawn. */
  readonly lines: readonly Row[];
}

function Cards({ params, insights: { headlines, worst }, lines }: CardsProps): JSX.Element {
  const scale = (row: Row): string => label(row, "scale") ?? "";
  const shown = measures([...headlines].sort((a, b) => (scale(a) < scale(b) ? -1 : 1)));
  return (
    <section class="cards" aria-label={t("Headline figures")}>
      {shown.map((measure) => (
        <Card
          key={`${measure.metric} ${measure.scale}`}
          params={params}
          row={ofMeasure(headlines, measure)[0]}
          lines={ofMeasure(lines, measure)}
          measure={measure}
          several={shown.filter(({ metric }) => metric === measure.metric).length > 1}
          marked={worst && isSame(worst, measure) ? [worst.start_date, worst.end_date] : null}
        />
      ))}
    </section>
  );
}

interface CardProps {
  readonly params: Params;
  readonly row: Row | undefined;
  readonly lines: readonly Row[];
  readonly measure: Measure;
  /** Whether its metric is measured on several scales. */
  readonly several: boolean;
  /** The first and the last of the worst days. */
  readonly marked: readonly [string, string] | null;
}

function Card({ params, row, lines, measure, several, marked }: CardProps): JSX.Element {
  const together = number(row, "surveys") ?? 1;
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
          values={lines.map((each) => now(each).score)}
          marked={marked && [rowOf(lines, marked[0]), rowOf(lines, marked[1])]}
        />
      </article>
    </Link>
  );
}
