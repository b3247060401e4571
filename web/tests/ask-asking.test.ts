// One survey being asked of one visitor, perhaps in several tabs of a browser.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Answer, Context } from "../src/ask/answer.ts";
import { Asking } from "../src/ask/asking.ts";
import { type Memory, openMemory } from "../src/ask/memory.ts";
import type { Outbox } from "../src/ask/outbox.ts";
import type { Survey } from "../src/ask/survey.ts";

const SURVEY = {
  id: "support",
  scale: { min: 1, max: 5, lower_is_better: false },
  served_at: new Date().toISOString(),
} as Survey;

/** What the tabs of one browser share, and all that they post. */
class Browser {
  readonly posted: Answer[] = [];
  readonly #kept = new Map<string, string>();

  tab(context: Context): Asking {
    const outbox = {
      post: (_id: string, _url: string, body: string) => void this.posted.push(JSON.parse(body)),
    } as unknown as Outbox;
    return new Asking(SURVEY, context, { api: "", key: "pk_1" }, this.#memory(), outbox);
  }

  #memory(): Memory {
    const kept = this.#kept;
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
