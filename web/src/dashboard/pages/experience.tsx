// The page of scores by what customers went through before they answered.

import type { JSX } from "preact";
import { DATE_BASIS, ENTERED } from "../behind.ts";
import { dimensionTitle } from "../catalogue.ts";
import { Snippet } from "../copy.tsx";
import { count } from "../format.ts";
import type { Reply } from "../reply.ts";
import { look } from "../router.ts";
import { inSentence, t, toTranslate } from "../texts.ts";
import { withParams, type Params } from "../view.ts";
import { GroupPage, type Grouping } from "./groups.tsx";
import type { PageProps } from "./page.ts";

/** The parameter of the address that names the dimension. */
const BY = "by";

/** The dimensions that may be chosen, and whether their values have an order. */
const DIMENSIONS: Readonly<Record<string, boolean>> = {
  accept: true,
  first_response: true,
  finish: true,
  wait: true,
  life: true,
  was_abandoned: true,
  had_revenue: true,
  media_type: false,
  customer_segment: false,
  service_type: false,
  agent: false,
};

export function ExperiencePage(props: PageProps): JSX.Element {
  const { params } = props;
  const asked = params.get(BY) ?? "";
  const by = asked in DIMENSIONS ? asked : "accept";
  const entered = params.get(DATE_BASIS) === ENTERED;
  const basis = entered ? ENTERED : "answered";
  const grouping: Grouping = {
    report: "experience",
    title: toTranslate("Experience"),
    text: toTranslate("How customers scored by what they went through before they answered."),
    by: [by],
    groupBy: by,
    noun: inSentence(dimensionTitle(by)),
    own: true,
    inOrder: DIMENSIONS[by] ?? false,
    asked: { [DATE_BASIS]: basis },
  };
  return (
    <GroupPage
      key={by}
      {...props}
      grouping={grouping}
      above={<Choices params={params} by={by} basis={basis} />}
      told={(reply) => linked(reply, entered)}
    />
  );
}

interface ChoicesProps {
  readonly params: Params;
  readonly by: string;
  readonly basis: string;
}

function Choices({ params, by, basis }: ChoicesProps): JSX.Element {
  const change = (name: string, value: string, usual: string): void =>
    look(withParams(params, { [name]: value === usual ? null : value, order_by: null }));
  return (
    <div class="controls">
      <label>
        <span>{t("By")}</span>
        <select value={by} onChange={(e) => change(BY, e.currentTarget.value, "accept")}>
          {Object.keys(DIMENSIONS).map((name) => (
            <option key={name} value={name}>
              {dimensionTitle(name)}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{t("Days are those of")}</span>
        <select
          value={basis}
          onChange={(e) => change(DATE_BASIS, e.currentTarget.value, "answered")}
        >
          <option value="answered">{t("the answers")}</option>
          <option value={ENTERED}>{t("the interactions’ beginning")}</option>
        </select>
      </label>
    </div>
  );
}

/** How many of the answers are linked; if none is, how to have them linked, and nothing else. */
function linked({ meta }: Reply, entered: boolean): { text: JSX.Element | null; alone: boolean } {
  const { responses, of } = meta.linked ?? { responses: 0, of: 0 };
  if (responses === 0) {
    return entered || of > 0 ? { text: <HowToLink />, alone: true } : { text: null, alone: false };
  }
  const text = entered
    ? t("{n} answers are linked to interactions that entered in these days. Others do not count.", {
        n: count(responses),
      })
    : t(
        "{n} of {of} answers, over all metrics, are linked to the interaction that they are about. The others count as “Not given”.",
        { n: count(responses), of: count(of) },
      );
  return { text: <p class="note linked">{text}</p>, alone: false };
}

const ANSWER = `{"survey_id": "support", "score": 5, "interaction_id": "T-2041"}`;

function HowToLink(): JSX.Element {
  return (
    <section class="newcomer">
      <h2>{t("No answer is linked to an interaction")}</h2>
      <p>
        {t(
          "An answer is linked if it names the interaction that it is about, and if that one is known to have begun before, at most 35 days unless the stack says otherwise (LinkDays).",
        )}
      </p>
      <p>{t("Send the interaction’s id with the answer:")}</p>
      <Snippet
        text={[
          `curl -X POST ${location.origin}/v1/responses \\`,
          `  -H "Authorization: Bearer sk_…" -H "Content-Type: application/json" \\`,
          `  -d '${ANSWER}'`,
        ].join("\n")}
      />
      <p>{t("or put it into a survey link, and let Pulse sign that:")}</p>
      <Snippet text="pulse survey link TENANT support --key pk_… --interaction T-2041" />
      <p class="note">
        {t(
          "Answers with a publishable key are linked only if their link was signed, or the survey lets all be linked: docs/asking.md, “Signed interactions”.",
        )}
      </p>
    </section>
  );
}
