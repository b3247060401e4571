// The outbox: it keeps each answer in the browser's memory until the API has stored it.
//
// An answer is one parcel under its response_id; a newer version replaces one that is not stored yet.
// Several tabs may send the same parcel; it counts once.
//
// If the API refuses an answer for its time, the browser's clock was wrong. Then the answer is sent
// again with its age instead, and the server computes the time.

import type { Accepted } from "../interface.ts";
import { CLOCKS, type Clocks } from "./identity.ts";
import { type Memory, readJson } from "./memory.ts";

export type State = "sending" | "sent" | "waiting" | "refused";
/** `answeredAt` is the time under which the API has stored an answer that was sent with its age. */
export type Watch = (state: State, code?: string, answeredAt?: string) => void;

interface Parcel {
  url: string;
  body: string;
  since: number;
  /** For how many milliseconds the API accepts it. Parcels of older pages do not say this. */
  kept?: number;
  /** Whether it is sent with its age instead of its time. */
  aged?: boolean;
}

interface Outcome {
  state: "sent" | "waiting" | "refused";
  code?: string;
  answeredAt?: string;
  /** How many seconds the API asks to wait. */
  wait?: number;
}

/** What the outbox needs of a browser. */
export interface Browser {
  memory: Memory;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Sends while a page closes, in browsers whose fetch has no keepalive. */
  beacon?: ((url: string, body: string) => boolean) | undefined;
  later: (run: () => void, ms: number) => void;
  clocks: Clocks;
}

const PREFIX = "pulse.outbox.";
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
const LONGEST_S = 20;
/** The statuses after which another try would not help. */
const HOPELESS = [400, 401, 403, 413, 415, 422];
/** The API's codes for a time that a correct clock cannot have shown. */
const WRONG_TIME = ["answered_at_in_future", "answered_at_too_old", "answered_at_invalid"];

