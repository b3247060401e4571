// The translations are complete: each says all that the code says, and nothing else.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { Texts } from "../src/dashboard/texts.ts";
import { texts as de } from "../src/dashboard/texts/de.ts";
import { texts as es } from "../src/dashboard/texts/es.ts";
import { texts as fr } from "../src/dashboard/texts/fr.ts";

const TRANSLATIONS: Readonly<Record<string, Texts>> = { de, es, fr };
const SOURCES = new URL("../src/dashboard/", import.meta.url);

function sources(): [string, string][] {
  return readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !name.startsWith("texts"))
    .map((name) => [name, readFileSync(new URL(name, SOURCES), "utf8")]);
}

/** The texts that are given to what translates or marks them. */
function said(): Set<string> {
  const one = /\b(?:t|toTranslate|pieces(?:<[\w.]+>)?)\(\s*("(?:[^"\\]|\\.)*")/g;
  const two =
    /\bcounted\([^"]*("(?:[^"\\]|\\.)*"),\s*("(?:[^"\\]|\\.)*")/g;
  const found = new Set<string>();
  for (const [, code] of sources()) {
    for (const [, text = ""] of code.matchAll(one)) found.add(JSON.parse(text) as string);
    for (const [, a = "", b = ""] of code.matchAll(two)) {
      for (const text of [a, b]) found.add(JSON.parse(text) as string);
    }
  }
  return found;
}

const SAID = said();

test("every text is found in the code", () => {
  for (const text of ["Loading …", "{n} answer", "{n} interactions", "Customer effort", "week"]) {
    assert.ok(SAID.has(text), text);
  }
  assert.ok(SAID.size > 350);
});

for (const [language, texts] of Object.entries(TRANSLATIONS)) {
  test(`${language} says all of it and nothing else`, () => {
    assert.deepEqual(
      [...SAID].filter((text) => !texts[text]?.trim()),
      [],
    );
    assert.deepEqual(
      Object.keys(texts).filter((text) => !SAID.has(text)),
      [],
    );
  });

  test(`${language} leaves out no value and makes none up`, () => {
    const places = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
    for (const [english, text] of Object.entries(texts)) {
      assert.deepEqual(places(text), places(english), english);
    }
  });

  test(`${language} is another language`, () => {
    const same = Object.entries(texts).filter(([english, text]) => text === english);
    // SMS, Chat, Ticket, NPS and words that both have
    assert.ok(same.length < 40, same.map(([text]) => text).join(", "));
  });
}

test("no text stands in a page without being given to what translates it", () => {
  const bare = sources().flatMap(([name, code]) =>
    [...code.matchAll(/(?:>|^\s+|\{" "\}\n\s*)([A-Z][a-z]+(?: [\w’,.:]+)+)\s*(?:<|\{|\n\s*<\/)/gm)]
      .map(([, text = ""]) => `${name}: ${text}`)
      .concat(
        [...code.matchAll(/\b(?:title|text|label|of|what|placeholder|aria-label)="([^"{]*[a-z] ?[^"]*)"/g)]
          .map(([, text = ""]) => `${name}: ${text}`),
      ),
  );
  assert.deepEqual(
    bare.filter((each) => !/demo, …|[rp]k_…/.test(each)),
    [],
  );
});
