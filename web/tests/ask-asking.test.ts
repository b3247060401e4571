// One survey being asked of one visitor, perhaps in several tabs of a browser.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import type { Answer, Context } from "../src/ask/answer.ts";
import { Asking } from "../src/ask/asking.ts";
import { type Memory, openMemory } from "../src/ask/memory.ts";
import type { Outbox, Watch } from "../src/ask/outbox.ts";
import { findSurvey, type Survey } from "../src/ask/survey.ts";

const scale = { min: 1, max: 5, lower_is_better: false };
const BACK_S = 35 * 24 * 3600;
const SURVEY = { id: "support", scale, back_s: BACK_S, now: () => Date.now() } as Survey;
const HOUR = 3600 * 1000;

/** What the tabs of one browser share, and all that they post. */
class Browser {
  readonly posted: Answer[] = [];
  readonly kept = new Map<string, string>();

  /** What the outbox tells of each answer, at once; nothing unless a test says so. */
  told: Parameters<Watch> | undefined;

  tab(context: Context, survey = SURVEY): Asking {
    const outbox = {
      post: (_id: string, _url: string, body: string, _kept: number, watch: Watch) => {
        this.posted.push(JSON.parse(body));
        if (this.told) watch(...this.told);
      },
    } as unknown as Outbox;
    return new Asking(survey, context, { api: "", key: "pk_1" }, this.#memory(), outbox);
  }

  #memory(): Memory {
    const { kept } = this;
    return openMemory(() => ({
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => void kept.set(name, value),
      removeItem: (name: string) => void kept.delete(name),
      key: (index: number) => [...kept.keys()][index] ?? null,
      get length() {
        return kept.size;
      },
    }));
  }
}

const nobody = (): void => undefined;

test("two tabs of one mail's link are one answer, whichever opened first", () => {
  const browser = new Browser();
  const [first, second] = [browser.tab({ interaction: "t-1" }), browser.tab({ interaction: "t-1" })];
  first.vote(3, nobody);
  second.vote(5, nobody);
  const [before, after] = browser.posted;
  assert.equal(after?.score, 5);
  assert.equal(after?.response_id, before?.response_id);
  assert.equal(after?.answered_at, before?.answered_at);
});

test("answers to different things, or to nothing named, stay apart", () => {
  const browser = new Browser();
  for (const context of [{ interaction: "t-1" }, { interaction: "t-2" }, {}, {}]) {
    browser.tab(context).vote(4, nobody);
  }
  assert.equal(new Set(browser.posted.map(({ response_id }) => response_id)).size, 4);
});

test("links about somebody else are other questions, with an interaction and without", () => {
  const anna = { channel: "ticket", agent: "anna", customer: "c-1" };
  for (const about of [{}, { interaction: "t-1" }]) {
    const first = { ...anna, ...about };
    for (const other of [{ agent: "bob" }, { customer: "c-2" }, { channel: "chat" }]) {
      const browser = new Browser();
      browser.tab(first).vote(5, nobody);
      const second = browser.tab({ ...first, ...other });
      assert.equal(second.earlier(), undefined);
      second.vote(1, nobody);
      const [kept, added] = browser.posted;
      assert.notEqual(added?.response_id, kept?.response_id);
      assert.equal(browser.tab(first).earlier()?.score, 5);
      assert.equal(browser.tab({ ...first, ...other }).earlier()?.score, 1);
    }
  }
});

test("another score of the same mail changes the answer, whatever else the link says", () => {
  const browser = new Browser();
  const mail = { agent: "anna", customer: "c-1" };
  browser.tab({ ...mail, agent_name: "Anna", tags: { page: "mail" } }).vote(5, nobody);
  const again = browser.tab(mail);
  again.reopen();
  again.vote(2, nobody);
  const [before, after] = browser.posted;
  assert.deepEqual(after, { ...before, score: 2 });
});

test("names of different things never run together", () => {
  const browser = new Browser();
  browser.tab({ interaction: "a b" }).vote(5, nobody);
  assert.equal(browser.tab({ interaction: "a", agent: "b" }).earlier(), undefined);
  assert.equal(browser.tab({ interaction: "a", customer: "b" }).earlier(), undefined);
});

