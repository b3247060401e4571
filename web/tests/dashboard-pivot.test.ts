// The folding table: what is below what, which rows are seen, in which order, and how the address
// says so.

import assert from "node:assert/strict";
import { test } from "node:test";
import { apiCsv } from "../src/dashboard/csv.ts";
import { formatFolds, isUnfolded, parseFolds, toggled } from "../src/dashboard/folds.ts";
import { ordered, tree, visible } from "../src/dashboard/pivot.ts";
import { number, type Reply } from "../src/dashboard/reply.ts";
import { rangeOf } from "../src/dashboard/windowed.ts";

const ROWS = [
  { level: 0, media_type: null, segment: null, entered: 6 },
  { level: 1, media_type: null, segment: null, entered: 5 },
  { level: 2, media_type: null, segment: null, entered: 2 },
  { level: 2, media_type: null, segment: "gold", entered: 3 },
  { level: 1, media_type: "a/b, c", segment: null, entered: 1 },
  { level: 2, media_type: "a/b, c", segment: "gold", entered: 1 },
];
const FOUND = tree(ROWS, ["media_type", "segment"]);

function seen(raw: string | undefined, found = FOUND): number[] {
  const folds = parseFolds(raw, 1);
  return visible(found, (node) => isUnfolded(folds, node)).map((node) => Number(node.row.entered));
}

test("levels unfold; a value that is not given is not a subtotal", () => {
  assert.deepEqual(seen("0"), [6]);
  assert.deepEqual(seen("1"), [6, 5, 1]);
  assert.deepEqual(seen("2"), [6, 5, 2, 3, 1, 1]);
});

test("the address names single rows that differ, whatever their values hold", () => {
  assert.deepEqual(seen("1,(none)"), [6, 5, 2, 3, 1]);
  assert.deepEqual(seen("1,a%2Fb%2C%20c"), [6, 5, 1, 1]);
  assert.deepEqual(seen("2,"), [6]); // the row over all others has an empty path
  for (const wrong of [undefined, "", "x", "-1", "%"]) assert.deepEqual(seen(wrong), [6, 5, 1]);
});

test("a fold that is undone leaves the address as it was", () => {
  const usual = parseFolds(undefined, 1);
  const [all, , , , odd] = visible(FOUND, () => true);
  assert.ok(all && odd);
  const once = toggled(toggled(usual, odd), all);
  assert.equal(formatFolds(once, 1), "1,a%2Fb%2C%20c,");
  assert.deepEqual(parseFolds(formatFolds(once, 1) ?? "", 1), once);
  assert.equal(formatFolds(toggled(toggled(once, odd), all), 1), null);
  assert.equal(formatFolds({ level: 2, except: new Set() }, 1), "2");
});

test("rows are ordered among those that they stand with", () => {
  const ascending = ordered(
    FOUND,
    (a, b) => (number(a, "entered") ?? 0) - (number(b, "entered") ?? 0),
  );
  assert.deepEqual(seen("2", ascending), [6, 1, 1, 5, 2, 3]);
});

test("of many rows those in sight are drawn, and some on either side", () => {
  assert.deepEqual(rangeOf(0, 600, 30, 5860), { first: 0, end: 50 });
  const middle = rangeOf(30 * 3000, 600, 30, 5860);
  assert.ok(middle.first <= 2980 && middle.first >= 2960);
  assert.ok(middle.end >= 3040 && middle.end <= 3060);
  assert.equal(rangeOf(30 * 5860, 600, 30, 5860).end, 5860);
  const beyond = rangeOf(30 * 5860, 600, 30, 100); // rows have gone: the frame still stands there
  assert.deepEqual(beyond, { first: 100, end: 100 });
});

test("CSV is written as the API writes it", () => {
  const reply: Reply = {
    report: "customer-perspective",
    meta: {
      date_range: { preset: null },
      as_of: null,
      filters: {},
      engine: "reports",
      formulas: [],
      warnings: [],
    },
    columns: [
      { name: "media_type", kind: "dimension" },
      { name: "level", kind: "level" },
      { name: "entered", kind: "metric", unit: "count" },
      { name: "response_ratio", kind: "metric", unit: "ratio" },
      { name: "avg_accept_time", kind: "metric", unit: "seconds" },
      {
        name: "avg_accept_time_previous",
        kind: "previous",
        unit: "seconds",
        metric: "avg_accept_time",
      },
      { name: "avg_accept_time_change", kind: "change", unit: "seconds", metric: "avg_accept_time" },
      { name: "avg_accept_time_fmt", kind: "metric", unit: "time" },
      { name: "avg_revenue", kind: "metric", unit: "money" },
      { name: "avg_revenue_previous", kind: "previous", unit: "money", metric: "avg_revenue" },
    ],
    rows: [
      {
        media_type: '=a"b',
        level: 1,
        entered: 1200,
        response_ratio: 1,
        avg_accept_time: 8,
        avg_accept_time_change: -1,
        avg_accept_time_fmt: "00:00:08",
        avg_revenue: { EUR: "12.5000" },
        avg_revenue_previous: { CHF: "-1.0000" },
      },
      {
        media_type: null,
        level: 1,
        entered: 0,
        avg_accept_time: 8.5,
        avg_accept_time_previous: 9.5,
        avg_accept_time_change: -1,
      },
    ],
    totals: [],
    next_cursor: null,
  };
  assert.equal(
    apiCsv(reply, reply.rows),
    '"media_type","level","entered","response_ratio","avg_accept_time",' +
      '"avg_accept_time_previous","avg_accept_time_change","avg_accept_time_fmt",' +
      '"avg_revenue_CHF","avg_revenue_EUR","avg_revenue_previous_CHF","avg_revenue_previous_EUR"\r\n' +
      "\"'=a\"\"b\",1,1200,1.00,8,,-1,00:00:08,,12.5000,-1.0000,\r\n" +
      ",1,0,,8.50,9.50,-1.00,,,,,\r\n",
  );
});
