// The page Browsers & OS: the score and the share of answers by browser and operating system.

import type { JSX } from "preact";
import { DotPlot } from "../charts/dots.tsx";
import { Figure } from "../figure.tsx";
import * as format from "../format.ts";
import { Link } from "../link.tsx";
import { nameOf } from "../names.ts";
import { count, label, number, type Reply } from "../reply.ts";
import { view } from "../router.ts";
import { columnsOf } from "../table.tsx";
import { withParams } from "../view.ts";
import { GroupPage, type Grouping } from "./groups.tsx";
import type { PageProps } from "./page.ts";
import { t, toTranslate } from "../texts.ts";

const NOUNS: Readonly<Record<string, string>> = {
  browser: toTranslate("browser"),
  os: toTranslate("operating system"),
  device: toTranslate("device"),
  "browser,os": toTranslate("browser and operating system"),
};

const CHOICES: readonly (readonly [string, string])[] = [
  ["browser", toTranslate("Browser")],
  ["os", toTranslate("Operating system")],
  ["device", toTranslate("Device")],
  ["browser,os", toTranslate("Browser and operating system")],
];

export function BrowsersPage(props: PageProps): JSX.Element {
  const groupBy = view.value.params.get("group_by") ?? "browser";
  const by = groupBy.split(",");
  const grouping: Grouping = {
    report: "browsers",
    title: toTranslate("Browsers & OS"),
    text: toTranslate("Which browsers, systems and devices customers answered from."),
    by,
    groupBy,
    noun: NOUNS[groupBy] ?? groupBy,
  };
  const params = view.value.params;
  return (
    <GroupPage
      {...props}
      params={params}
      grouping={grouping}
      above={
        <nav class="choices-inline" aria-label={t("Grouped by")}>
          {CHOICES.map(([value, title]) => (
            <Link
              key={value}
              to={{
                page: view.value.page,
                params: withParams(params, { group_by: value, order_by: null }),
              }}
              current={value === groupBy}
            >
              {t(title)}
            </Link>
          ))}
        </nav>
      }
      below={(reply) => <AllAnswers reply={reply} by={by} noun={grouping.noun} />}
    />
  );
}

const MOST_SHARES = 12;

interface AllProps {
  readonly reply: Reply;
  readonly by: readonly string[];
  readonly noun: string;
}

/** The rows over all metrics, with the share of all answers that each browser has. */
function AllAnswers({ reply, by, noun }: AllProps): JSX.Element {
  const rows = reply.rows
    .filter((row) => row["metric"] === "all")
    .sort((a, b) => count(b) - count(a));
  const name = (row: (typeof rows)[number]): string =>
    by.map((dimension) => nameOf(dimension, label(row, dimension))).join(", ");
  return (
    <Figure
      title={t("All answers by {noun}", { noun: t(noun) })}
      reply={reply}
      n={rows.reduce((sum, row) => sum + count(row), 0)}
      of={t("answers to any survey")}
      table={{
        columns: columnsOf(reply, [...by, "responses", "share_pct", "responses_previous"]),
        rows,
      }}
    >
      <DotPlot
        label={t("Share of all answers by {noun}", { noun: t(noun) })}
        rows={rows.slice(0, MOST_SHARES).map((row) => {
          const share = number(row, "share_pct");
          const n = format.count(count(row));
          return {
            label: name(row),
            value: share,
            low: 0,
            high: share,
            before: number(row, "share_pct_previous"),
            text: format.percent(share, 1),
            aside: `n ${n}`,
            look: "",
            words: t("{name}: {share} of all answers, n {n}", {
              name: name(row),
              share: format.percent(share, 2),
              n,
            }),
          };
        })}
        format={(value) => format.percent(value, 0)}
        reference={0}
        legend={[
          { look: "line", text: t("Share of all answers") },
          ...(reply.meta.compare ? [{ look: "line before", text: t("Hollow: before") }] : []),
        ]}
      />
      {rows.length > MOST_SHARES && (
        <p class="note">
          {t("The first {n} of {all}; the table has them all.", {
            n: MOST_SHARES,
            all: rows.length,
          })}
        </p>
      )}
    </Figure>
  );
}