export class Outbox {
  readonly #browser: Browser;
  readonly #onTheWay = new Map<string, string>();
  readonly #failures = new Map<string, number>();
  readonly #watches = new Map<string, Watch>();
  /** When each answer of this page was first given, by the clock that never goes back. */
  readonly #given = new Map<string, number>();

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Sends the body until it is stored, for at most `kept` milliseconds; `watch` gets each state. */
  post(id: string, url: string, body: string, kept: number, watch: Watch): void {
    this.#watches.set(id, watch);
    const { wall, running } = this.#browser.clocks;
    if (!this.#given.has(id)) this.#given.set(id, running());
    const parcel: Parcel = { url, body, since: wall(), kept };
    this.#browser.memory.write(PREFIX + id, JSON.stringify(parcel));
    void this.#send(id);
  }

  /** Tries at once to send all parcels, including those of earlier visits. */
  resume(): void {
    for (const name of this.#browser.memory.names(PREFIX)) void this.#send(name.slice(PREFIX.length));
  }

  /** Sends the newest versions of all answers now, because the page may be closing. */
  flush(): void {
    for (const id of this.#watches.keys()) {
      const parcel = this.#parcel(id);
      if (!parcel) continue;
      if (this.#browser.beacon) this.#browser.beacon(parcel.url, this.#written(id, parcel));
      else if (this.#onTheWay.get(id) !== parcel.body) void this.#deliver(id, parcel);
    }
  }

  #parcel(id: string): Parcel | undefined {
    const parcel = readJson<Parcel>(this.#browser.memory, PREFIX + id);
    const age = parcel ? this.#browser.clocks.wall() - parcel.since : 0;
    if (parcel && age <= (parcel.kept ?? Infinity)) return parcel;
    this.#browser.memory.forget(PREFIX + id);
    return undefined;
  }

  async #send(id: string): Promise<void> {
    const parcel = this.#parcel(id);
    if (!parcel || this.#onTheWay.has(id)) return;
    this.#onTheWay.set(id, parcel.body);
    this.#watches.get(id)?.("sending");
    const outcome = await this.#deliver(id, parcel);
    this.#onTheWay.delete(id);
    if (outcome.state === "waiting") {
      this.#retry(id, outcome.wait ?? 0);
    } else if (this.#parcel(id)?.body !== parcel.body) {
      void this.#send(id); // a newer version came meanwhile
      return;
    } else if (WRONG_TIME.includes(outcome.code ?? "") && !parcel.aged) {
      this.#browser.memory.write(PREFIX + id, JSON.stringify({ ...parcel, aged: true }));
      void this.#send(id);
      return;
    } else {
      this.#browser.memory.forget(PREFIX + id);
      this.#failures.delete(id);
    }
    this.#watches.get(id)?.(outcome.state, outcome.code, outcome.answeredAt);
  }

  /** The body that is sent for a parcel; if its time was refused, with the answer's age. */
  #written(id: string, { body, since, aged }: Parcel): string {
    if (!aged) return body;
    const { answered_at: _, ...answer } = JSON.parse(body) as Record<string, unknown>;
    const { wall, running } = this.#browser.clocks;
    const given = this.#given.get(id);
    // an earlier visit's running clock is gone; the browser's clock may have been corrected since
    const age = given === undefined ? wall() - since : running() - given;
    return JSON.stringify({ ...answer, age_ms: Math.max(0, Math.round(age)) });
  }

  async #deliver(id: string, parcel: Parcel): Promise<Outcome> {
    const stop = new AbortController();
    this.#browser.later(() => stop.abort(), LONGEST_S * 1000);
    try {
      const reply = await this.#browser.fetch(parcel.url, {
        method: "POST",
        body: this.#written(id, parcel),
        headers: { "Content-Type": "text/plain;charset=UTF-8" }, // no preflight
        credentials: "omit",
        keepalive: true,
        signal: stop.signal,
      });
      if (reply.status === 202) return { state: "sent", ...(parcel.aged && (await timeOf(reply))) };
      if (HOPELESS.includes(reply.status)) return { state: "refused", code: await codeOf(reply) };
      return { state: "waiting", wait: Number(reply.headers.get("Retry-After")) || 0 };
    } catch {
      return { state: "waiting" };
    }
  }

  #retry(id: string, seconds: number): void {
    const failures = (this.#failures.get(id) ?? 0) + 1;
    this.#failures.set(id, failures);
    this.#browser.later(() => void this.#send(id), Math.max(seconds * 1000, backoff(failures)));
  }

}

/** How long to wait after so many failures: twice as long each time, with a random part. */
export function backoff(failures: number, random: () => number = Math.random): number {
  const longest = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS);
  return longest * (0.5 + random() / 2);
}

async function timeOf(reply: Response): Promise<Pick<Outcome, "answeredAt">> {
  try {
    const told = (await reply.json()) as Partial<Accepted>;
    const time = told.answered_at?.[0];
    return typeof time === "string" ? { answeredAt: time } : {};
  } catch {
    return {};
  }
}

async function codeOf(reply: Response): Promise<string> {
  try {
    const problem = (await reply.json()) as { code?: unknown };
    return String(problem.code ?? reply.status);
  } catch {
    return String(reply.status);
  }
}

/** Opens a page's outbox, which sends when there is a connection and when the page closes. */
export function openOutbox(memory: Memory, page: Window = window): Outbox {
  const keepsAlive = "keepalive" in Request.prototype;
  const outbox = new Outbox({
    memory,
    fetch: (url, init) => fetch(url, init),
    beacon: keepsAlive ? undefined : (url, body) => navigator.sendBeacon(url, body),
    later: (run, ms) => setTimeout(run, ms),
    clocks: CLOCKS,
  });
  page.addEventListener("online", () => outbox.resume());
  page.addEventListener("pagehide", () => outbox.flush());
  page.document.addEventListener("visibilitychange", () => {
    if (page.document.visibilityState === "hidden") outbox.flush();
  });
  outbox.resume();
  return outbox;
}
