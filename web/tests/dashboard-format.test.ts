// Figures, amounts, days and files as people read them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { csv, fileName, guard } from "../src/dashboard/csv.ts";
import { addDays, dayOf, daysBetween, isOpen, periodEnd } from "../src/dashboard/days.ts";
import * as format from "../src/dashboard/format.ts";
import { judge, keyInFragment } from "../src/dashboard/keys.ts";
import { step } from "../src/dashboard/charts/steps.ts";
import { choose, locale, localeOf, pieces, plural, preferred, speak, t } from "../src/dashboard/texts.ts";
import { columnTitle } from "../src/dashboard/titles.ts";

test("no data is a dash, never a zero", () => {
  const nothing = [
    format.fixed(null, 2),
    format.count(null),
    format.signed(null, 1),
    format.score(null, "csat"),
    format.money(null, "EUR"),
    format.duration(null),
    format.cell(undefined),
    format.cell(null, "money"),
    format.cell({}, "money"),
  ];
  assert.deepEqual(new Set(nothing), new Set(["–"]));
});

test("figures", () => {
  assert.equal(format.fixed(-1234.5, 2), "−1,234.50");
  assert.equal(format.fixed(-0.001, 1), "0.0");
  assert.equal(format.signed(0.04, 1), "0.0");
  assert.equal(format.signed(0.06, 1), "+0.1");
  assert.equal(format.score(68.35, "csat"), "68.4\u00a0%");
  assert.equal(format.score(-8.94, "nps"), "−8.9");
  assert.equal(format.duration(100 * 3600 + 61), "100:01:01");
  assert.equal(format.cell(4, "scale", "average"), "4.00");
  assert.equal(format.cell(4, "scale", "median"), "4");
  assert.equal(format.cell(4.5, "scale", "median_previous"), "4.5");
});

test("amounts stay exact", () => {
  assert.equal(format.money("99999999999999.9999", "EUR"), "€99,999,999,999,999.9999");
  assert.equal(format.money("-1234.5000", "USD"), "−US$1,234.50");
  assert.equal(format.money("0.0000", "JPY"), "JP¥0.00");
  assert.equal(format.cell({ EUR: "12.5000", USD: "1.0000" }, "money"), "€12.50\nUS$1.00");
});

test("average amounts are told to the cent, half to even, and stay exact", () => {
  assert.equal(format.averageMoney("199.5234", "PLN"), "PLN\u00a0199.52");
  assert.equal(format.averageMoney("58.4450"), "58.44");
  assert.equal(format.averageMoney("58.4350"), "58.44");
  assert.equal(format.averageMoney("58.4451"), "58.45");
  assert.equal(format.averageMoney("-24.666"), "−24.67");
  assert.equal(format.averageMoney("-0.0040"), "0.00");
  assert.equal(format.averageMoney("0.0050"), "0.00");
  assert.equal(format.averageMoney("99999999999999.9999"), "100,000,000,000,000.00");
  assert.equal(format.cell("37.0017", "money", "avg_revenue"), "37.00");
  assert.equal(format.averageMoney(null), "–");
});

test("columns are headed in words, with what they are compared to", () => {
  assert.equal(columnTitle("csat_pct_previous"), "Satisfied % before");
  assert.equal(columnTitle("responses_previous"), "Answers before");
  assert.equal(columnTitle("avg_revenue_change"), "Average revenue change");
  assert.equal(columnTitle("avg_handle_time_fmt"), "Average handle time");
});

test("days in words", () => {
  assert.equal(format.days("2026-10-25", "2026-11-21"), "25 Oct – 21 Nov 2026");
  assert.equal(format.days("2026-11-01", "2026-11-21"), "1 – 21 Nov 2026");
  assert.equal(format.days("2025-12-30", "2026-01-02"), "30 Dec 2025 – 2 Jan 2026");
  assert.equal(format.days("2026-11-21", "2026-11-21"), "21 Nov 2026");
  assert.equal(format.longDay("2026-10-29"), "Thu 29 Oct");
  assert.equal(format.period("2026-10-01", "month"), "Oct 2026");
  assert.equal(format.ago(20_000), "just now");
  assert.equal(format.ago(31 * 60_000), "31 minutes ago");
  assert.equal(format.ago(25 * 3_600_000), "25 hours ago");
  assert.equal(format.ago(49 * 3_600_000), "2 days ago");
  assert.equal(format.listed(["a", "b", "c"]), "a, b and c");
});

