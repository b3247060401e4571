import assert from "node:assert/strict";
import { test } from "node:test";

import { newAnswer } from "../src/ask/answer.ts";
import { type Memory, openMemory } from "../src/ask/memory.ts";
import { backoff, Outbox, type State } from "../src/ask/outbox.ts";

const URL = "https://pulse.example/v1/responses?key=pk_1";
const KEPT = 35 * 24 * 3600 * 1000;

/** A Storage that lives in a test. */
class Shelf {
  readonly kept = new Map<string, string>();
  get length(): number {
    return this.kept.size;
  }
  key(index: number): string | null {
    return [...this.kept.keys()][index] ?? null;
  }
  getItem(name: string): string | null {
    return this.kept.get(name) ?? null;
  }
  setItem(name: string, value: string): void {
    this.kept.set(name, value);
  }
  removeItem(name: string): void {
    this.kept.delete(name);
  }
}

type Answering = (body: string) => Response | Promise<Response>;

/** A browser whose time and network are the test's. */
class Browser {
  readonly shelf = new Shelf();
  memory: Memory = openMemory(() => this.shelf);
  readonly sent: { url: string; body: string; keepalive: boolean | undefined }[] = [];
  readonly beacons: string[] = [];
  readonly states: string[] = [];
  readonly #timers: { run: () => void; ms: number }[] = [];
  readonly withBeacon: boolean;
  answer: Answering = () => new Response("{}", { status: 202 });
  time = Date.parse("2026-11-21T12:00:00Z");
  /** Of a page that has been open for a minute. */
  running = 60_000;

  constructor({ withBeacon = false } = {}) {
    this.withBeacon = withBeacon;
  }

  outbox(): Outbox {
    return new Outbox({
      memory: this.memory,
      fetch: async (url, init) => {
        this.sent.push({ url, body: String(init.body), keepalive: init.keepalive });
        return this.answer(String(init.body));
      },
      beacon: this.withBeacon ? (_, body) => this.beacons.push(body) > 0 : undefined,
      later: (run, ms) => this.#timers.push({ run, ms }),
      clocks: { wall: () => this.time, running: () => this.running },
    });
  }

  readonly watch = (state: State, code?: string): void => {
    this.states.push(code ? `${state} ${code}` : state);
  };

  /** The waits that are set, but for the limits of the requests themselves. */
  get waits(): number[] {
    return this.#timers.map((timer) => timer.ms).filter((ms) => ms !== 20_000);
  }

