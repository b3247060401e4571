// What the dashboard says, in the reader's language, and the locale of its numbers and dates. The
// code has the English texts; src/dashboard/texts/ has one file of them for each other language.

import { signal } from "@preact/signals";

export type Language = "en" | "de" | "fr" | "es";
export type Texts = Readonly<Record<string, string>>;

/** Each by its own name. */
export const LANGUAGES: Readonly<Record<Language, string>> = {
  en: "English",
  de: "Deutsch",
  fr: "Français",
  es: "Español",
};

const FILES: Readonly<Record<Exclude<Language, "en">, () => Promise<{ texts: Texts }>>> = {
  de: () => import("./texts/de.ts"),
  fr: () => import("./texts/fr.ts"),
  es: () => import("./texts/es.ts"),
};

const SLOT = "pulse.language";

export const language = signal<Language>("en");
/** Of numbers and dates: the browser's, where it is one of the language. */
export const locale = signal("en-GB");

let texts: Texts = {};

/** The language that was chosen before, else the first of the browser's that there is. */
export async function speakTheReaders(): Promise<void> {
  await speak(preferred([remembered(), ...navigator.languages]));
}

/** The first of the languages that the dashboard has; English where it has none of them. */
export function preferred(wanted: readonly (string | null)[]): Language {
  const bases = wanted.map((each) => (each ?? "").toLowerCase().split("-")[0] ?? "");
  return bases.find((base): base is Language => Object.hasOwn(LANGUAGES, base)) ?? "en";
}

/** From now on everything is said in the language; in English where its texts cannot be had. */
export async function speak(wanted: Language): Promise<void> {
  const file = await (wanted === "en" ? null : FILES[wanted]().catch(() => null));
  texts = file?.texts ?? {};
  language.value = file ? wanted : "en";
  locale.value = localeOf(language.value, navigator.languages ?? []);
  if (typeof document !== "undefined") document.documentElement.lang = language.value;
}

/** The same for who asks for it, and the next time too. */
export async function choose(wanted: Language): Promise<void> {
  try {
    localStorage.setItem(SLOT, wanted);
  } catch {
    // where the browser keeps nothing, it is chosen for this page
  }
  await speak(wanted);
}

export function localeOf(spoken: Language, browsers: readonly string[]): string {
  const own = browsers.find((each) => preferred([each]) === spoken && each.startsWith(spoken));
  return own ?? (spoken === "en" ? "en-GB" : spoken);
}

function remembered(): string | null {
  try {
    return localStorage.getItem(SLOT);
  } catch {
    return null;
  }
}

type Values = Readonly<Record<string, string | number>>;

/** The text in the reader's language, with values in the places of {names}. */
export function t(text: string, values: Values = {}): string {
  return pattern(text).replace(PLACE, (_, name: string) => String(values[name] ?? ""));
}

/** The same where values may be other things than texts: the pieces, in order. */
export function pieces<Piece>(
  text: string,
  values: Readonly<Record<string, Piece | string | readonly (Piece | string)[]>>,
): (Piece | string)[] {
  return pattern(text)
    .split(PLACE)
    .flatMap((part, i) => (i % 2 ? (values[part] ?? "") : part))
    .filter((part) => part !== "") as (Piece | string)[];
}

const PLACE = /\{(\w+)\}/g;

function pattern(text: string): string {
  const known = texts[text];
  if (known === undefined && language.value !== "en") console.debug(`not translated: ${text}`);
  return known ?? text;
}

/** Marks a text that is translated where it is used: t(…) of a constant. */
export function toTranslate(text: string): string {
  return text;
}

/** One of two texts, by the language's rule for the number. */
export function plural(number: number, one: string, other: string): string {
  return new Intl.PluralRules(language.value).select(number) === "one" ? one : other;
}

/** A name within a sentence: small letters, but where nouns have capitals. */
export function inSentence(name: string): string {
  return language.value === "de" ? name : name.toLowerCase();
}
