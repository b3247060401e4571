import assert from "node:assert/strict";
import { test } from "node:test";

import { COMMENT_LIMIT, newAnswer, subjectOf, withComment } from "../src/ask/answer.ts";
import { newId, serverTime } from "../src/ask/identity.ts";

const AT = new Date("2026-11-21T12:00:00Z");

test("an answer has its id and time from the start, and what the link knows", () => {
  const context = { channel: "chat", agent: "a-1", interaction: "t-9", customer: "c-2" };
  assert.deepEqual(newAnswer("support", 4, context, "id-1", AT), {
    survey_id: "support",
    score: 4,
    response_id: "id-1",
    answered_at: "2026-11-21T12:00:00.000Z",
    channel: "chat",
    agent_id: "a-1",
    interaction_id: "t-9",
    customer_id: "c-2",
  });
});

test("a signature goes along, and is no part of what the answer is about", () => {
  const context = { agent: "a-1", signature: "1a.AAAAAAAAAAAAAAAAAAAAAA" };
  assert.equal(newAnswer("s", 1, context, "id", AT).signature, context.signature);
  assert.deepEqual(subjectOf(context), { agent_id: "a-1" });
});

test("what the API would refuse is left out, so that the score still counts", () => {
  for (const context of [
    { channel: "x".repeat(41) },
    { channel: "(other)" },
    { agent: "(none)" },
    { agent: " (rest)" },
    { agent: "x".repeat(129) },
    { interaction: "{{ticket.id}}" },
    { interaction: "{!Case.Id}" },
    { interaction: "#{ticket.id}" },
    { interaction: "%{ticket.id}" },
    { interaction: "${ticket.id}" },
    { interaction: "{$ticketId}" },
    { interaction: "*|TICKET|*" },
    { interaction: "<OTRS_TICKET_TicketID>" },
    { agent: "{% agent %}" },
    { customer: "" },
    { tags: { page: "x".repeat(129), ["n".repeat(65)]: "1", "": "1" } },
    { agent: 5 as unknown as string, customer: {} as unknown as string },
  ]) {
    const { survey_id, score, response_id, answered_at, ...rest } = newAnswer(
      "s", 1, context, "id", AT,
    );
    assert.deepEqual([survey_id, score, response_id, answered_at.length], ["s", 1, "id", 24]);
    assert.deepEqual(rest, context.agent === (5 as unknown) ? { agent_id: "5" } : {});
  }
});

test("a channel may be any word of the sender's own", () => {
  for (const channel of ["WhatsApp", "chat", "電話", "x".repeat(40)]) {
    assert.equal(newAnswer("s", 1, { channel }, "id", AT).channel, channel);
  }
});

test("names of 128 characters are whole, however many units they take", () => {
  const name = "😀".repeat(128);
  assert.equal(newAnswer("s", 1, { agent: name }, "id", AT).agent_id, name);
});

test("at most 20 tags go along", () => {
  const tags = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`t${index}`, "1"]));
  assert.equal(Object.keys(newAnswer("s", 1, { tags }, "id", AT).tags ?? {}).length, 20);
});

test("a comment completes the very same answer, and a blank one takes it away", () => {
  const answer = newAnswer("s", 1, {}, "id", AT);
  const commented = withComment(answer, "  Quick! \n");
  assert.deepEqual(commented, { ...answer, comment: "Quick!" });
  assert.deepEqual(withComment(commented, "  "), answer);
});

test("a comment has no half of a surrogate pair, cut or typed", () => {
  const answer = newAnswer("s", 1, {}, "id", AT);
  assert.equal(withComment(answer, "a\ud800b").comment, "a\ufffdb");
  const cut = withComment(answer, "x".repeat(COMMENT_LIMIT - 1) + "😀").comment ?? "";
  assert.equal(cut.length, COMMENT_LIMIT);
  assert.ok(!/\p{Surrogate}/u.test(cut));
});

test("ids are random UUIDs of version 4 where crypto.randomUUID is missing", () => {
  const ones = { getRandomValues: <T,>(array: T) => (array as Uint8Array).fill(255) as T };
  const id = newId(ones as Pick<Crypto, "getRandomValues">);
  assert.equal(id, "ffffffff-ffff-4fff-bfff-ffffffffffff");
  assert.equal(new Set(Array.from({ length: 100 }, () => newId())).size, 100);
});

/** A browser's two clocks, set by the test. */
function clocks(wall: number, running = 0) {
  const set = { wall, running };
  return { set, wall: () => set.wall, running: () => set.running };
}

const FRESH_S = 300;
const MINUTE = 60_000;

test("a clock that may be right is believed, of any other the server's time is taken", () => {
  const now = AT.getTime();
  const told = (minutes: number) => {
    const served = new Date(now - minutes * MINUTE).toISOString();
    return serverTime(served, FRESH_S, clocks(now))();
  };
  assert.equal(told(0), now);
  assert.equal(told(5), now, "as old as a cache may keep the reply");
  assert.equal(told(7), now - 7 * MINUTE, "seven minutes ahead");
  assert.equal(told(-1), now + MINUTE, "a minute behind");
  assert.equal(told(-60 * 24 * 400), now + 400 * 24 * 60 * MINUTE);
  assert.equal(serverTime("", FRESH_S, clocks(now))(), now, "a reply that says no time");
});

test("time goes on by what has passed, whatever happens to the browser's clock", () => {
  const now = AT.getTime();
  for (const ahead of [0, 7 * MINUTE]) {
    const browser = clocks(now + ahead);
    const time = serverTime(AT.toISOString(), FRESH_S, browser);
    browser.set.wall += 2 * MINUTE;
    browser.set.running += 2 * MINUTE;
    assert.equal(time(), now + 2 * MINUTE);
    browser.set.wall -= 30 * MINUTE; // it is set back
    browser.set.running += MINUTE;
    assert.equal(time(), now + 3 * MINUTE);
    browser.set.wall += (30 + 9 * 60) * MINUTE; // the machine slept: the running clock stood still
    assert.equal(time(), now + (2 + 9 * 60) * MINUTE);
  }
});
