// Periods that are not whole, or stand beside more or fewer days, say so in tables and charts.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Meta, Row } from "../src/dashboard/reply.ts";
import { scorePoints } from "../src/dashboard/series.ts";
import { segmentColumn } from "../src/dashboard/shares.ts";
import { periodText, remarks, standing } from "../src/dashboard/standing.ts";

const META = {
  date_range: { start_date: "2025-03-01", end_date: "2025-03-10", timezone: "UTC" },
  as_of: "2025-04-01T00:00:00Z",
} as unknown as Meta;

const WEEKS: readonly (readonly [Row, string | null, boolean])[] = [
  [{ period: "2025-02-23", partial: true }, "partial", true],
  [{ period: "2025-03-02", partial: false }, null, false],
  [{ period: "2025-03-02", partial: true }, "beside more or fewer days", false],
  [{ period: "2025-03-09", partial: true }, "partial", true],
  [{ period: null, partial: null }, null, false],
];

test("a period is cut off where days of it are not asked for", () => {
  for (const [row, partial, cut] of WEEKS) {
    assert.deepEqual(standing(row, "week", META), { open: false, cut, partial });
  }
});

test("a whole month beside a shorter one is not called cut off", () => {
  const days = { preset: null, start_date: "2025-03-01", end_date: "2025-03-31", timezone: "UTC" };
  const found = standing({ period: "2025-03-01", partial: true }, "month", { ...META, date_range: days });
  assert.deepEqual(found, { open: false, cut: false, partial: "beside more or fewer days" });
});

test("a table names what a period is", () => {
  const meta = { ...META, as_of: "2025-03-10T12:00:00Z" };
  assert.deepEqual(
    WEEKS.map(([row]) => periodText(row, "week", meta)),
    [
      "Week of 23 Feb 2025 (partial)",
      "Week of 2 Mar 2025",
      "Week of 2 Mar 2025 (beside more or fewer days)",
      "Week of 9 Mar 2025 (open, partial)",
      "Whole period",
    ],
  );
});

test("a chart's points are told and drawn as parts", () => {
  const rows = WEEKS.slice(0, 2).map(([row]) => ({ ...row, score: 50, responses: 4 }));
  const points = scorePoints(rows, "csat", "week", META);
  assert.deepEqual(
    points.map(({ cut, words }) => [cut, words.endsWith(", partial")]),
    [
      [true, true],
      [false, false],
    ],
  );
  const columns = rows.map((row) => segmentColumn(row, ["satisfied"], "week", META));
  assert.deepEqual(
    columns.map(({ cut, words }) => [cut, words.endsWith(", partial")]),
    [
      [true, true],
      [false, false],
    ],
  );
  assert.equal(remarks({ open: true, cut: true, partial: "partial" }), ", still open, partial");
});
