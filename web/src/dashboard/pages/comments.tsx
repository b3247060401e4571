// The page Comments: a search of what customers wrote, and the words that distinguish two groups.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Comment, Comments, Word, Words } from "../../interface.ts";
import { get } from "../api.ts";
import { apart } from "../apart.ts";
import { dimensionTitle, HANDLED_BY } from "../catalogue.ts";
import "../comments.css";
import {
  againstOf,
  contrastOf,
  toSaid,
  withAgainst,
  withContrast,
  wordsQuery,
  type Against,
  type Contrast,
} from "../contrast.ts";
import { isOfInteraction, valuesQuery } from "../experienced.ts";
import * as format from "../format.ts";
import { Shown } from "../loaded.tsx";
import { pieces } from "../marks.ts";
import { dimensionPath, fetchNames, learn, nameOf, type DimensionReply } from "../names.ts";
import { NoData } from "../problem.tsx";
import { useOne } from "../replies.ts";
import { look } from "../router.ts";
import { t, toTranslate } from "../texts.ts";
import { parseCondition, reportQuery, withParams, type Params } from "../view.ts";
import { wentThrough } from "../went-through.ts";
import type { PageProps } from "./page.ts";

const FAMILY = "survey";
const NO_CHANGES = { compare: null, granularity: null, tenant: null };
const OWN = ["segment", "score", "q", "order"];

export function CommentsPage({ params, filters }: PageProps): JSX.Element {
  const values = { params, filters, family: FAMILY };
  const query = reportQuery(params, [...filters, ...OWN], NO_CHANGES);
  const found = useOne<Comments>(path("comments", query));
  const days = found.value?.meta;
  const linked = Boolean(days?.linked.comments);
  useEffect(() => {
    document.title = `${t("Comments")} · Pulse`;
    for (const name of ["agent", "survey"]) fetchNames(name, valuesQuery(name, values));
  }, [query]);
  useEffect(() => {
    if (linked) fetchNames(HANDLED_BY, valuesQuery(HANDLED_BY, values));
  }, [query, linked]);
  return (
    <>
      <header class="page-head">
        <div>
          <h1>{t("Comments")}</h1>
          <p class="note">{t("What customers wrote, and the words that set bad answers apart.")}</p>
        </div>
        {days && (
          <p class="freshness">
            <strong>{format.days(days.date_range.start_date, days.date_range.end_date)}</strong>
          </p>
        )}
        {days?.warnings.map(({ code, message }) => (
          <p key={code} class="warning">
            {message}
          </p>
        ))}
      </header>
      <WordsOf params={params} filters={filters} />
      <SearchForm key={params.get("q") ?? ""} params={params} />
      <Shown of={found}>
        {(reply) =>
          reply.count === 0 ? (
            <NoData what={t("comments")} />
          ) : (
            <List key={query} reply={reply} query={query} search={textOf(params)} />
          )
        }
      </Shown>
    </>
  );
}

function path(route: string, query: string): string {
  return `/${route}${query && `?${query}`}`;
}

function textOf(params: Params): string {
  try {
    return decodeURIComponent(params.get("q") ?? "");
  } catch {
    return "";
  }
}

// -- words

const MOST_WORDS = "12";

function WordsOf({ params, filters }: PageProps): JSX.Element {
  const query = wordsQuery(params, filters, MOST_WORDS);
  return (
    <>
      <ContrastForm params={params} filters={filters} />
      {query === null ? (
        <p class="note">{t("Choose a group: its words are held against those of all others.")}</p>
      ) : (
        <Contrasted params={params} filters={filters} query={query} />
      )}
    </>
  );
}

const CONTRASTS: readonly (readonly [Contrast, string])[] = [
  ["segment", toTranslate("Bad and good answers")],
  ["period", toTranslate("These days and those before")],
  ["filter", toTranslate("One group and all others")],
];

function ContrastForm({ params, filters }: PageProps): JSX.Element {
  const contrast = contrastOf(params);
  const against = contrast === "filter" ? againstOf(params, filters) : null;
  return (
    <div class="controls contrast">
      <label>
        <span>{t("Words that set apart")}</span>
        <select
          value={contrast}
          onChange={(e) => look(withContrast(params, e.currentTarget.value as Contrast))}
        >
          {CONTRASTS.map(([value, text]) => (
            <option
              key={value}
              value={value}
              disabled={value === "period" && params.get("preset") === "all_time"}
            >
              {t(text)}
            </option>
          ))}
        </select>
      </label>
      {against && <AgainstForm params={params} filters={filters} against={against} />}
    </div>
  );
}

