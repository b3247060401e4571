import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { openMemory } from "../src/ask/memory.ts";
import type { Display, Survey } from "../src/ask/survey.ts";
import { displayRules, readOptions } from "../src/widget/options.ts";
import { share, Visitor } from "../src/widget/visitor.ts";

const SOURCE = "https://pulse.example/widget.v1.js";
const TAG = { key: "pk_1", survey: "support" };
const RULES: Display = { trigger: "delay", delay: 5, event: null, sample_pct: 100, again_days: 30 };
const DAY = 24 * 3600 * 1000;

function shelf() {
  const kept = new Map<string, string>();
  return {
    kept,
    get length() {
      return kept.size;
    },
    key: (index: number) => [...kept.keys()][index] ?? null,
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  };
}

test("a tag needs a key and a survey; the API is where its script came from", () => {
  assert.equal(readOptions({ key: "pk_1" }, SOURCE, "en"), undefined);
  assert.equal(readOptions({ survey: "s" }, SOURCE, "en"), undefined);
  const options = readOptions(TAG, SOURCE, "de-AT");
  assert.equal(options?.api, "https://pulse.example");
  assert.equal(options?.language, "de-AT");
  const elsewhere = readOptions({ ...TAG, api: "https://a.example/" }, SOURCE, "en");
  assert.equal(elsewhere?.api, "https://a.example");
});

test("a tag brings the signature of what it names", () => {
  const options = readOptions({ ...TAG, agent: "a-7", sig: "1a.x" }, SOURCE, "en");
  assert.deepEqual(options?.context, { agent: "a-7", signature: "1a.x" });
});

test("the tag overrides the survey's rules one by one", () => {
  const survey = { display: RULES } as Survey;
  const rules = (data: Record<string, string>): Display => {
    const options = readOptions({ ...TAG, ...data }, SOURCE, "en");
    assert.ok(options);
    return displayRules(survey, options);
  };
  assert.deepEqual(rules({}), RULES);
  assert.deepEqual(rules({ delay: "60" }), { ...RULES, delay: 60 });
  assert.deepEqual(rules({ event: "done" }), { ...RULES, trigger: "event", event: "done" });
  assert.deepEqual(rules({ trigger: "api" }), { ...RULES, trigger: "api" });
  assert.deepEqual(rules({ sample: "10", again: "0" }), {
    ...RULES,
    sample_pct: 10,
    again_days: 0,
  });
  assert.deepEqual(rules({ trigger: "always", delay: "soon", sample: "-1" }), RULES);
});

test("nobody is asked again before its time", () => {
  let now = 0;
  const visitor = new Visitor(openMemory(shelf), "s", () => now);
  assert.ok(visitor.mayBeAsked(RULES));
  visitor.note("shown");
  assert.ok(visitor.mayAnswer(RULES), "the button stays until there is an answer");
  now = 30 * DAY - 1;
  assert.ok(!visitor.mayBeAsked(RULES));
  assert.ok(visitor.mayBeAsked({ ...RULES, again_days: 7 }));
  now = 30 * DAY;
  assert.ok(visitor.mayBeAsked(RULES));
  visitor.note("answered");
  assert.ok(!visitor.mayAnswer(RULES));
  assert.ok(visitor.mayAnswer({ ...RULES, again_days: 0 }));
});

test("a visitor is drawn once and for all, and for each survey anew", () => {
  const store = shelf();
  const drawn = (survey: string) =>
    new Visitor(openMemory(() => store), survey).mayBeAsked({ ...RULES, sample_pct: 50 });
  const first = drawn("a");
  for (let visit = 0; visit < 20; visit += 1) assert.equal(drawn("a"), first);
  const surveys = Array.from({ length: 60 }, (_, index) => drawn(`survey ${index}`));
  assert.ok(surveys.includes(true) && surveys.includes(false));
});

test("of many visitors the wanted share is asked", () => {
  const asked = Array.from({ length: 5000 }, () =>
    new Visitor(openMemory(shelf), "s").mayBeAsked({ ...RULES, sample_pct: 10 }),
  ).filter(Boolean).length;
  assert.ok(Math.abs(asked - 500) < 130, `${asked} of 5000`); // six standard deviations
});

test("nobody is drawn at 0 %, everybody at 100 % and without a trace", () => {
  const store = shelf();
  const visitor = new Visitor(openMemory(() => store), "s");
  assert.ok(visitor.mayBeAsked(RULES));
  assert.equal(store.kept.size, 0);
  assert.ok(!visitor.mayBeAsked({ ...RULES, sample_pct: 0 }));
});

test("where nothing can be remembered nobody is asked over and over", () => {
  const memory = openMemory(() => {
    throw new Error("SecurityError");
  });
  const visitor = new Visitor(memory, "s");
  assert.ok(!visitor.mayBeAsked(RULES));
  assert.ok(visitor.mayBeAsked({ ...RULES, again_days: 0 }));
  assert.ok(visitor.mayAnswer(RULES));
});

test("shares are spread evenly", () => {
  const tenths = new Array<number>(10).fill(0);
  for (let index = 0; index < 10_000; index += 1) {
    const tenth = Math.floor(share(`visitor ${index}`) * 10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  assert.ok(Math.min(...tenths) > 800 && Math.max(...tenths) < 1200, String(tenths));
});

const BUILT = new URL("../dist/widget.v1.js", import.meta.url);

test("the widget is one small file", { skip: !existsSync(BUILT) && "not built" }, () => {
  const script = readFileSync(BUILT);
  assert.ok(gzipSync(script, { level: 9 }).length < 10_000);
  const text = script.toString();
  for (const forbidden of ["innerHTML", "eval(", "new Function", "document.cookie", "import("]) {
    assert.ok(!text.includes(forbidden), forbidden);
  }
});
