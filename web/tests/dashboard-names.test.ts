// What values are called where names repeat, and in which order they stand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { shortened } from "../src/dashboard/charts/shortened.ts";
import { byName, learn, nameOf } from "../src/dashboard/names.ts";

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
  assert.equal(shortened("Maximiliane Mustermann (a-17)", 25), "Maximiliane Muste… (a-17)");
  assert.equal(shortened("Maximiliane Mustermann-Beispiel", 25), "Maximiliane Mustermann-B…");
  assert.equal(shortened("Anna (0f8fad5b-d9cb-469f-a165-70867728950e)", 25), "Anna (0f8fad5b-d9cb-469f…");
  assert.equal(shortened("short", 25), "short");
});
