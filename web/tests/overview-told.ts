// What the Overview tells of the replies that a test has made: one line of JSON for each date in,
// one out. tests/unit/sample/test_every_date.py runs it.

import { createInterface } from "node:readline";
import { contributors, MOVED_BY, worstFirst } from "../src/dashboard/contributors.ts";
import { costOf, explained, headline, NAMED, worstOfAll } from "../src/dashboard/found.ts";
import { nameOf } from "../src/dashboard/names.ts";
import { measures, type Reply } from "../src/dashboard/reply.ts";
import { byNews, comparedWith, sentences, type Worst } from "../src/dashboard/sentences.ts";
import { withParams } from "../src/dashboard/view.ts";

/** The replies to what the Overview asks, the worst days being those of the bad week. */
interface Replies {
  /** All days together, and day by day. */
  readonly totals: Reply;
  readonly series: Reply;
  /** The satisfaction of all days by each dimension. */
  readonly moved: Readonly<Record<string, Reply>>;
  /** That of the bad week, and of this week's Austria. */
  readonly groups: Readonly<Record<string, Reply>>;
  readonly parts: Readonly<Record<string, Reply>>;
  readonly segments: Reply;
  readonly contacts: Reply;
  readonly revenue: Reply;
}

function told(given: Replies): unknown {
  const headlines = measures(given.totals.rows).map((measure) => headline(given.totals, measure));
  const found = worstOfAll(given.totals.rows, given.series.rows);
  const of = (replies: Readonly<Record<string, Reply>>, names: readonly string[]): Reply[] =>
    names.map((name) => replies[name] as Reply);
  let worst: Worst | null = null;
  if (found) {
    const topContributor = explained(of(given.groups, NAMED), NAMED);
    const rest = NAMED.filter((name) => name !== topContributor?.key.dimension);
    const within = topContributor && explained(of(given.parts, rest), rest);
    const cost = costOf(found.measure, given.segments, given.contacts, given.revenue);
    worst = { ...found, topContributor, within, cost };
  }
  const compared = comparedWith(given.totals.meta);
  const story = sentences(
    { params: withParams(new Map(), {}), headlines, compared, worst },
    nameOf,
  );
  const first = byNews(headlines, worst)[0];
  if (!first) throw new Error("there is no answer in these days");
  const all = contributors(of(given.moved, MOVED_BY), MOVED_BY, first.now, first.before);
  return {
    sentences: story.map((sentence) =>
      sentence.map((phrase) => (typeof phrase === "string" ? phrase : phrase.text)).join(""),
    ),
    worst: found && { ...found.measure, start: found.run.start, end: found.run.end },
    topContributor: worst?.topContributor?.key ?? null,
    within: worst?.within?.key ?? null,
    contributors: worstFirst(all, first.now, first.before).map(({ key, contribution, sure }) => ({
      ...key,
      contribution,
      sure,
    })),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(told(JSON.parse(line) as Replies)));
}
