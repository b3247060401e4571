// The dashboard's texts in the reader's language, and the locale of its numbers and dates. The code has
// the English texts; src/dashboard/texts/ has a file for each other language.

import { signal } from "@preact/signals";

export type Language = "en" | "de" | "fr" | "es";
export type Texts = Readonly<Record<string, string>>;

/** The languages, each by its own name. */
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
/** The locale of numbers and dates: the browser's, if it is one of the language. */
export const locale = signal("en-GB");

let texts: Texts = {};

/** The language that was chosen earlier, otherwise the first of the browser's that the pages have. */
export async function speakTheReaders(): Promise<void> {
  await speak(preferred([remembered(), ...navigator.languages]));
}

/** The first of the languages that the dashboard has; English if it has none of them. */
export function preferred(wanted: readonly (string | null)[]): Language {
  const bases = wanted.map((each) => (each ?? "").toLowerCase().split("-")[0] ?? "");
  return bases.find((base): base is Language => Object.hasOwn(LANGUAGES, base)) ?? "en";
}

/** Shows everything in the language from now on; in English if its texts cannot be loaded. */
export async function speak(wanted: Language): Promise<void> {
  const file = await (wanted === "en" ? null : FILES[wanted]().catch(() => null));
  texts = file?.texts ?? {};
  language.value = file ? wanted : "en";
  locale.value = localeOf(language.value, navigator.languages ?? []);
  if (typeof document !== "undefined") document.documentElement.lang = language.value;
}

/** Speaks a language that the user has chosen, now and at the next visit. */
export async function choose(wanted: Language): Promise<void> {
  try {
    localStorage.setItem(SLOT, wanted);
  } catch {
    // if the browser keeps nothing, the choice is for this page
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

/** The text in the reader's language, with values in place of {names}. */
export function t(text: string, values: Values = {}): string {
  return pattern(text).replace(PLACE, (_, name: string) => String(values[name] ?? ""));
}

/** The same as pieces, in order, because values may be other things than texts. */
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

/** Marks the text of a constant, which is translated by t(…) when it is used. */
export function toTranslate(text: string): string {
  return text;
}

/** One of two texts, by the language's plural rule for a number. */
export function plural(number: number, one: string, other: string): string {
  return new Intl.PluralRules(language.value).select(number) === "one" ? one : other;
}

/** A name within a sentence: with a small letter, except in languages whose nouns have capitals. */
export function inSentence(name: string): string {
  return language.value === "de" ? name : name.toLowerCase();
}
