// The marks in a comment stand where the API has found the words of the search.

import assert from "node:assert/strict";
import { test } from "node:test";
import { pieces } from "../src/dashboard/marks.ts";

function shown(text: string, search: string): string {
  return pieces(text, search)
    .map((piece) => (piece.marked ? `[${piece.text}]` : piece.text))
    .join("");
}

const CASES: readonly (readonly [text: string, search: string, expected: string])[] = [
  ["Die App stürzt ab", "app sturzt", "Die [App] [stürzt] ab"],
  ["Die Apparate", "app", "Die Apparate"],
  ["viel zu lange", '"zu lange" -viel', "viel [zu lange]"],
  ["STRASSE, Straße", "straße", "[STRASSE], [Straße]"],
  ["待ち時間が長い", "時間", "待ち[時間]が長い"],
  ["كانت سيئة", "سيئة", "كانت [سيئة]"],
  ["gut 👍🏽 gut", "👍", "gut [👍]🏽 gut"],
  ["<b>App</b>", "app", "<b>[App]</b>"],
  ["so", "", "so"],
  ["", "so", ""],
];

for (const [text, search, expected] of CASES) {
  test(`${search} in ${text}`, () => assert.equal(shown(text, search), expected));
}
