// Browsers & OS: scores by what customers answered with, and its share of all answers.

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

const CHOICES: readonly (readonly [string, string])[] = [
  ["browser", "Browser"],
  ["os", "Operating system"],
  ["device", "Device"],
  ["browser,os", "Browser and operating system"],
];

export function BrowsersPage(props: PageProps): JSX.Element {
  const groupBy = view.value.params.get("group_by") ?? "browser";
  const by = groupBy.split(",");
  const grouping: Grouping = {
    report: "browsers",
    title: "Browsers & OS",
    text: "Which browsers, systems and devices customers answered from.",
    by,
    groupBy,
    noun: by.map((name) => (name === "os" ? "operating system" : name)).join(" and "),
  };
  const params = view.value.params;
  return (
    <GroupPage
      {...props}
      params={params}
      grouping={grouping}
      above={
        <nav class="choices-inline" aria-label="Grouped by">
          {CHOICES.map(([value, title]) => (
            <Link
              key={value}
              to={{
                page: view.value.page,
                params: withParams(params, { group_by: value, order_by: null }),
              }}
              current={value === groupBy}
            >
              {title}
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

/** The rows over every metric: what share of all answers came from where. */
function AllAnswers({ reply, by, noun }: AllProps): JSX.Element {
  const rows = reply.rows
    .filter((row) => row["metric"] === "all")
    .sort((a, b) => count(b) - count(a));
  const name = (row: (typeof rows)[number]): string =>
    by.map((dimension) => nameOf(dimension, label(row, dimension))).join(", ");
  return (
    <Figure
      title={`All answers by ${noun}`}
      reply={reply}
      n={rows.reduce((sum, row) => sum + count(row), 0)}
      of="answers to any survey"
      table={{
        columns: columnsOf(reply, [...by, "responses", "share_pct", "responses_previous"]),
        rows,
      }}
    >
      <DotPlot
        label={`Share of all answers by ${noun}`}
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
            words: `${name(row)}: ${format.percent(share, 2)} of all answers, n ${n}`,
          };
        })}
        format={(value) => format.percent(value, 0)}
        reference={0}
        legend={[
          { look: "line", text: "Share of all answers" },
          ...(reply.meta.compare ? [{ look: "line before", text: "Hollow: before" }] : []),
        ]}
      />
      {rows.length > MOST_SHARES && (
        <p class="note">
          The first {MOST_SHARES} of {rows.length}; the table has them all.
        </p>
      )}
    </Figure>
  );
}