test("what an answer leaves out tells no questions apart, whatever a host page passes", () => {
  const odd = { interaction: "{{ticket.id}}", agent: Symbol("x"), customer: "" };
  const browser = new Browser();
  const asking = browser.tab(odd as unknown as Context);
  assert.equal(asking.once, false);
  asking.vote(4, nobody);
  assert.equal(browser.tab({}).earlier()?.score, 4);
});

test("an answer can be changed for 30 days, and for an hour without an interaction", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 0 });
  const browser = new Browser();
  const [ticket, agent] = [{ interaction: "t-1", agent: "anna" }, { agent: "anna" }];
  for (const context of [ticket, agent]) browser.tab(context).vote(5, nobody);
  const remembered = (): boolean[] =>
    [ticket, agent].map((context) => browser.tab(context).earlier() !== undefined);
  t.mock.timers.setTime(HOUR);
  assert.deepEqual(remembered(), [true, true]);
  t.mock.timers.setTime(HOUR + 1);
  assert.deepEqual(remembered(), [true, false]);
  t.mock.timers.setTime(30 * 24 * HOUR + 1);
  assert.deepEqual(remembered(), [false, false]);
  assert.equal(browser.kept.size, 0);
});

test("names that earlier pages remembered by are forgotten in time, and mean nothing", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 0 });
  const browser = new Browser();
  const answer = { survey_id: "support", score: 5, answered_at: new Date().toISOString() };
  const about = JSON.stringify({ ...answer, interaction_id: "t-1" });
  browser.kept.set("pulse.answered.pk_1 support t-1", about);
  browser.kept.set("pulse.answered.pk_1 support ", JSON.stringify(answer));
  browser.kept.set("pulse.answered.pk_1 support t-2", "no JSON");
  browser.kept.set("pulse.answered.pk_1 support t-3", "null");
  assert.equal(browser.tab({}).earlier(), undefined);
  assert.equal(browser.kept.size, 2);
  t.mock.timers.setTime(2 * HOUR);
  browser.tab({});
  assert.deepEqual([...browser.kept.keys()], ["pulse.answered.pk_1 support t-1"]);
  t.mock.timers.setTime(31 * 24 * HOUR);
  browser.tab({});
  assert.equal(browser.kept.size, 0);
});

/** The survey, fetched by a browser whose clock is so far off the API's. */
async function fetched(t: TestContext, offMs: number): Promise<Survey> {
  const served_at = new Date(Date.now() - offMs).toISOString();
  const served = { id: "support", scale, served_at, fresh_s: 300, back_s: BACK_S };
  t.mock.method(globalThis, "fetch", async () => Response.json(served));
  const found = await findSurvey("", "pk_1", "support", "en");
  assert.ok("survey" in found);
  return found.survey;
}

test("an old page is no wrong clock: what is asked hours later is answered then", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-11-20T20:00:00Z") });
  const survey = await fetched(t, 0);
  t.mock.timers.tick(9 * HOUR);
  const browser = new Browser();
  browser.tab({}, survey).vote(4, nobody);
  assert.equal(browser.posted[0]?.answered_at, "2026-11-21T05:00:00.000Z");
});

test("a wrong clock stays put right, however old the page", async (t) => {
  for (const off of [-HOUR, 24 * HOUR]) {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-11-20T20:00:00Z") + off });
    const survey = await fetched(t, off);
    t.mock.timers.tick(9 * HOUR);
    const browser = new Browser();
    browser.tab({}, survey).vote(4, nobody);
    assert.equal(browser.posted[0]?.answered_at, "2026-11-21T05:00:00.000Z");
    t.mock.timers.reset();
  }
});

test("an answer that was stored under another time is changed under that time", () => {
  const browser = new Browser();
  browser.told = ["sent", undefined, "2026-11-20T20:00:01Z"];
  const asking = browser.tab({ interaction: "t-1" });
  asking.vote(4, nobody);
  asking.comment("Because.", nobody);
  assert.equal(browser.posted[1]?.answered_at, "2026-11-20T20:00:01Z");
  assert.equal(browser.tab({ interaction: "t-1" }).earlier()?.answered_at, "2026-11-20T20:00:01Z");
});
