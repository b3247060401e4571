// Which kinds of keys may open the dashboard, and the messages for the others. Pure.

import { t, toTranslate } from "./texts.ts";

export type Judgement = { readonly ok: true } | { readonly ok: false; readonly why: string };

const REFUSED: Readonly<Record<string, string>> = {
  sk: toTranslate(
    "This is a secret key: it may write and export too, so it does not belong in a browser. Make a report key instead: pulse key create TENANT --kind report.",
  ),
  pk: toTranslate(
    "This is a publishable key: it can only send answers. Make a report key: pulse key create TENANT --kind report.",
  ),
  fk: toTranslate(
    "This is a feed key: it reads one report as CSV. Make a report key: pulse key create TENANT --kind report.",
  ),
};

const UNKNOWN = toTranslate(
  "This does not look like one of Pulse's keys: a report key begins with rk_, an operator key with ok_.",
);

export function judge(key: string): Judgement {
  const kind = /^([a-z]k)_\S+$/.exec(key)?.[1] ?? "";
  if (kind === "rk" || kind === "ok") return { ok: true };
  return { ok: false, why: t(REFUSED[kind] ?? UNKNOWN) };
}

/** What happens with the key of a link if another one is in use. */
export type Arrival = "use" | "keep" | "ask";

export function arrival(given: string, inUse: string | null): Arrival {
  if (inUse === null) return "use";
  return given === inUse ? "keep" : "ask";
}

/** The part of a key that distinguishes it from others; the rest may be seen by nobody else. */
export function shortened(key: string): string {
  return `${key.slice(0, 7)}…`;
}

export function isOperator(key: string): boolean {
  return key.startsWith("ok_");
}

/** The key in an address's fragment (#key=…); null if there is none. */
export function keyInFragment(fragment: string): string | null {
  return /^#(?:.*&)?key=([^&]*)/.exec(fragment)?.[1] ?? null;
}
