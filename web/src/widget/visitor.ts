// Decides who is asked: a fixed share of the visitors, and nobody again too soon. It uses no cookie:
// the host page's localStorage has a random number, and when the survey was last shown and answered.

import type { Memory } from "../ask/memory.ts";
import type { Display } from "../ask/survey.ts";

const DAY_MS = 24 * 3600 * 1000;

export class Visitor {
  readonly #memory: Memory;
  readonly #survey: string;
  readonly #now: () => number;
  readonly #random: () => number;

  constructor(memory: Memory, survey: string, now = Date.now, random = Math.random) {
    this.#memory = memory;
    this.#survey = survey;
    this.#now = now;
    this.#random = random;
  }

  /** Whether the survey may open by itself. */
  mayBeAsked({ sample_pct, again_days }: Display): boolean {
    if (!this.#memory.lasting && again_days > 0) return false; // it would open on every page
    return this.#longSince("shown", again_days) && this.#drawn(sample_pct);
  }

  /** Whether the button is shown: until the visitor has answered. */
  mayAnswer({ again_days }: Display): boolean {
    return this.#longSince("answered", again_days);
  }

  note(event: "shown" | "answered"): void {
    this.#memory.write(`pulse.${event}.${this.#survey}`, String(this.#now()));
  }

  #longSince(event: string, days: number): boolean {
    const last = Number(this.#memory.read(`pulse.${event}.${this.#survey}`) ?? Number.NaN);
    return !(this.#now() - last < days * DAY_MS);
  }

  /** A number in [0, 1): the same at every visit of a visitor, and another one for each survey. */
  #drawn(percent: number): boolean {
    if (percent >= 100) return true;
    let seed = this.#memory.read("pulse.visitor");
    if (!seed) {
      seed = this.#random().toString(36).slice(2);
      this.#memory.write("pulse.visitor", seed);
    }
    return share(`${seed} ${this.#survey}`) * 100 < percent;
  }
}

/** A text as an evenly distributed number in [0, 1): FNV-1a with a final mix of its bits. */
export function share(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
