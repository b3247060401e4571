// Answers on their way: each is kept in the browser's memory until the API says that it is stored.
//
// One parcel an answer, under its response_id: a newer version takes the place of the one that
// has not been stored yet. Several tabs may send the same parcel; it counts once.

import { type Memory, readJson } from "./memory.ts";

export type State = "sending" | "sent" | "waiting" | "refused";
export type Watch = (state: State, code?: string) => void;

interface Parcel {
  url: string;
  body: string;
  since: number;
}

interface Outcome {
  state: "sent" | "waiting" | "refused";
  code?: string;
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
  now: () => number;
}

const PREFIX = "pulse.outbox.";
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
const LONGEST_S = 20;
const KEPT_MS = 35 * 24 * 3600 * 1000; // as long as the API takes what a page sends
/** What no repetition mends. */
const HOPELESS = [400, 401, 403, 413, 415, 422];

export class Outbox {
  readonly #world: World;
  readonly #onTheWay = new Map<string, string>();
  readonly #failures = new Map<string, number>();
  readonly #watches = new Map<string, Watch>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Sends the body until it is stored; `watch` is told how that goes. */
  post(id: string, url: string, body: string, watch: Watch): void {
    this.#watches.set(id, watch);
    const parcel: Parcel = { url, body, since: this.#world.now() };
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
      if (this.#world.beacon) this.#world.beacon(parcel.url, parcel.body);
      else if (this.#onTheWay.get(id) !== parcel.body) void this.#deliver(parcel);
    }
  }

  #parcel(id: string): Parcel | undefined {
    const parcel = readJson<Parcel>(this.#world.memory, PREFIX + id);
    if (parcel && this.#world.now() - parcel.since <= KEPT_MS) return parcel;
    this.#world.memory.forget(PREFIX + id);
    return undefined;
  }

  async #send(id: string): Promise<void> {
    const parcel = this.#parcel(id);
    if (!parcel || this.#onTheWay.has(id)) return;
    this.#onTheWay.set(id, parcel.body);
    this.#tell(id, "sending");
    const outcome = await this.#deliver(parcel);
    this.#onTheWay.delete(id);
    if (outcome.state === "waiting") {
      this.#retry(id, outcome.wait ?? 0);
    } else if (this.#parcel(id)?.body === parcel.body) {
      this.#world.memory.forget(PREFIX + id);
      this.#failures.delete(id);
    } else {
      void this.#send(id); // a newer version came meanwhile
      return;
    }
    this.#tell(id, outcome.state, outcome.code);
  }

  async #deliver(parcel: Parcel): Promise<Outcome> {
    const stop = new AbortController();
    this.#world.later(() => stop.abort(), LONGEST_S * 1000);
    try {
      const reply = await this.#world.fetch(parcel.url, {
        method: "POST",
        body: parcel.body,
        headers: { "Content-Type": "text/plain;charset=UTF-8" }, // no preflight
        credentials: "omit",
        keepalive: true,
        signal: stop.signal,
      });
      if (reply.status === 202) return { state: "sent" };
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

  #tell(id: string, state: State, code?: string): void {
    this.#watches.get(id)?.(state, code);
  }
}

/** How long to wait after so many failures: twice as long each time, never all at once. */
export function backoff(failures: number, random: () => number = Math.random): number {
  const longest = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS);
  return longest * (0.5 + random() / 2);
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
    now: Date.now,
  });
  page.addEventListener("online", () => outbox.resume());
  page.addEventListener("pagehide", () => outbox.flush());
  page.document.addEventListener("visibilitychange", () => {
    if (page.document.visibilityState === "hidden") outbox.flush();
  });
  outbox.resume();
  return outbox;
}
