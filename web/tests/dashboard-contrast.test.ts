// The words of comments: which two groups they set apart is in the address, and a word leads to
// the comments of its group.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  againstOf,
  contrastOf,
  toSaid,
  withAgainst,
  withContrast,
  wordsQuery,
} from "../src/dashboard/contrast.ts";
import { formatAddress, parseAddress, type Params } from "../src/dashboard/view.ts";

const FILTERS = ["channel", "agent", "plan"];

function at(search: string): Params {
  return parseAddress("/comments", search).params;
}

function address(params: Params): string {
  return formatAddress({ page: "comments", params });
}

test("bad and good answers are set apart where the address has nothing else", () => {
  assert.equal(contrastOf(at("")), "segment");
  assert.equal(contrastOf(at("?contrast=tenant")), "segment");
  assert.equal(wordsQuery(at("?segment=bad&q=x&channel=chat"), FILTERS, "5"), "channel=chat&limit=5");
});

test("nothing is held against days before all time", () => {
  assert.equal(contrastOf(at("?contrast=period")), "period");
  assert.equal(contrastOf(at("?contrast=period&preset=all_time")), "segment");
});

test("words of days keep the part of the scale that is looked at", () => {
  assert.equal(
    wordsQuery(at("?preset=last_7_days&contrast=period&segment=bad&order=lowest"), FILTERS, "5"),
    "preset=last_7_days&segment=bad&limit=5&contrast=period",
  );
});

test("a group comes back from the address as it was chosen", () => {
  for (const value of ["chat", "a=b, c", "50 %", "(other)", "إدارة", null]) {
    const chosen = withAgainst(at("?contrast=filter"), { dimension: "plan", value });
    const again = parseAddress("/comments", address(chosen).replace("/comments", "")).params;
    assert.deepEqual(againstOf(again, FILTERS), { dimension: "plan", value });
  }
});

test("nothing is asked until a group is chosen, of a dimension that there is", () => {
  assert.equal(wordsQuery(at("?contrast=filter"), FILTERS, "5"), null);
  assert.deepEqual(againstOf(at("?against=team%3Dnorth"), FILTERS), {
    dimension: "channel",
    value: undefined,
  });
  assert.equal(againstOf(at(""), []), null);
});

test("a group is held against all others, though the comments are narrowed to it", () => {
  const asked = "contrast=filter&against=channel%3Dchat";
  for (const own of ["channel=chat", "channel=!chat"]) {
    assert.equal(wordsQuery(at(`?${own}&${asked}`), FILTERS, "5"), `limit=5&${asked}`);
  }
  assert.equal(
    wordsQuery(at(`?channel=chat,ticket&${asked}`), FILTERS, "5"),
    `channel=chat,ticket&limit=5&${asked}`,
  );
});

test("another contrast forgets the group", () => {
  const chosen = at("?contrast=filter&against=channel%3Dchat&q=x");
  assert.equal(address(withContrast(chosen, "period")), "/comments?contrast=period&q=x");
  assert.equal(address(withContrast(chosen, "segment")), "/comments?q=x");
});

test("a word leads to the comments of its group", () => {
  const [segment, period, filter] = (["segment", "period", "filter"] as const).map((contrast) => ({
    contrast,
    before: { start_date: "2026-10-01", end_date: "2026-10-31" },
  }));
  assert.ok(segment && period && filter);
  const days = at("?preset=last_month");
  const chat = { dimension: "channel", value: "chat" };
  const said = (words: typeof segment, group: "first" | "second"): string =>
    address(toSaid(days, words, group, "my parcel", chat));
  const q = "q=%22my%20parcel%22";
  assert.equal(said(segment, "first"), `/comments?preset=last_month&${q}&segment=bad`);
  assert.equal(said(segment, "second"), `/comments?preset=last_month&${q}&segment=good`);
  assert.equal(said(period, "first"), `/comments?preset=last_month&${q}`);
  assert.equal(
    said(period, "second"),
    `/comments?${q}&start_date=2026-10-01&end_date=2026-10-31`,
  );
  assert.equal(said(filter, "first"), `/comments?preset=last_month&${q}&channel=chat`);
  assert.equal(said(filter, "second"), `/comments?preset=last_month&${q}&channel=!chat`);
});
