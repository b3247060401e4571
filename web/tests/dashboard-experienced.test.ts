// What comments have from the interactions that they are linked to: its filters, which values are
// offered for them, and how it is told in words.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { Catalogue, CatalogueReport } from "../src/interface.ts";
import { catalogue } from "../src/dashboard/catalogue.ts";
import {
  amongLinked,
  asOfComments,
  asOfExperience,
  commentFilters,
  valuesQuery,
} from "../src/dashboard/experienced.ts";
import { dimensionPath } from "../src/dashboard/names.ts";
import { speak } from "../src/dashboard/texts.ts";
import { formatAddress, parseAddress, type Params } from "../src/dashboard/view.ts";
import { wentThrough, type Experience } from "../src/dashboard/went-through.ts";

function report(name: string, family: string, filters: string[]): CatalogueReport {
  return { name, family, filters, fixed_filters: {}, dimensions: [] } as unknown as CatalogueReport;
}

beforeEach(() => {
  const reports = [
    report("daily", "survey", ["metric", "channel", "agent", "country", "plan"]),
    report("experience", "experience", ["metric", "channel", "media_type", "agent", "wait"]),
  ];
  catalogue.value = { comments: true, reports } as unknown as Catalogue;
});

function at(search: string): Params {
  return parseAddress("/comments", search).params;
}

function query(params: Params): string {
  return formatAddress({ page: "comments", params }).replace(/^\/comments\??/, "");
}

test("comments have the filters of answers and of interactions, whose agent has another name", () => {
  assert.deepEqual(commentFilters(), [
    ...["metric", "channel", "agent", "country", "plan"],
    ...["media_type", "handled_by", "wait"],
  ]);
});

test("the agent of the report experience is who handled the interaction", () => {
  assert.equal(query(asOfComments(at("?agent=ada&wait=0-10s"))), "wait=0-10s&handled_by=ada");
  assert.equal(query(asOfExperience(at("?agent=eve&handled_by=!ada"))), "agent=!ada");
  assert.equal(query(asOfComments(at("?wait=0-10s"))), "wait=0-10s");
});

test("a group of linked answers is not all that have no value", () => {
  assert.equal(query(amongLinked(at("?wait=(none)"))), "wait=(none)&media_type=!(none)");
  assert.equal(query(amongLinked(at("?media_type=chat"))), "media_type=chat");
});

test("values of answers are offered under the filters that reports on surveys know", () => {
  const params = at("?preset=last_month&country=AT&wait=0-10s&handled_by=ada&plan=pro");
  const page = { params, filters: commentFilters(), family: "survey" };
  const days = "preset=last_month";
  assert.equal(valuesQuery("channel", page), `${days}&country=AT&plan=pro&family=survey`);
  assert.equal(valuesQuery("country", page, null, "a"), `${days}&plan=pro&q=a&family=survey`);
});

test("values of interactions are offered under the filters that the report experience knows", () => {
  const params = at("?preset=last_month&country=AT&channel=chat&wait=0-10s&handled_by=ada&agent=eve");
  const page = { params, filters: commentFilters(), family: "survey" };
  const days = "preset=last_month&channel=chat";
  assert.equal(valuesQuery("wait", page, null), `${days}&agent=ada&family=experience`);
  assert.equal(valuesQuery("handled_by", page, null), `${days}&wait=0-10s&family=experience`);
  assert.equal(dimensionPath("handled_by", "q=a"), "/dimensions/agent?q=a");
});

test("other pages are offered the values of their own family", () => {
  const page = { params: at("?agent=ada"), filters: ["media_type", "agent"], family: "interaction" };
  assert.equal(valuesQuery("media_type", page), "agent=ada&family=interaction");
});

const WAITED: Experience = {
  media_type: "chat",
  customer_segment: "gold",
  service_type: null,
  handled_by: "ada",
  accept: "late",
  first_response: "in_time",
  finish: "no_threshold",
  wait: "5-15min",
  life: "over-24h",
  was_abandoned: "no",
  had_revenue: "yes",
  was_rated: "no",
  entered_on: "2026-11-19",
};

test("what a customer went through is told in the order in which it happened", () => {
  assert.deepEqual(wentThrough(WAITED), [
    ...["Chat on 19 Nov", "gold", "waited 5–15\u00a0min", "accepted late"],
    ...["first response in time", "took a day or more in all", "with revenue", "handled by ada"],
  ]);
});

test("of who gave up nothing is told that could not happen any more", () => {
  const gaveUp = { ...WAITED, accept: "never", first_response: "never", finish: "never" } as const;
  assert.deepEqual(
    wentThrough({ ...gaveUp, was_abandoned: "yes", wait: null, life: null, handled_by: null }),
    ["Chat on 19 Nov", "gold", "gave up before being accepted", "with revenue"],
  );
});

test("it is told in the reader's language", async () => {
  await speak("de");
  assert.equal(wentThrough(WAITED).slice(2, 4).join(), "5–15\u00a0min gewartet,zu spät angenommen");
  await speak("en");
});
