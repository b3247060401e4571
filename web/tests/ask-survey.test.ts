import assert from "node:assert/strict";
import { test } from "node:test";

import { moodName } from "../src/ask/moods.ts";
import { meaning, mood, scores } from "../src/ask/survey.ts";
import { readLink } from "../src/survey/link.ts";
import { noticesIn } from "../src/survey/notices.ts";

const scale = { min: 1, max: 5, lower_is_better: false };
const ends: [string, string] = ["Bad", "Good"];

test("scores run from the lowest to the highest, ends included", () => {
  assert.deepEqual(scores({ scale }), [1, 2, 3, 4, 5]);
  assert.equal(scores({ scale: { ...scale, min: 0, max: 10 } }).length, 11);
});

test("moods rise with the scores, and fall where lower is better", () => {
  assert.deepEqual(scores({ scale }).map((score) => mood({ scale }, score)), [-1, -0.5, 0, 0.5, 1]);
  assert.equal(mood({ scale: { ...scale, lower_is_better: true } }, 1), 1);
});

test("a face without a label has a name, in the survey's language", () => {
  const moods = scores({ scale }).map((score) => mood({ scale }, score));
  assert.deepEqual(
    moods.map((felt) => moodName("de", felt)),
    ["sehr unzufrieden", "unzufrieden", "neutral", "zufrieden", "sehr zufrieden"],
  );
  assert.equal(moodName("pt-BR", 1), "muito contente");
  assert.equal(moodName("ja", -1), "very unhappy");
});

test("a score means its label; without labels its ends alone mean something", () => {
  const labels = ["a", "b", "c", "d", "e"];
  const meanings = [1, 3, 5].map((score) => meaning({ scale, labels, ends }, score));
  assert.deepEqual(meanings, ["a", "c", "e"]);
  assert.deepEqual(
    [1, 3, 5].map((score) => meaning({ scale, labels: [], ends }, score)),
    ["Bad", "", "Good"],
  );
});

test("a link says what is asked, about what, and what was clicked", () => {
  const query = "?survey=a%20b&channel=ticket&agent=7&interaction=t%2F1&score=4&lang=de&utm=x";
  assert.deepEqual(readLink("/s/pk_1", query), {
    key: "pk_1",
    survey: "a b",
    language: "de",
    score: 4,
    context: { channel: "ticket", agent: "7", interaction: "t/1" },
  });
});

test("a broken link is read as far as it goes", () => {
  assert.deepEqual(readLink("/s/", ""), {
    key: "",
    survey: "",
    language: "",
    score: undefined,
    context: {},
  });
  for (const score of ["", "x", "-1", "4.5", "1e1", "100"]) {
    assert.equal(readLink("/s/pk_1", `?score=${score}`).score, undefined, score);
  }
  assert.equal(readLink("/s/%E0%A4%A", "").key, "%E0%A4%A");
});

test("notices are in the first language that there is", () => {
  assert.equal(noticesIn(["xx", "de-AT", "fr"]).language, "de");
  assert.equal(noticesIn(["", "xx"]).language, "en");
  assert.equal(noticesIn(["constructor"]).language, "en"); // a link may name any
});