test("numbers, amounts and days are the reader's", () => {
  locale.value = "de-DE";
  assert.equal(format.money("24993.6100", "EUR"), "24.993,61\u00a0€");
  assert.equal(format.money("-1234.5678", "EUR"), "−1.234,5678\u00a0€");
  assert.equal(format.fixed(-1234.5, 2), "−1.234,50");
  assert.equal(format.longDay("2026-11-29"), "So., 29. Nov.");
  assert.equal(format.tick("2026-11-29", "day"), "29. Nov.");
  assert.equal(format.days("2026-10-25", "2026-11-21"), "25. Okt. – 21. Nov. 2026");
  locale.value = "en-US";
  assert.equal(format.tick("2026-11-29", "day"), "Nov 29");
  assert.equal(format.money("1234.5000", "USD"), "$1,234.50");
  locale.value = "en-GB";
});

test("the language is the first that there is, and numbers are of the browser's own locale", () => {
  assert.equal(preferred(["it", "fr-CH", "de"]), "fr");
  assert.equal(preferred([null, "ja"]), "en");
  assert.equal(preferred(["toString"]), "en");
  assert.equal(localeOf("de", ["en-US", "de-AT", "de"]), "de-AT");
  assert.equal(localeOf("en", ["en-US"]), "en-US");
  assert.equal(localeOf("es", ["en-US"]), "es"); // chosen by hand
});

test("texts are translated with what stands in them", async () => {
  await speak("de");
  assert.equal(t("{n} values", { n: 3 }), "3 Werte");
  assert.deepEqual(pieces("Contacts there are: see the {page}.", { page: { to: 1 } }), [
    "Kontakte gibt es: siehe ",
    { to: 1 },
    ".",
  ]);
  assert.equal(plural(1, "one", "other"), "one");
  await speak("fr");
  assert.equal(plural(0, "one", "other"), "one"); // zéro réponse
  await choose("en"); // there is no storage here
  assert.equal(t("{n} values", { n: 3 }), "3 values");
});

test("calendar days, whatever the clocks do", () => {
  assert.equal(addDays("2026-10-24", 2), "2026-10-26");
  assert.equal(daysBetween("2026-03-01", "2026-03-31"), 31);
  assert.equal(periodEnd("2024-02-01", "month"), "2024-02-29");
  assert.equal(periodEnd("2026-12-28", "week"), "2027-01-03");
  assert.equal(dayOf("2026-11-21T23:30:00Z", "Europe/Berlin"), "2026-11-22");
  assert.equal(isOpen("2026-11-21", "2026-11-21T23:30:00Z", "Europe/Berlin"), false);
  assert.equal(isOpen("2026-11-22", "2026-11-21T23:30:00Z", "Europe/Berlin"), true);
});

test("texts are guarded as the API guards them", () => {
  const file = new URL("../../tests/unit/csv_cells.json", import.meta.url);
  const cases = JSON.parse(readFileSync(file, "utf8")) as [string, string, string][];
  assert.ok(cases.length > 20);
  for (const [why, text, guarded] of cases) assert.equal(guard(text), guarded, why);
});

test("CSV is safe for spreadsheets and keeps numbers", () => {
  const rows = [
    ["Country", "Score"],
    ["=1+1", -4.5],
    ['a "b", c', null],
    ["-12.5000", { EUR: "1.0000", USD: "2.0000" }],
    ["-x", true],
  ];
  assert.equal(
    csv(rows),
    [
      '"Country","Score"',
      '"\'=1+1",-4.5',
      '"a ""b"", c",',
      '-12.5000,"1.0000 EUR, 2.0000 USD"',
      '"\'-x",true',
      "",
    ].join("\r\n"),
  );
  assert.equal(
    fileName("geo", "2026-10-25", "2026-11-21", "Satisfaction by country"),
    "pulse-geo-2026-10-25-to-2026-11-21-satisfaction-by-country.csv",
  );
});

test("only keys that read may open the dashboard", () => {
  assert.deepEqual(judge("rk_abc"), { ok: true });
  assert.deepEqual(judge("ok_abc"), { ok: true });
  const refused = { sk_a: "secret", pk_a: "publishable", fk_a: "feed", x: "look" };
  for (const [key, word] of Object.entries(refused)) {
    const found = judge(key);
    assert.ok(!found.ok && found.why.includes(word));
  }
  assert.equal(keyInFragment("#key=rk_a-b"), "rk_a-b");
  assert.equal(keyInFragment("#page"), null);
});

test("arrow keys walk through the points and stop at the ends", () => {
  assert.equal(step("ArrowRight", 0, 3), 1);
  assert.equal(step("ArrowRight", 2, 3), 2);
  assert.equal(step("ArrowLeft", 0, 3), 0);
  assert.equal(step("End", 0, 3), 2);
  assert.equal(step("Home", 2, 3), 0);
  assert.equal(step("PageDown", 1, 30), 8);
  assert.equal(step("a", 1, 3), null);
});
