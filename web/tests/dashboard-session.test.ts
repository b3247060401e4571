// Which key opens the dashboard where a link brings one and another is in use.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

class Kept {
  readonly #items = new Map<string, string>();
  getItem(name: string): string | null {
    return this.#items.get(name) ?? null;
  }
  setItem(name: string, value: string): void {
    this.#items.set(name, value);
  }
  removeItem(name: string): void {
    this.#items.delete(name);
  }
}

const OWN = `rk_${"a".repeat(32)}`;
const OTHER = `rk_${"b".repeat(32)}`;

const browser = {
  location: { hash: "", pathname: "/geo", search: "?preset=today" },
  history: {
    state: null,
    replaceState(_state: unknown, _title: string, address: string): void {
      browser.address = address;
      browser.location.hash = "";
    },
  },
  address: "",
  follow: (): void => undefined,
  sessionStorage: new Kept(),
  localStorage: new Kept(),
};
Object.assign(globalThis, {
  location: browser.location,
  history: browser.history,
  addEventListener: (_name: string, listener: () => void) => (browser.follow = listener),
});
const session = await import("../src/dashboard/session.ts");

beforeEach(() => {
  browser.sessionStorage = new Kept();
  browser.localStorage = new Kept();
  for (const name of ["sessionStorage", "localStorage"] as const) {
    Object.defineProperty(globalThis, name, { value: browser[name], configurable: true });
  }
  browser.address = "";
  session.key.value = session.brought.value = session.refusal.value = null;
});

function openLink(key: string): void {
  browser.location.hash = `#key=${key}`;
  session.open();
}

function state(): unknown[] {
  return [session.key.value, session.brought.value, browser.sessionStorage.getItem("pulse.key")];
}

test("where no key is in use, the link's is", () => {
  openLink(OWN);
  assert.deepEqual(state(), [OWN, null, OWN]);
  assert.equal(browser.address, "/geo?preset=today");
});

test("the same key again is no question", () => {
  browser.sessionStorage.setItem("pulse.key", OWN);
  openLink(OWN);
  assert.deepEqual(state(), [OWN, null, OWN]);
  assert.equal(browser.address, "/geo?preset=today");
});

for (const kind of ["sessionStorage", "localStorage"] as const) {
  test(`another key than that of ${kind} is asked about, and out of the address at once`, () => {
    browser[kind].setItem("pulse.key", OWN);
    openLink(OTHER);
    assert.equal(session.key.value, OWN);
    assert.equal(session.brought.value, OTHER);
    assert.equal(browser[kind].getItem("pulse.key"), OWN);
    assert.equal(browser.address, "/geo?preset=today");
    session.answer(false);
    assert.equal(session.key.value, OWN);
    assert.equal(session.brought.value, null);
    assert.equal(browser[kind].getItem("pulse.key"), OWN);
  });
}

test("the link's key replaces the other one if that is the answer", () => {
  browser.localStorage.setItem("pulse.key", OWN);
  openLink(OTHER);
  session.answer(true);
  assert.deepEqual(state(), [OTHER, null, OTHER]);
  assert.equal(browser.localStorage.getItem("pulse.key"), null);
});

test("a link that is opened where the page is already asks as well", () => {
  openLink(OWN);
  browser.location.hash = `#key=${OTHER}`;
  browser.follow();
  assert.deepEqual(state(), [OWN, OTHER, OWN]);
});

test("a key that is refused does not end the use of the other one", () => {
  browser.sessionStorage.setItem("pulse.key", OWN);
  openLink(`sk_${"c".repeat(32)}`);
  assert.equal(session.key.value, OWN);
  session.answer(true); // there is no button for it
  assert.deepEqual(state(), [OWN, null, OWN]);
});

test("without a key in use, why one is refused is said", () => {
  openLink(`sk_${"c".repeat(32)}`);
  assert.deepEqual(state(), [null, null, null]);
  assert.match(session.refusal.value ?? "", /secret key/);
});