  /** Lets the pending wait be over. */
  async wake(): Promise<void> {
    const due = this.#timers.splice(0).filter((timer) => timer.ms !== 20_000);
    for (const timer of due) timer.run();
    await settled();
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
const offline: Answering = () => Promise.reject(new TypeError("Failed to fetch"));
const status = (code: number, body = "{}", headers = {}): Answering =>
  () => new Response(body, { status: code, headers });

test("a stored answer is forgotten here", async () => {
  const browser = new Browser();
  browser.outbox().post("id", URL, "a", KEPT, browser.watch);
  await settled();
  assert.deepEqual(browser.sent, [{ url: URL, body: "a", keepalive: true }]);
  assert.deepEqual(browser.states, ["sending", "sent"]);
  assert.equal(browser.shelf.length, 0);
});

test("without a connection it is kept, retried and at last stored", async () => {
  const browser = new Browser();
  browser.answer = offline;
  browser.outbox().post("id", URL, "a", KEPT, browser.watch);
  await settled();
  assert.deepEqual(browser.states, ["sending", "waiting"]);
  assert.equal(browser.shelf.length, 1);
  await browser.wake();
  browser.answer = status(202);
  await browser.wake();
  assert.equal(browser.sent.length, 3);
  assert.equal(browser.states.at(-1), "sent");
  assert.equal(browser.shelf.length, 0);
});

test("the next visit sends what the last one could not", async () => {
  const browser = new Browser();
  browser.answer = offline;
  browser.outbox().post("id", URL, "a", KEPT, browser.watch);
  await settled();
  browser.answer = status(202);
  browser.outbox().resume();
  await settled();
  assert.deepEqual(browser.sent.map((one) => one.body), ["a", "a"]);
  assert.equal(browser.shelf.length, 0);
});

for (const code of [200, 302, 404, 408, 429, 500, 503]) {
  test(`a ${code} is no 202: it is tried again`, async () => {
    const browser = new Browser();
    browser.answer = status(code);
    browser.outbox().post("id", URL, "a", KEPT, browser.watch);
    await settled();
    assert.equal(browser.states.at(-1), "waiting");
    assert.equal(browser.shelf.length, 1);
  });
}

for (const code of [400, 401, 403, 413, 415, 422]) {
  test(`a ${code} heals by no repetition: it is dropped, and said`, async () => {
    const browser = new Browser();
    browser.answer = status(code, '{"code": "survey_unknown"}');
    browser.outbox().post("id", URL, "a", KEPT, browser.watch);
    await settled();
    assert.equal(browser.states.at(-1), "refused survey_unknown");
    assert.equal(browser.shelf.length, 0);
    assert.deepEqual(browser.waits, []);
  });
}

for (const code of [429, 503]) {
  test(`Retry-After of a ${code} is honoured`, async () => {
    const browser = new Browser();
    browser.answer = status(code, "{}", { "Retry-After": "45" });
    browser.outbox().post("id", URL, "a", KEPT, browser.watch);
    await settled();
    assert.deepEqual(browser.waits, [45_000]);
  });
}

test("what may have been stored is sent again with the very id and time that it had", async () => {
  const browser = new Browser();
  const answer = newAnswer("support", 5, {}, "id", new Date("2026-11-21T12:00:00Z"));
  browser.answer = status(503);
  browser.outbox().post("id", URL, JSON.stringify(answer), KEPT, browser.watch);
  await settled();
  browser.answer = offline; // stored, perhaps, and the answer lost
  browser.time += 60_000;
  await browser.wake();
  browser.answer = status(202);
  await browser.wake();
  const sent = browser.sent.map((one) => JSON.parse(one.body) as typeof answer);
  assert.deepEqual(sent, [answer, answer, answer]);
  assert.equal(sent[2]?.response_id, "id");
  assert.equal(sent[2]?.answered_at, "2026-11-21T12:00:00.000Z");
});

test("waits double up to a minute and never fall together", () => {
  assert.deepEqual(
    [1, 2, 3, 7, 50].map((n) => backoff(n, () => 1)),
    [1000, 2000, 4000, 60_000, 60_000],
  );
  assert.equal(backoff(3, () => 0), 2000);
});

test("a comment that comes while the score is on its way goes after it, and wins", async () => {
  const browser = new Browser();
  let answer: (reply: Response) => void = () => {};
  browser.answer = () => new Promise((resolve) => (answer = resolve));
  const outbox = browser.outbox();
  outbox.post("id", URL, "score", KEPT, browser.watch);
  outbox.post("id", URL, "score and comment", KEPT, browser.watch);
  await settled();
  assert.deepEqual(browser.sent.map((one) => one.body), ["score"]);
  browser.answer = status(202);
  answer(new Response("{}", { status: 202 }));
  await settled();
  assert.deepEqual(browser.sent.map((one) => one.body), ["score", "score and comment"]);
  assert.deepEqual(browser.states, ["sending", "sending", "sent"]);
  assert.equal(browser.shelf.length, 0);
});

test("a closing page lets the comment go at once, beside the score", async () => {
  const browser = new Browser();
  browser.answer = () => new Promise(() => {});
  const outbox = browser.outbox();
  outbox.post("id", URL, "score", KEPT, browser.watch);
  outbox.flush();
  assert.deepEqual(browser.sent.map((one) => one.body), ["score"], "it is on its way already");
  outbox.post("id", URL, "score and comment", KEPT, browser.watch);
  outbox.flush();
  assert.deepEqual(browser.sent.map((one) => one.body), ["score", "score and comment"]);
  assert.deepEqual(browser.beacons, []);
  assert.equal(browser.shelf.length, 1, "until the next visit knows that it was stored");
});

test("where fetch has no keepalive a closing page sends beacons", async () => {
  const browser = new Browser({ withBeacon: true });
  browser.answer = () => new Promise(() => {});
  const outbox = browser.outbox();
  outbox.post("id", URL, "a", KEPT, browser.watch);
  assert.deepEqual(browser.beacons, []);
  outbox.flush();
  assert.deepEqual(browser.beacons, ["a"]);
});

test("what the API takes no longer is thrown away", async () => {
  const browser = new Browser();
  browser.answer = offline;
  browser.outbox().post("id", URL, "a", KEPT, browser.watch);
  await settled();
  browser.time += 36 * 24 * 3600 * 1000;
  browser.outbox().resume();
  await settled();
  assert.equal(browser.sent.length, 1);
  assert.equal(browser.shelf.length, 0);
});

test("it works where storage is refused, for as long as the page is there", async () => {
  const browser = new Browser();
  browser.memory = openMemory(() => {
    throw new Error("SecurityError");
  });
  assert.equal(browser.memory.lasting, false);
  browser.answer = offline;
  browser.outbox().post("id", URL, "a", KEPT, browser.watch);
  await settled();
  browser.answer = status(202);
  await browser.wake();
  assert.equal(browser.states.at(-1), "sent");
  assert.deepEqual(browser.memory.names("pulse."), []);
});

test("a full storage loses nothing either", () => {
  const shelf = new Shelf();
  const memory = openMemory(() => shelf);
  shelf.setItem("other", "1");
  shelf.setItem = () => {
    throw new Error("QuotaExceededError");
  };
  memory.write("pulse.a", "1");
  assert.equal(memory.read("pulse.a"), "1");
  assert.deepEqual(memory.names("pulse."), ["pulse.a"]);
  memory.forget("pulse.a");
  assert.equal(memory.read("pulse.a"), null);
});

/** The API where it takes no answer of the future, at its own time. */
function judging(now: string): Answering {
  return (body) => {
    const answer = JSON.parse(body) as { answered_at?: string; age_ms?: number };
    if (answer.answered_at && Date.parse(answer.answered_at) > Date.parse(now)) {
      return new Response('{"code": "answered_at_in_future"}', { status: 422 });
    }
    const stored = new Date(Date.parse(now) - (answer.age_ms ?? 0)).toISOString();
    return new Response(JSON.stringify({ answered_at: [stored] }), { status: 202 });
  };
}

test("what is refused for its time goes again with its age, and is stored", async () => {
  const browser = new Browser();
  const times: (string | undefined)[] = [];
  const watch = (state: State, code?: string, time?: string) => {
    browser.watch(state, code);
    times.push(time);
  };
  const answer = newAnswer("support", 5, {}, "id", new Date("2026-11-21T12:07:00Z"));
  browser.answer = offline;
  const outbox = browser.outbox();
  outbox.post("id", URL, JSON.stringify(answer), KEPT, watch);
  await settled();
  browser.answer = judging("2026-11-21T12:00:10Z");
  browser.running += 10_000;
  browser.time -= 7 * 60_000; // put right meanwhile: the age does not go by it
  await browser.wake();
  const { answered_at: _, ...rest } = answer;
  assert.deepEqual(browser.sent.map((one) => JSON.parse(one.body)), [
    answer,
    answer,
    { ...rest, age_ms: 10_000 },
  ]);
  assert.deepEqual(browser.states.slice(-2), ["sending", "sent"]);
  assert.equal(times.at(-1), "2026-11-21T12:00:00.000Z");
  assert.equal(browser.shelf.length, 0);
});

test("an age that is refused as well is refused for good", async () => {
  const browser = new Browser();
  const answer = newAnswer("support", 5, {}, "id", new Date("2026-11-21T12:07:00Z"));
  browser.answer = status(422, '{"code": "answered_at_too_old"}');
  browser.outbox().post("id", URL, JSON.stringify(answer), KEPT, browser.watch);
  await settled();
  assert.equal(browser.sent.length, 2);
  assert.equal(browser.states.at(-1), "refused answered_at_too_old");
  assert.equal(browser.shelf.length, 0);
});

test("an earlier visit's answer with a wrong time goes by how long it has lain here", async () => {
  const browser = new Browser();
  const answer = newAnswer("support", 5, {}, "id", new Date("2026-11-22T12:00:00Z"));
  browser.answer = offline;
  browser.outbox().post("id", URL, JSON.stringify(answer), KEPT, browser.watch);
  await settled();
  browser.time += 3_600_000;
  browser.running = 500; // another page
  browser.answer = judging("2026-11-21T13:00:00Z");
  browser.outbox().resume();
  await settled();
  assert.equal(JSON.parse(browser.sent.at(-1)?.body ?? "").age_ms, 3_600_000);
  assert.equal(browser.shelf.length, 0);
});
