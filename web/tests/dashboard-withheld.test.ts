// What is withheld, as too few answers would judge a person, is told as "–": it is never 0.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Meta, Row } from "../src/dashboard/reply.ts";
import { distribution, segmentColumn, shares } from "../src/dashboard/shares.ts";
import { nothingCounted, withheldNote } from "../src/dashboard/withheld.ts";

const SEGMENTS = ["dissatisfied", "neutral", "satisfied"];

const HIDDEN: Row = {
  period: "2026-11-20",
  responses: 3,
  dissatisfied: null,
  dissatisfied_pct: null,
  neutral: null,
  neutral_pct: null,
  satisfied: null,
  satisfied_pct: null,
  withheld: true,
};
const SHOWN: Row = {
  period: "2026-11-20",
  responses: 1200,
  dissatisfied: 0,
  dissatisfied_pct: 0,
  neutral: 100,
  neutral_pct: 8.33,
  satisfied: 1100,
  satisfied_pct: 91.67,
  withheld: false,
};

function plain(text: string | undefined): string | undefined {
  return text?.replaceAll("\u00a0", " ");
}

test("segments: a count of none is 0, one withheld is not", () => {
  assert.deepEqual(
    shares(HIDDEN, SEGMENTS).map(({ title, share, n }) => [title, share, n]),
    [
      ["Dissatisfied", "–", "–"],
      ["Neutral", "–", "–"],
      ["Satisfied", "–", "–"],
    ],
  );
  assert.deepEqual(
    shares(SHOWN, SEGMENTS).map(({ share, n, from, width }) => [plain(share), n, from, width]),
    [
      ["0.00 %", "0", 0, 0],
      ["8.33 %", "100", 0, 8.33],
      ["91.67 %", "1,100", 8.33, 91.67],
    ],
  );
});

test("the distribution's columns are told without a figure", () => {
  const row = { score_value: 3, segment: "neutral", responses: null, share_pct: null };
  const [point] = distribution([row], SEGMENTS);
  assert.equal(point?.words, "Score 3 (neutral): – answers, –");
  assert.equal(point?.text, "–");
  const [none] = distribution([{ ...row, responses: 0, share_pct: 0 }], SEGMENTS);
  assert.equal(plain(none?.words), "Score 3 (neutral): 0 answers, 0.00 %");
});

test("a period's segments are told without figures, but with its answers", () => {
  const meta = { date_range: {}, as_of: null } as unknown as Meta;
  const words = (row: Row): string | undefined =>
    plain(segmentColumn(row, SEGMENTS, "day", meta).words);
  assert.equal(words(HIDDEN), "20 Nov 2026: dissatisfied –, neutral –, satisfied –, n 3");
  assert.equal(
    words(SHOWN),
    "20 Nov 2026: dissatisfied 0.0 %, neutral 8.3 %, satisfied 91.7 %, n 1,200",
  );
});

test("a note says why, and there are answers though they are not counted out", () => {
  assert.match(withheldNote([SHOWN, HIDDEN]) ?? "", /too few answers/);
  assert.equal(withheldNote([SHOWN]), null);
  assert.equal(nothingCounted({ responses: null, withheld: true }), false);
  assert.equal(nothingCounted({ responses: 0 }), true);
  assert.equal(nothingCounted({ responses: 0, withheld: false }), true);
  assert.equal(nothingCounted({ responses: 7 }), false);
  assert.equal(nothingCounted(undefined), true);
});
