// The key that opens the dashboard. It comes from the link's fragment or the form, and is kept in this
// tab or, if the user wants, in this browser; if a browser keeps nothing, until the page is left. The
// address never has it.

import { signal } from "@preact/signals";
import { arrival, judge, keyInFragment } from "./keys.ts";

const SLOT = "pulse.key";

export const key = signal<string | null>(null);
/** Why there is no key any more: shown on the sign-in page. */
export const refusal = signal<string | null>(null);
/** Another key than the one in use, from a link; the user is asked whether to use it. */
export const brought = signal<string | null>(null);

/** Takes the key that was kept, or else the link's; called at the start. */
export function open(): void {
  key.value = read("session") ?? read("local");
  takeFromFragment();
  addEventListener("hashchange", takeFromFragment); // a link that is opened while the page is open
}

/**
 * Takes the key from the address, which has none afterwards. A key in use stays in use: a link must
 * not show another tenant's figures as if they were one's own.
 */
function takeFromFragment(): void {
  const given = keyInFragment(location.hash);
  if (given === null) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  const becomes = arrival(given.trim(), key.value);
  brought.value = becomes === "ask" ? given.trim() : null;
  if (becomes === "use") signIn(given, false);
}

/** Uses the link's key, or does not, as the user has chosen. */
export function answer(useIt: boolean): void {
  const given = brought.value;
  brought.value = null;
  if (useIt && given !== null) signIn(given, false);
}

/** Signs in with a key, or shows why the key is refused. */
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
    // storage is full or forbidden: the key is kept until the page is left
  }
}

type Kind = "session" | "local";

/** The storage; null if the browser refuses it, because then even reading the property throws. */
function slot(kind: Kind): Storage | null {
  try {
    return kind === "session" ? sessionStorage : localStorage;
  } catch {
    return null;
  }
}
