// From figures to the comments behind them: of a row's groups, days, measure and score, and only
// where the key may read comments.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Catalogue, CatalogueReport } from "../src/interface.ts";
import {
  behindPhrases,
  behindRow,
  behindRows,
  daysWithin,
  withScore,
  type Narrowing,
} from "../src/dashboard/behind.ts";
import { catalogue } from "../src/dashboard/catalogue.ts";
import { label } from "../src/dashboard/reply.ts";
import { filteredTo, formatAddress, parseAddress, type View } from "../src/dashboard/view.ts";

const SURVEY = ["metric", "scale", "channel", "country"];
const OF_ANSWERS = ["metric", "scale", "channel"];

function report(name: string, changes: Partial<CatalogueReport> = {}): CatalogueReport {
  const given = { name, family: "survey", filters: SURVEY, fixed_filters: {}, dimensions: [] };
  return { ...given, ...changes } as unknown as CatalogueReport;
}

function allow(comments: boolean): void {
  const reports = [
    report("daily"),
    report("geo"),
    report("nps", { fixed_filters: { metric: ["nps"] } }),
    report("experience", { family: "experience", filters: [...OF_ANSWERS, "agent", "accept"] }),
    report("revenue", { family: "interaction", filters: ["media_type"] }),
  ];
  catalogue.value = { comments, reports } as unknown as Catalogue;
}

const country: Narrowing = {
  narrows: (params, row) => filteredTo(params, "country", label(row, "country")),
};
const { params } = parseAddress("/geo", "?preset=last_month&channel=chat&order_by=-score&granularity=week");

function address(view: View | null): string | null {
  return view && formatAddress(view);
}

const austria = { metric: "csat", scale: "1-5", country: "AT", responses: 3 };

test("a row leads to the comments of its group and measure, in the days and filters of the view", () => {
  allow(true);
  assert.equal(
    address(behindRow("geo", params, [country, {}], austria)),
    "/comments?preset=last_month&channel=chat&metric=csat&scale=1-5&country=AT",
  );
  assert.equal(
    address(behindRow("geo", params, [country], { ...austria, country: null })),
    "/comments?preset=last_month&channel=chat&metric=csat&scale=1-5&country=(none)",
  );
});

test("a row that nothing filters by leads nowhere", () => {
  allow(true);
  assert.equal(behindRow("drivers", params, [{ narrows: () => null }, country], austria), null);
});

test("a row without answers leads nowhere, nor does a withheld one", () => {
  allow(true);
  assert.equal(behindRow("geo", params, [country], { ...austria, responses: 0 }), null);
  assert.equal(behindRow("geo", params, [country], { ...austria, responses: null }), null);
  assert.equal(behindRows("geo", params, [{ ...austria, responses: 0 }]), null);
});

test("a row over every metric leads to the comments of every metric", () => {
  allow(true);
  const { params: narrowed } = parseAddress("/browsers", "?metric=csat&scale=1-5");
  const all = { metric: "all", scale: "all", responses: 3 };
  assert.equal(address(behindRow("geo", narrowed, [], all)), "/comments");
});

test("a chart leads to the comments of its measure, if it is of one", () => {
  allow(true);
  const { params: plain } = parseAddress("/geo", "");
  const germany = { ...austria, country: "DE" };
  assert.equal(
    address(behindRows("geo", plain, [austria, germany])),
    "/comments?metric=csat&scale=1-5",
  );
  const nps = { ...austria, metric: "nps", scale: "0-10" };
  assert.equal(address(behindRows("geo", plain, [austria, nps])), "/comments");
});

test("nobody is led to comments that the key may not read, or that are of no survey", () => {
  allow(true);
  assert.equal(behindRow("revenue", params, [], { responses: 3 }), null);
  allow(false);
  assert.equal(behindRow("geo", params, [country], austria), null);
  assert.deepEqual(behindPhrases([{ text: "x", report: "geo", query: "" }], params), []);
});

test("what customers went through leads to the comments of those who did, by the answers' days", () => {
  allow(true);
  const late = { metric: "csat", scale: "1-5", accept: "late", responses: 3 };
  const { params: plain } = parseAddress("/experience", "?channel=chat&by=accept");
  const accept: Narrowing = {
    narrows: (params, row) => filteredTo(params, "accept", label(row, "accept")),
  };
  assert.equal(
    address(behindRow("experience", plain, [accept], late)),
    "/comments?channel=chat&metric=csat&scale=1-5&accept=late",
  );
  assert.equal(
    address(behindRow("experience", plain, [accept], { ...late, accept: null })),
    "/comments?channel=chat&metric=csat&scale=1-5&accept=(none)",
  );
  assert.equal(
    address(behindRows("experience", plain, [late])),
    "/comments?channel=chat&metric=csat&scale=1-5",
  );
  const { params: narrowed } = parseAddress("/experience", "?agent=anna&by=wait");
  assert.equal(
    address(behindRows("experience", narrowed, [late])),
    "/comments?metric=csat&scale=1-5&handled_by=anna",
  );
  const { params: entered } = parseAddress("/experience", "?date_basis=entered");
  assert.equal(behindRows("experience", entered, [late]), null);
});

test("a sentence leads to the comments of its closest evidence, by each metric that it tells of", () => {
  allow(true);
  const days = "start_date=2026-11-16&end_date=2026-11-22&compare=previous_period";
  const views = behindPhrases(
    [
      { text: "Austria", report: "geo", query: `metric=csat&${days}` },
      { text: " explains most, ", report: null, query: null },
      { text: "by ticket", report: "geo", query: `metric=csat&${days}&country=AT` },
      { text: "NPS", report: "nps", query: days },
      { text: "Revenue", report: "revenue", query: days },
    ],
    params,
  );
  assert.deepEqual(views.map(formatAddress), [
    `/comments?metric=csat&${days}&country=AT&contrast=filter&against=country%3DAT`,
    `/comments?${days}&metric=nps`,
  ]);
});

test("a group that is looked at already is held against nothing", () => {
  allow(true);
  const { params: narrowed } = parseAddress("/", "?country=AT");
  const evidence = [{ text: "was", report: "daily", query: "metric=csat&country=AT" }];
  assert.deepEqual(behindPhrases(evidence, narrowed).map(formatAddress), [
    "/comments?metric=csat&country=AT",
  ]);
});

test("a period is as many of its days as were asked for", () => {
  const asked = { start_date: "2026-11-05", end_date: "2026-11-20" };
  assert.deepEqual(daysWithin("2026-11-02", "2026-11-08", asked), ["2026-11-05", "2026-11-08"]);
  assert.deepEqual(daysWithin("2026-11-16", "2026-11-22", asked), ["2026-11-16", "2026-11-20"]);
  assert.deepEqual(daysWithin("2026-11-09", "2026-11-15", asked), ["2026-11-09", "2026-11-15"]);
});

test("a row of one score leads to the comments with that score", () => {
  allow(true);
  const given = { metric: "nps", scale: "0-10", score_value: "6", responses: 2 };
  const { params: plain } = parseAddress("/rates", "");
  assert.equal(
    address(behindRow("nps", plain, [{ narrows: withScore }], given)),
    "/comments?metric=nps&scale=0-10&score=6",
  );
});
