// Answers on their way: each is kept in the browser's memory until the API says that it is stored.
//
// One parcel an answer, under its response_id: a newer version takes the place of the one that
// has not been stored yet. Several tabs may send the same parcel; it counts once.
//
// An answer that the API refuses for its time was given by a wrong clock: it goes again with its
// age in the place of its time, and the server's clock tells the rest.

import type { Accepted } from "../interface.ts";
import { CLOCKS, type Clocks } from "./identity.ts";
import { type Memory, readJson } from "./memory.ts";

export type State = "sending" | "sent" | "waiting" | "refused";
/** `answeredAt`: the time under which the API has stored an answer that came with its age. */
export type Watch = (state: State, code?: string, answeredAt?: string) => void;

interface Parcel {
  url: string;
  body: string;
  since: number;
  /** Milliseconds for which the API takes it. Parcels of earlier pages lack it: the API tells. */
  kept?: number;
  /** Whether it goes with its age instead of its time. */
  aged?: boolean;
}

interface Outcome {
  state: "sent" | "waiting" | "refused";
  code?: string;
  answeredAt?: string;
  /** Seconds that the API asks to wait. */
  wait?: number;
}

/** What the outbox needs of a browser. */
export interface World {
  memory: Memory;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Where fetch has no keepalive: what sends while a page closes. */
  beacon?: ((url: string, body: string) => boolean) | undefined;
  later: (run: () => void, ms: number) => void;
  clocks: Clocks;
}

const PREFIX = "pulse.outbox.";
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
const LONGEST_S = 20;
/** What no repetition mends. */
const HOPELESS = [400, 401, 403, 413, 415, 422];
/** What the API says of a time that no right clock can have told. */
const WRONG_TIME = ["answered_at_in_future", "answered_at_too_old", "answered_at_invalid"];

export class Outbox {
  readonly #world: World;
  readonly #onTheWay = new Map<string, string>();
  readonly #failures = new Map<string, number>();
  readonly #watches = new Map<string, Watch>();
  /** When each answer of this page was first given, by the clock that only runs forward. */
  readonly #given = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Sends the body until it is stored, for `kept` milliseconds; `watch` is told how that goes. */
  post(id: string, url: string, body: string, kept: number, watch: Watch): void {
    this.#watches.set(id, watch);
    const { wall, running } = this.#world.clocks;
    if (!this.#given.has(id)) this.#given.set(id, running());
    const parcel: Parcel = { url, body, since: wall(), kept };
    this.#world.memory.write(PREFIX + id, JSON.stringify(parcel));
    void this.#send(id);
  }

  /** Tries at once whatever is still here, other visits' parcels included. */
  resume(): void {
    for (const name of this.#world.memory.names(PREFIX)) void this.#send(name.slice(PREFIX.length));
  }

  /** The page may be closing: its newest versions leave now, whatever is on the way already. */
  flush(): void {
    for (const id of this.#watches.keys()) {
      const parcel = this.#parcel(id);
      if (!parcel) continue;
      if (this.#world.beacon) this.#world.beacon(parcel.url, this.#written(id, parcel));
      else if (this.#onTheWay.get(id) !== parcel.body) void this.#deliver(id, parcel);
    }
  }

  #parcel(id: string): Parcel | undefined {
    const parcel = readJson<Parcel>(this.#world.memory, PREFIX + id);
    const age = parcel ? this.#world.clocks.wall() - parcel.since : 0;
    if (parcel && age <= (parcel.kept ?? Infinity)) return parcel;
    this.#world.memory.forget(PREFIX + id);
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
      this.#world.memory.write(PREFIX + id, JSON.stringify({ ...parcel, aged: true }));
      void this.#send(id);
      return;
    } else {
      this.#world.memory.forget(PREFIX + id);
      this.#failures.delete(id);
    }
    this.#watches.get(id)?.(outcome.state, outcome.code, outcome.answeredAt);
  }

  /** The body of a parcel as it goes: with the answer's age where its time was refused. */
  #written(id: string, { body, since, aged }: Parcel): string {
    if (!aged) return body;
    const { answered_at: _, ...answer } = JSON.parse(body) as Record<string, unknown>;
    const { wall, running } = this.#world.clocks;
    const given = this.#given.get(id);
    // An earlier visit's running clock is gone; its wall clock may have been put right since.
    const age = given === undefined ? wall() - since : running() - given;
    return JSON.stringify({ ...answer, age_ms: Math.max(0, Math.round(age)) });
  }

  async #deliver(id: string, parcel: Parcel): Promise<Outcome> {
    const stop = new AbortController();
    this.#world.later(() => stop.abort(), LONGEST_S * 1000);
    try {
      const reply = await this.#world.fetch(parcel.url, {
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
    this.#world.later(() => void this.#send(id), Math.max(seconds * 1000, backoff(failures)));
  }

}

/** How long to wait after so many failures: twice as long each time, never all at once. */
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

/** A page's outbox: it goes on when there is a connection, and hurries when the page closes. */
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
