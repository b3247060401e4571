// The address tells the whole view, in the API's own parameters, and never a key.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  carried,
  evidenceOf,
  filteredTo,
  formatAddress,
  formatCondition,
  onlyValue,
  parseAddress,
  parseCondition,
  reportQuery,
  withComparison,
  withDates,
  withGranularity,
  withPreset,
  type Params,
} from "../src/dashboard/view.ts";

test("an address comes back as it was", () => {
  for (const address of [
    "/",
    "/geo",
    "/agents?order_by=-score,agent",
    "/daily?start_date=2026-10-01&end_date=2026-10-31&country=!AT,(none)&agent=a%2Cb",
  ]) {
    const [path = "", search = ""] = address.split("?");
    assert.equal(formatAddress(parseAddress(path, search && `?${search}`)), address);
  }
});

test("a key in the query is dropped, as an address is shared", () => {
  const view = parseAddress("/geo", "?key=rk_secret&preset=today");
  assert.equal(formatAddress(view), "/geo?preset=today");
});

test("conditions hold commas, marks, nothing given and anything that is not ASCII", () => {
  const values = ["a,b", "!x", "García, Lucía", "50 %", "佐藤", null, "a+b&c=d"];
  for (const negated of [false, true]) {
    const raw = formatCondition({ negated, values });
    assert.deepEqual(parseCondition(raw), { negated, values });
    assert.match(raw, /^[!-~]+$/);
    assert.doesNotMatch(raw.slice(negated ? 1 : 0), /[!&=+ ]/);
  }
});

test("what is not UTF-8 is shown as it came", () => {
  assert.deepEqual(parseCondition("%FF").values, ["%FF"]);
});

test("only a plain single value is the only value", () => {
  const params = parseAddress("/", "?a=1&b=1,2&c=!1&d=(none)").params;
  assert.equal(onlyValue(params, "a"), "1");
  assert.equal(onlyValue(params, "b"), undefined);
  assert.equal(onlyValue(params, "c"), undefined);
  assert.equal(onlyValue(params, "d"), null);
  assert.equal(onlyValue(params, "e"), undefined);
});

test("dates and a preset exclude each other, and all_time any comparison", () => {
  const compared = parseAddress("/", "?preset=today&compare=previous_year").params;
  const dated = withDates(compared, "2026-02-03", "2026-01-01");
  assert.deepEqual(Object.fromEntries(dated), {
    compare: "previous_year",
    start_date: "2026-01-01",
    end_date: "2026-02-03",
  });
  assert.deepEqual(Object.fromEntries(withPreset(dated, "all_time")), { preset: "all_time" });
});

test("an order goes with its column: the API refuses what a reply does not have", () => {
  const ordered = (order: string): Params =>
    parseAddress("/", `?compare=previous_year&granularity=day&order_by=${order}`).params;
  for (const order of ["-score_change", "country,responses_previous", "score_significant"]) {
    assert.equal(withPreset(ordered(order), "all_time").has("order_by"), false, order);
    assert.equal(withComparison(ordered(order), "none").has("order_by"), false, order);
    assert.equal(withComparison(ordered(order), "previous_period").get("order_by"), order);
    assert.equal(withPreset(ordered(order), "today").get("order_by"), order);
    assert.equal(withGranularity(ordered(order), null).get("order_by"), order);
  }
  for (const order of ["-period", "period", "agent,-period"]) {
    assert.equal(withGranularity(ordered(order), null).has("order_by"), false, order);
    assert.equal(withGranularity(ordered(order), "total").has("order_by"), false, order);
    assert.equal(withGranularity(ordered(order), "week").get("order_by"), order);
    assert.equal(withComparison(ordered(order), "none").get("order_by"), order);
  }
  const gone = withGranularity(withComparison(ordered("-score"), "none"), null);
  assert.deepEqual(Object.fromEntries(gone), { compare: "none", order_by: "-score" });
});

test("another page takes days and filters along, but neither order nor grouping", () => {
  const search = "?preset=today&channel=chat&order_by=x&group_by=y&agent=a";
  const { params } = parseAddress("/", search);
  assert.deepEqual(Object.fromEntries(carried(params, ["agent"])), { preset: "today", agent: "a" });
  assert.equal(
    reportQuery(params, ["channel"], { preset: null, limit: "5" }),
    "channel=chat&compare=previous_period&limit=5",
  );
});

test("days are compared with those before, unless the address says otherwise", () => {
  const asked = (search: string): string =>
    reportQuery(parseAddress("/", search).params, ["channel"]);
  assert.equal(asked(""), "compare=previous_period");
  assert.equal(asked("?compare=previous_year"), "compare=previous_year");
  assert.equal(asked("?compare=none&channel=chat"), "channel=chat");
  assert.equal(asked("?preset=all_time"), "preset=all_time"); // there is nothing before
  assert.equal(asked("?preset=all_time&compare=previous_year"), "preset=all_time");
  const { params } = parseAddress("/", "?compare=previous_year");
  assert.equal(withComparison(params, "previous_period").has("compare"), false);
  assert.equal(withComparison(params, "none").get("compare"), "none");
  assert.equal(reportQuery(params, [], { compare: null }), "");
});

test("a click on a group replaces what its dimension was filtered by", () => {
  const params = parseAddress("/", "?country=DE,AT").params;
  assert.equal(filteredTo(params, "country", "CH").get("country"), "CH");
  assert.equal(filteredTo(params, "country", null).get("country"), "(none)");
});

test("the API's evidence is a view: its days and filters, the view's periods and comparison", () => {
  const address = (query: string, search: string): string =>
    formatAddress(evidenceOf("geo", query, parseAddress("/", search).params));
  const asked = "start_date=2026-10-01&end_date=2026-10-07&agent=a%2Cb&compare=previous_period";
  assert.equal(address(asked, ""), `/geo?${asked}`);
  assert.equal(
    address(asked, "?granularity=week&compare=previous_year"),
    `/geo?${asked}&granularity=week`,
  );
  assert.equal(address("metric=csat", "?compare=none"), "/geo?metric=csat&compare=none");
  assert.equal(address("compare=previous_year", ""), "/geo?compare=previous_year");
});
