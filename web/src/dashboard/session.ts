// The key that opens the dashboard: taken from the link's fragment or the form, kept in this tab
// or, if asked to, in this browser; where a browser keeps nothing, until the page is left. It is
// never in the address.

import { signal } from "@preact/signals";
import { arrival, judge, keyInFragment } from "./keys.ts";

const SLOT = "pulse.key";

export const key = signal<string | null>(null);
/** Why there is no key, or no longer one: said on the sign-in page. */
export const refusal = signal<string | null>(null);
/** Another key than the one in use, which a link brought: whether to use it is asked. */
export const brought = signal<string | null>(null);

/** At the start: the key that was kept, or else the link's. */
export function open(): void {
  key.value = read("session") ?? read("local");
  takeFromFragment();
  addEventListener("hashchange", takeFromFragment); // the link, opened where the page is already
}

/**
 * Afterwards no key is in the address. One in use stays: a link that somebody sent must not show
 * somebody else's figures as if they were one's own.
 */
function takeFromFragment(): void {
  const given = keyInFragment(location.hash);
  if (given === null) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  const becomes = arrival(given.trim(), key.value);
  brought.value = becomes === "ask" ? given.trim() : null;
  if (becomes === "use") signIn(given, false);
}

/** The answer to whether the link's key is to be used. */
export function answer(useIt: boolean): void {
  const given = brought.value;
  brought.value = null;
  if (useIt && given !== null) signIn(given, false);
}

/** Signs in with a key, or says why that one is refused. */
export function signIn(text: string, remember: boolean): void {
  const wanted = text.trim();
  const judgement = judge(wanted);
  refusal.value = judgement.ok ? null : judgement.why;
  if (!judgement.ok) return;
  forget();
  write(remember ? "local" : "session", wanted);
  key.value = wanted;
  brought.value = null;
}

export function signOut(why: string | null = null): void {
  forget();
  key.value = null;
  refusal.value = why;
}

function forget(): void {
  for (const storage of [slot("session"), slot("local")]) storage?.removeItem(SLOT);
}

function read(kind: Kind): string | null {
  return slot(kind)?.getItem(SLOT) ?? null;
}

function write(kind: Kind, text: string): void {
  try {
    slot(kind)?.setItem(SLOT, text);
  } catch {
    // full, or forbidden: the key lasts as long as the page
  }
}

type Kind = "session" | "local";

/** Null where the browser refuses it: even to ask for it throws then. */
function slot(kind: Kind): Storage | null {
  try {
    return kind === "session" ? sessionStorage : localStorage;
  } catch {
    return null;
  }
}
