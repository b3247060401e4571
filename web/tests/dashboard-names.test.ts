// What values are called where names repeat, and in which order they stand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { shortened } from "../src/dashboard/charts/shortened.ts";
import { byName, learn, nameOf, plainNameOf } from "../src/dashboard/names.ts";

function value(id: string | null, name: string | null) {
  return { value: id, name, count: 1 };
}

learn("agent", {
  values: [
    value("a-1", "Anna Meyer"),
    value("a-2", "anna meyer "),
    value("a-3", "Änne"),
    value("a-4", "Zoë"),
    value("a-5", "Not given"),
    value("a-6", "bob"),
    value("bob", null),
    value("Not given", null),
    value(null, null),
  ],
  truncated: false,
});

test("a name that several have stands beside the id; nobody is taken for nobody", () => {
  assert.equal(nameOf("agent", "a-1"), "Anna Meyer (a-1)");
  assert.equal(nameOf("agent", "a-2"), "anna meyer  (a-2)");
  assert.equal(nameOf("agent", "a-3"), "Änne");
  assert.equal(nameOf("agent", "a-6"), "bob (a-6)");
  assert.equal(nameOf("agent", "bob"), "bob (bob)");
  assert.equal(nameOf("agent", "a-5"), "Not given (a-5)");
  assert.equal(nameOf("agent", "Not given"), "Not given (Not given)");
  assert.equal(nameOf("agent", null), "Not given");
  assert.equal(nameOf("agent", "unheard of"), "unheard of");
});

test("what is learned later counts too", () => {
  learn("survey", { values: [value("s-1", "Help")], truncated: true });
  assert.equal(nameOf("survey", "s-1"), "Help");
  learn("survey", { values: [value("s-2", "Help")], truncated: true });
  assert.equal(nameOf("survey", "s-1"), "Help (s-1)");
});

test("rows stand in the order of what is shown, those of nobody last", () => {
  const rows = ["a-4", null, "a-3", "a-2", "a-10", "a-9", "a-1"].map((agent) => ({ agent }));
  const order = (descending: boolean): unknown[] =>
    byName(rows, "agent", descending).map(({ agent }) => agent);
  assert.deepEqual(order(false), ["a-9", "a-10", "a-2", "a-1", "a-3", "a-4", null]);
  assert.deepEqual(order(true), ["a-4", "a-3", "a-1", "a-2", "a-10", "a-9", null]);
});

test("a name that is too long is cut, the id behind it is not", () => {
  assert.equal(shortened("Maximiliane Mustermann (a-17)", 25), "Maximiliane Must… (a-17)");
  assert.equal(shortened("Maximiliane Mustermann-Beispiel", 25), "Maximiliane Mustermann-…");
  assert.equal(shortened("Anna (0f8fad5b-d9cb-469f-a165-70867728950e)", 25), "Anna (0f8fad5b-d9cb-469f…");
  assert.equal(shortened("short", 25), "short");
});

test("classes of durations are written as people do", () => {
  assert.equal(nameOf("wait", "0-10s"), "0–10\u00a0s");
  assert.equal(nameOf("life", "15-60min"), "15–60\u00a0min");
  assert.equal(nameOf("life", "over-24h"), "A day and more");
  assert.equal(nameOf("accept", "in_time"), "In time");
  assert.equal(nameOf("was_abandoned", "no"), "no");
});

test("letters count as wide as they are, and none is cut in two", () => {
  assert.equal(shortened("どのくらい満足していますか", 17), "どのくらい満足し…");
  assert.equal(shortened("東京", 4), "東京");
  assert.equal(shortened("👩👩👩", 5), "👩👩…");
  assert.equal(shortened("WWWW", 6), "WWWW");
  assert.equal(shortened("WWWWW", 6), "WWW…");
});

test("what shows as nothing in a name is seen, and nothing beside it is turned around", () => {
  const override = "Mia\u202egro.live";
  assert.equal(nameOf("agent", override), "Mia\\u202egro.live");
  assert.equal(nameOf("agent", "two\nlines\u{e0041}"), "two\\nlines\\U000e0041");
  assert.equal(nameOf("agent", "soft\u00adly\u0007"), "soft\\xadly\\x07");
  assert.equal(nameOf("agent", "👩\u200d💻 क्\u200dष"), "👩\u200d💻 क्\u200dष"); // joined, as they are written
  assert.equal(nameOf("agent", "דנה 12"), "\u2068דנה 12\u2069");
  assert.equal(plainNameOf("agent", override), override);
  assert.equal(plainNameOf("agent", "דנה 12"), "דנה 12");
});

test("a name from right to left that is cut or has an id ends where it stands", () => {
  learn("agent", { values: [value("r-1", "דנה כהן"), value("r-2", "דנה כהן")], truncated: false });
  assert.equal(nameOf("agent", "r-1"), "\u2068דנה כהן\u2069 (r-1)");
  assert.equal(shortened(nameOf("agent", "r-1"), 12), "\u2068דנה \u2069… (r-1)");
  assert.equal(shortened(nameOf("agent", "שם ארוך מאוד מאוד"), 8), "\u2068שם ארו\u2069…");
});
