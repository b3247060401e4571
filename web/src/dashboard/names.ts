// What values are called: countries by the browser's own names, agents and surveys by the
// tenant's, the rest by themselves.

import { signal } from "@preact/signals";
import { get } from "./api.ts";

export interface DimensionValue {
  readonly value: string | null;
  readonly name: string | null;
  readonly count: number;
}

export interface DimensionReply {
  readonly values: readonly DimensionValue[];
  readonly truncated: boolean;
}

type Names = ReadonlyMap<string, string>;

const given = signal<Readonly<Record<string, Names>>>({});

const COUNTRIES = new Intl.DisplayNames("en", { type: "region", fallback: "code" });

const WORDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  metric: { csat: "Satisfaction", nps: "Loyalty", ces: "Effort", all: "All answers" },
  media_type: { sms: "SMS" },
};

/** Dimensions whose values are told as the API has them: lower-case words, made presentable. */
const PLAIN = new Set(["channel", "device", "media_type", "segment"]);

export function nameOf(dimension: string, value: string | null): string {
  if (value === null) return "Not given";
  const known = given.value[dimension]?.get(value) ?? WORDS[dimension]?.[value];
  if (known !== undefined) return known;
  if (dimension === "country" && /^[A-Z]{2}$/.test(value)) return COUNTRIES.of(value) ?? value;
  return PLAIN.has(dimension) ? value.charAt(0).toUpperCase() + value.slice(1) : value;
}

/** Keeps the names that a reply of GET /v1/dimensions tells. */
export function learn(dimension: string, reply: DimensionReply): void {
  const names = new Map(given.value[dimension]);
  for (const { value, name } of reply.values) if (value !== null && name) names.set(value, name);
  given.value = { ...given.value, [dimension]: names };
}

/** Fetches the names that a page is going to show; without them the ids stand there. */
export function fetchNames(dimension: string, query: string): void {
  get<DimensionReply>(dimensionPath(dimension, query)).then(
    (reply) => learn(dimension, reply),
    () => undefined, // the page's own request tells what is wrong
  );
}

export function dimensionPath(dimension: string, query: string): string {
  return `/dimensions/${dimension}${query && `?${query}`}`;
}

export const METRIC_NAMES: Readonly<Record<string, string>> = {
  csat: "Customer satisfaction",
  nps: "Net promoter score",
  ces: "Customer effort",
};

/** What a headline says of the answers. */
export const METRIC_MEANINGS: Readonly<Record<string, string>> = {
  csat: "satisfied",
  nps: "promoters minus detractors",
  ces: "found it easy",
};

/** Bad, neutral and good answers, as the API's columns are called. */
export const METRIC_SEGMENTS: Readonly<Record<string, readonly [string, string, string]>> = {
  csat: ["dissatisfied", "neutral", "satisfied"],
  nps: ["detractors", "passives", "promoters"],
  ces: ["difficult", "neutral", "easy"],
};
