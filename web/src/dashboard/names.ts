// The names of values: countries have the browser's names, agents and surveys the tenant's, and all
// others are their own names.

import { signal } from "@preact/signals";
import type { Dimension as DimensionReply } from "../interface.ts";
import { get } from "./api.ts";
import { apart } from "./apart.ts";
import { HANDLED_BY } from "./catalogue.ts";
import { label, type Row } from "./reply.ts";
import { language, t, toTranslate } from "./texts.ts";

export type { DimensionReply };
export type DimensionValue = DimensionReply["values"][number];

/** What is known of a dimension's values. */
interface Known {
  readonly names: ReadonlyMap<string, string>;
  /** Values without a name, which are shown themselves. */
  readonly bare: ReadonlySet<string>;
  /** How many values are shown by a name, by the name as it is compared. */
  readonly shared: ReadonlyMap<string, number>;
}

const NOTHING_KNOWN: Known = { names: new Map(), bare: new Set(), shared: new Map() };
const NOT_GIVEN = toTranslate("Not given");

const given = signal<Readonly<Record<string, Known>>>({});

const COUNTRIES = new Map<string, Intl.DisplayNames>();

function countryName(code: string): string {
  const known = COUNTRIES.get(language.value);
  const names =
    known ?? new Intl.DisplayNames(language.value, { type: "region", fallback: "code" });
  if (!known) COUNTRIES.set(language.value, names);
  return names.of(code) ?? code;
}

const LEVELS = {
  in_time: toTranslate("In time"),
  late: toTranslate("Late"),
  never: toTranslate("Never"),
  no_threshold: toTranslate("No threshold"),
};
const YES_NO = { yes: toTranslate("yes"), no: toTranslate("no") };

const WORDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  metric: {
    csat: toTranslate("Satisfaction"),
    nps: toTranslate("Loyalty"),
    ces: toTranslate("Customer effort"),
    all: toTranslate("All answers"),
  },
  channel: {
    ticket: toTranslate("Ticket"),
    chat: toTranslate("Chat"),
    external: toTranslate("External"),
  },
  device: {
    mobile: toTranslate("Mobile"),
    desktop: toTranslate("Desktop"),
    tablet: toTranslate("Tablet"),
  },
  media_type: {
    voice: toTranslate("Voice"),
    chat: toTranslate("Chat"),
    email: toTranslate("Email"),
    sms: toTranslate("SMS"),
    social: toTranslate("Social"),
    task: toTranslate("Task"),
  },
  accept: LEVELS,
  first_response: LEVELS,
  finish: LEVELS,
  was_abandoned: YES_NO,
  had_revenue: YES_NO,
  was_rated: YES_NO,
  segment: {
    satisfied: toTranslate("satisfied"),
    dissatisfied: toTranslate("dissatisfied"),
    neutral: toTranslate("neutral"),
    promoters: toTranslate("promoters"),
    passives: toTranslate("passives"),
    detractors: toTranslate("detractors"),
    easy: toTranslate("easy"),
    difficult: toTranslate("difficult"),
  },
};

/** Dimensions whose values are lower-case words of the API, shown with a capital letter. */
const PLAIN = new Set(["channel", "device", "media_type", "segment"]);
/** Dimensions whose values are classes of durations. */
const DURATIONS = new Set(["wait", "life"]);

/** The name of a value, followed by the value itself if another value has the same name. */
export function nameOf(dimension: string, value: string | null): string {
  return called(dimension, value).map(apart).join(" ");
}

/** The same without changes for display, for files and comparisons. */
export function plainNameOf(dimension: string, value: string | null): string {
  return called(dimension, value).join(" ");
}

function called(dimension: string, value: string | null): readonly string[] {
  if (value === null) return [t(NOT_GIVEN)];
  const known = given.value[dimension];
  const word = WORDS[dimension]?.[value];
  const name = known?.names.get(value) ?? (word ? t(word) : ownName(dimension, value));
  const shared = known?.shared.get(compared(name)) ?? 0;
  const isShared = shared > 1 || compared(name) === compared(t(NOT_GIVEN));
  return isShared ? [name, `(${value})`] : [name];
}

function ownName(dimension: string, value: string): string {
  if (dimension === "country" && /^[A-Z]{2}$/.test(value)) return countryName(value);
  if (DURATIONS.has(dimension)) return durationName(value);
  return PLAIN.has(dimension) ? value.charAt(0).toUpperCase() + value.slice(1) : value;
}

/** "0–10 s" of "0-10s". */
function durationName(value: string): string {
  if (value === "over-24h") return t("A day and more");
  return value.replace("-", "–").replace(/(?=[a-z])/, "\u00a0");
}

/** The form in which names are compared: those that look alike at a glance are the same. */
function compared(name: string): string {
  return name.normalize("NFC").trim().toLowerCase();
}

/** Remembers the names in a reply of GET /v1/dimensions. */
export function learn(
  dimension: string,
  reply: Pick<DimensionReply, "values" | "truncated">,
): void {
  const known = given.value[dimension] ?? NOTHING_KNOWN;
  const [names, bare] = [new Map(known.names), new Set(known.bare)];
  for (const { value, name } of reply.values) {
    if (value === null) continue;
    if (name) names.set(value, name);
    else bare.add(value);
  }
  const shown = [...names.values(), ...[...bare].filter((value) => !names.has(value))];
  const shared = new Map<string, number>();
  for (const name of shown) shared.set(compared(name), (shared.get(compared(name)) ?? 0) + 1);
  given.value = { ...given.value, [dimension]: { names, bare, shared } };
}


/** Rows in the order of the names of a dimension's values; rows without a value come last. */
export function byName(rows: readonly Row[], dimension: string, descending: boolean): Row[] {
  const order = new Intl.Collator(language.value, { numeric: true });
  const keyed = rows.map((row) => ({ row, value: label(row, dimension) }));
  return keyed
    .sort(({ value: a }, { value: b }) => {
      if (a === null || b === null) return Number(a === null) - Number(b === null);
      const sign = order.compare(plainNameOf(dimension, a), plainNameOf(dimension, b));
      return descending ? -sign : sign;
    })
    .map(({ row }) => row);
}

/** Fetches the names that a page is going to show; until then it shows ids. */
export function fetchNames(dimension: string, query: string): void {
  get<DimensionReply>(dimensionPath(dimension, query)).then(
    (reply) => learn(dimension, reply),
    () => undefined, // the page's own request tells what is wrong
  );
}

export function dimensionPath(dimension: string, query: string): string {
  const name = dimension === HANDLED_BY ? "agent" : dimension; // as the report experience calls it
  return `/dimensions/${name}${query && `?${query}`}`;
}

const METRIC_NAMES: Readonly<Record<string, string>> = {
  csat: toTranslate("Customer satisfaction"),
  nps: toTranslate("Net promoter score"),
  ces: toTranslate("Customer effort"),
};

const METRIC_MEANINGS: Readonly<Record<string, string>> = {
  csat: toTranslate("satisfied"),
  nps: toTranslate("promoters minus detractors"),
  ces: toTranslate("found it easy"),
};

export function metricName(metric: string): string {
  const known = METRIC_NAMES[metric];
  return known ? t(known) : metric;
}

/** The meaning of a metric's headline. */
export function metricMeaning(metric: string): string {
  const known = METRIC_MEANINGS[metric];
  return known ? t(known) : "";
}