interface AgainstProps extends PageProps {
  readonly against: Against;
}

function AgainstForm({ params, filters, against }: AgainstProps): JSX.Element {
  const { dimension, value } = against;
  const query = valuesQuery(dimension, { params, filters, family: FAMILY }, null);
  const found = useOne<DimensionReply>(dimensionPath(dimension, query));
  useEffect(() => {
    if (found.value && !found.stale) learn(dimension, found.value);
  }, [found.value]);
  const offered = found.stale ? [] : (found.value?.values ?? []).map((each) => each.value);
  const missing = value === undefined || offered.includes(value) ? [] : [value];
  const values = [...missing, ...offered];
  const choose = (next: Against): void => look(withAgainst(params, next));
  return (
    <>
      <label>
        <span>{t("By")}</span>
        <select
          value={dimension}
          onChange={(e) => choose({ dimension: e.currentTarget.value, value: undefined })}
        >
          {filters.map((name) => (
            <option key={name} value={name}>
              {apart(dimensionTitle(name))}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{t("Group")}</span>
        <select
          value={value === undefined ? "" : values.indexOf(value)}
          onChange={(e) =>
            choose({ dimension, value: values[Number(e.currentTarget.value)] ?? null })
          }
        >
          {value === undefined && <option value="">{t("Choose …")}</option>}
          {values.map((each, i) => (
            <option key={each} value={i}>
              {nameOf(dimension, each)}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

interface ContrastedProps extends PageProps {
  readonly query: string;
}

function Contrasted({ params, filters, query }: ContrastedProps): JSX.Element {
  const words = useOne<Words>(path("words", query));
  const against = againstOf(params, filters);
  return (
    <Shown of={words}>
      {(told) => (
        <div class="words">
          {(["first", "second"] as const).map((group) => (
            <WordList
              key={group}
              title={titleOf(told, group, against)}
              look={told.contrast === "segment" ? LOOKS[group] : group}
              words={told[group].words}
              group={group}
              to={(term) => toSaid(params, told, group, term, against)}
            />
          ))}
        </div>
      )}
    </Shown>
  );
}

const LOOKS = { first: "bad", second: "good" } as const;
type Group = keyof typeof LOOKS;

function titleOf(words: Words, group: Group, against: Against | null): string {
  const isFirst = group === "first";
  if (words.contrast === "segment") return isFirst ? t("Bad answers say") : t("Good answers say");
  if (words.contrast === "period") {
    const days = isFirst ? words.meta.date_range : words.before;
    const told = days ? format.days(days.start_date, days.end_date) : "";
    return isFirst ? t("Said {days}", { days: told }) : t("Said before, {days}", { days: told });
  }
  if (!isFirst || against?.value === undefined) return t("All others say");
  const { dimension, value } = against;
  const name = nameOf(dimension, value);
  // what customers went through is nobody's name
  const told = isOfInteraction(dimension) ? `${dimensionTitle(dimension)}: ${name}` : name;
  return t("{name} says", { name: told });
}

interface WordListProps {
  readonly title: string;
  readonly look: string;
  readonly words: readonly Word[];
  readonly group: Group;
  /** The parameters of the view with the comments that contain a term. */
  readonly to: (term: string) => Params;
}

function WordList({ title, look: looks, words, group, to }: WordListProps): JSX.Element {
  const other = group === "first" ? "second" : "first";
  return (
    <section class={looks}>
      <h2>{title}</h2>
      {words.length === 0 ? (
        <p class="note">{t("No word is said more than chance explains.")}</p>
      ) : (
        <ul>
          {words.map((word) => (
            <li key={word.term}>
              <button
                type="button"
                class="link"
                title={word.example}
                onClick={() => look(to(word.term))}
              >
                <bdi>{word.term}</bdi>
              </button>{" "}
              <span class="note">
                {t("{n} comments, {other} of the others", {
                  n: format.count(word[group]),
                  other: format.count(word[other]),
                })}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

// -- search

const SEGMENTS: readonly (readonly [string, string])[] = [
  ["", toTranslate("All comments")],
  ["bad", toTranslate("Of bad answers")],
  ["neutral", toTranslate("Of neutral answers")],
  ["good", toTranslate("Of good answers")],
];

const ORDERS: readonly (readonly [string, string])[] = [
  ["", toTranslate("Newest first")],
  ["lowest", toTranslate("Worst first")],
];

function SearchForm({ params }: { readonly params: Params }): JSX.Element {
  const [text, setText] = useState(textOf(params));
  const submit = (event: Event): void => {
    event.preventDefault();
    look(withParams(params, { q: text.trim() ? encodeURIComponent(text.trim()) : null }));
  };
  return (
    <form class="comment-search" role="search" aria-label={t("Comments")} onSubmit={submit}>
      <input
        type="search"
        aria-label={t("Search the comments")}
        placeholder={t("Words, “phrases”, -without")}
        value={text}
        onInput={(e) => setText(e.currentTarget.value)}
      />
      <button type="submit">{t("Search")}</button>
      <Choice name="segment" label={t("Which comments")} options={SEGMENTS} params={params} />
      <Choice name="order" label={t("Order")} options={ORDERS} params={params} />
      <ScoreGiven params={params} />
    </form>
  );
}

/** The filter by scores that a link may bring; a click removes it. */
function ScoreGiven({ params }: { readonly params: Params }): JSX.Element | null {
  const scores = params.get("score");
  if (scores === undefined) return null;
  return (
    <button
      type="button"
      aria-label={t("Remove the filter: {name}", { name: t("Score given") })}
      onClick={() => look(withParams(params, { score: null }))}
    >
      {t("Score given")}: {parseCondition(scores).values.join(", ")} ×
    </button>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly options: readonly (readonly [string, string])[];
  readonly params: Params;
}

function Choice({ name, label, options, params }: ChoiceProps): JSX.Element {
  return (
    <select
      aria-label={label}
      value={params.get(name) ?? ""}
      onChange={(e) => look(withParams(params, { [name]: e.currentTarget.value || null }))}
    >
      {options.map(([value, text]) => (
        <option key={value} value={value}>
          {t(text)}
        </option>
      ))}
    </select>
  );
}

// -- the list

interface ListProps {
  readonly reply: Comments;
  readonly query: string;
  readonly search: string;
}

function List({ reply, query, search }: ListProps): JSX.Element {
  const [more, setMore] = useState<readonly Comments[]>([]);
  const pages = [reply, ...more];
  const cursor = pages.at(-1)?.next_cursor ?? null;
  const comments = pages.flatMap((page) => page.comments);
  const goOn = (): void => {
    const next = `${query}${query && "&"}cursor=${encodeURIComponent(cursor ?? "")}`;
    // a build has changed the comments meanwhile: those that are shown stay, and so does the button
    get<Comments>(path("comments", next)).then((page) => setMore([...more, page]), () => undefined);
  };
  return (
    <section class="comments">
      <h2>{format.counted(reply.count, "{n} comment", "{n} comments")}</h2>
      <ol>
        {comments.map((one) => (
          <Said
            key={`${one.survey} ${one.answered_at} ${one.response_id}`}
            one={one}
            search={search}
            zone={reply.meta.date_range.timezone}
          />
        ))}
      </ol>
      {cursor !== null && (
        <button type="button" onClick={goOn}>
          {t("Show more")}
        </button>
      )}
    </section>
  );
}

interface SaidProps {
  readonly one: Comment;
  readonly search: string;
  readonly zone: string;
}

function Said({ one, search, zone }: SaidProps): JSX.Element {
  const about = [
    nameOf("survey", one.survey),
    one.channel && nameOf("channel", one.channel),
    one.agent && nameOf("agent", one.agent),
    one.country && nameOf("country", one.country),
    ...Object.entries(one.tags).map(([name, value]) => `${apart(name)}: ${apart(value)}`),
  ].filter((part) => part);
  return (
    <li class={one.segment}>
      <span class="score" title={`${nameOf("metric", one.metric)} ${one.scale}`}>
        {one.score}
      </span>
      <div>
        <p class="said" dir="auto">
          {pieces(one.comment, search).map(({ text, marked }, place) =>
            marked ? <mark key={place}>{text}</mark> : text,
          )}
        </p>
        <p class="note">
          <time dateTime={one.answered_at}>{format.moment(one.answered_at, zone)}</time>
          {about.map((part) => (
            <span key={part}>
              {" · "}
              <bdi>{part}</bdi>
            </span>
          ))}
        </p>
        {one.experience && (
          <p class="note">
            {wentThrough(one.experience).map((part, place) => (
              <span key={place}>
                {place > 0 && " · "}
                <bdi>{part}</bdi>
              </span>
            ))}
          </p>
        )}
      </div>
    </li>
  );
}
