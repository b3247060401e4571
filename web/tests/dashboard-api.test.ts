import assert from "node:assert/strict";
import { afterEach, beforeEach, it, mock } from "node:test";

import { ApiError, forgetReplies, get } from "../src/dashboard/api.ts";

type Answering = (path: string) => Response | Promise<Response>;

let asked: string[] = [];

function answer(answering: Answering): void {
  asked = [];
  mock.method(globalThis, "fetch", async (path: string) => {
    asked.push(path);
    return answering(path);
  });
}

/** A test that fails where it would wait for ever: for a turn, or for a clock that stands. */
function test(name: string, run: () => Promise<void>): void {
  it(name, { timeout: 1000 }, run);
}

/** Everything that can happen now has happened. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function pass(seconds: number): Promise<void> {
  await settle();
  mock.timers.tick(seconds * 1000);
  await settle();
}

function refusal(status: number, headers: Record<string, string> = {}): Response {
  return Response.json({ code: "busy", detail: "Too many requests." }, { status, headers });
}

/** The first answers in turn, then a good one. */
function first(...refusals: Response[]): void {
  answer(() => refusals.shift() ?? Response.json({ rows: [] }));
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(Math, "random", () => 0.5); // a pause is 1.25 times as long
});

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
  forgetReplies();
});

test("a throttled request is sent again after one second, then after two", async () => {
  first(refusal(429), refusal(429));
  const reply = get("/reports/nps");
  await pass(1.2);
  assert.equal(asked.length, 1);
  await pass(0.1);
  assert.equal(asked.length, 2);
  await pass(2.4);
  assert.equal(asked.length, 2);
  await pass(0.2);
  assert.deepEqual(await reply, { rows: [] });
  assert.deepEqual(asked, Array(3).fill("/v1/reports/nps"));
});

test("it waits as long as it is asked to", async () => {
  first(refusal(503, { "Retry-After": "4" }));
  const reply = get("/reports/nps");
  await pass(4.9);
  assert.equal(asked.length, 1);
  await pass(0.2);
  assert.deepEqual(await reply, { rows: [] });
});

test("after two more tries the refusal is told", async () => {
  first(refusal(429), refusal(429), refusal(429));
  const problem = new ApiError(429, "busy", "Too many requests.", null);
  const told = assert.rejects(get("/reports/nps"), problem);
  await pass(2);
  await pass(3);
  await told;
  assert.equal(asked.length, 3);
});

for (const [status, headers, why] of [
  [503, {}, "nobody says that it is for a moment"],
  [503, { "Retry-After": "60" }, "nobody waits so long before a page"],
  [500, { "Retry-After": "1" }, "it is a fault"],
  [400, {}, "it stays wrong"],
] as const) {
  test(`${status} ${JSON.stringify(headers)} is told at once: ${why}`, async () => {
    first(refusal(status, headers));
    await assert.rejects(get("/reports/nps"), (problem: ApiError) => problem.status === status);
    assert.equal(asked.length, 1);
  });
}

test("eight requests are under way at most, and each gets its turn", async () => {
  const held: (() => void)[] = [];
  answer((path) => new Promise((resolve) => held.push(() => resolve(Response.json(path)))));
  const replies = Array.from({ length: 20 }, (_, n) => get(`/reports/r${n}`));
  for (const underWay of [8, 8, 4]) {
    await settle();
    assert.equal(held.length, underWay);
    for (const release of held.splice(0)) release();
  }
  assert.deepEqual(await Promise.all(replies), replies.map((_, n) => `/v1/reports/r${n}`));
});

test("a request that is lost, or sent again, keeps nobody out for good", async () => {
  answer((path) => (path.includes("lost") ? Promise.reject(new TypeError("lost")) : refusal(429)));
  const fates = Promise.allSettled([
    ...Array.from({ length: 8 }, (_, n) => get(`/lost${n}`)),
    ...Array.from({ length: 9 }, (_, n) => get(`/busy${n}`)),
  ]);
  for (let n = 0; n < 4; n++) await pass(3);
  const problems = (await fates).map((fate) => (fate as PromiseRejectedResult).reason.status);
  assert.deepEqual(problems, [...Array(8).fill(0), ...Array(9).fill(429)]);
  assert.equal(asked.length, 8 + 9 * 3);
});
