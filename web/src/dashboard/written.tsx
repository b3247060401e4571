// The links from figures to the comments of their customers, for keys that may read comments.

import type { JSX } from "preact";
import { catalogue, findReport } from "./catalogue.ts";
import * as format from "./format.ts";
import { Link } from "./link.tsx";
import { metricName } from "./names.ts";
import { t } from "./texts.ts";
import { carried, withDates, withParams, type Params, type View } from "./view.ts";

interface Props {
  readonly params: Params;
  readonly filters: readonly string[];
  readonly metric: string;
  /** The first and the last day; only comments of these days are shown. */
  readonly days?: readonly [string, string];
}

export function WrittenLink({ params, filters, metric, days }: Props): JSX.Element | null {
  if (!catalogue.value?.comments) return null;
  const kept = withParams(carried(params, filters), { metric, segment: "bad" });
  const text = days
    ? t("What dissatisfied customers wrote: {days}", { days: format.days(...days) })
    : t("What dissatisfied customers wrote");
  return (
    <p class="note">
      <Link to={{ page: "comments", params: days ? withDates(kept, ...days) : kept }}>{text}</Link>
    </p>
  );
}

type ExperienceProps = Required<Pick<Props, "params" | "metric" | "days">>;

/** To the scores by what the customers of some days went through, unless filters would get lost. */
export function ExperienceLink({ params, metric, days }: ExperienceProps): JSX.Element | null {
  const known = findReport("experience")?.filters ?? [];
  const lost = (findReport("daily")?.filters ?? []).some(
    (name) => params.has(name) && (name === "agent" || !known.includes(name)),
  );
  if (lost) return null;
  const kept = withParams(carried(params, known), { metric });
  return (
    <p class="note">
      <Link to={{ page: "experience", params: withDates(kept, ...days) }}>
        {t("What customers went through: {days}", { days: format.days(...days) })}
      </Link>
    </p>
  );
}

interface BehindProps {
  /** Null where no comments are to be read. */
  readonly to: View | null;
  /** Whose comments they are, for those who do not see what the link stands beside. */
  readonly of: string;
  /** Are there several, so that each says whose it is? */
  readonly named?: boolean;
}

/** Beside the tools of a chart. */
export function CommentsLink({ to, of, named }: BehindProps): JSX.Element | null {
  if (!to) return null;
  const told = t("Comments: {of}", { of });
  return (
    <Link to={to} look="behind" told={told}>
      {named ? told : t("Comments")}
    </Link>
  );
}

interface ToldProps {
  /** One by each metric that the sentence tells of. */
  readonly views: readonly View[];
  readonly sentence: string;
}

/** After a sentence. */
export function SentenceComments({ views, sentence }: ToldProps): JSX.Element {
  const several = views.length > 1;
  return (
    <>
      {views.map((to) => {
        const name = metricName(to.params.get("metric") ?? "");
        return (
          <span key={name} class="behind">
            {" "}
            <CommentsLink to={to} of={several ? name : sentence} named={several} />
          </span>
        );
      })}
    </>
  );
}

/** The cell beside the name of a table's row. */
export function RowComments({ to, of }: BehindProps): JSX.Element {
  return (
    <td class="behind">
      {to && (
        <Link to={to} told={t("Comments: {of}", { of })}>
          <span aria-hidden="true">“…”</span>
        </Link>
      )}
    </td>
  );
}
