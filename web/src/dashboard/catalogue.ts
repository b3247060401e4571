// GET /v1/reports: the catalogue, which is fetched once a session. Pages and filters are made from it.

import { signal } from "@preact/signals";
import type { Catalogue, CatalogueReport } from "../interface.ts";
import { t, toTranslate } from "./texts.ts";

/** What comments call the agent who dealt with the interaction that they are linked to. */
export const HANDLED_BY = "handled_by";

export const catalogue = signal<Catalogue | null>(null);

export function findReport(name: string): CatalogueReport | undefined {
  return catalogue.value?.reports.find((report) => report.name === name);
}

/** The percentage of a medium's contacts that should be within a threshold; null without a target. */
export function targetOf(medium: string | null, figure: string): number | null {
  return catalogue.value?.tenant?.targets[medium ?? ""]?.[figure] ?? null;
}

/** Texts of the API's catalogue, which are English, as the pages translate them. */
export const FROM_THE_API = [
  toTranslate("Survey"),
  toTranslate("Metric"),
  toTranslate("Scale"),
  toTranslate("Channel"),
  toTranslate("Agent"),
  toTranslate("Country"),
  toTranslate("Browser"),
  toTranslate("Operating system"),
  toTranslate("Device"),
  toTranslate("Score"),
  toTranslate("Tenant"),
  toTranslate("Media type"),
  toTranslate("Customer segment"),
  toTranslate("Service type"),
  toTranslate("Currency"),
  toTranslate("Accepting"),
  toTranslate("First response"),
  toTranslate("Finishing"),
  toTranslate("Wait"),
  toTranslate("Whole life"),
  toTranslate("Abandoned"),
  toTranslate("With revenue"),
  toTranslate("With satisfaction"),
  toTranslate("Entered on"),
  toTranslate(
    "What customers met who got in touch: whether they were accepted, responded to and finished, how fast, and how content they were.",
  ),
  toTranslate(
    "What each agent handled and how long it took, beside the time active and engaged, which is known by agent and media type alone.",
  ),
  toTranslate("The revenue of the interactions that have one recorded, by currency."),
  toTranslate("day"),
  toTranslate("week"),
  toTranslate("month"),
];

export function dimensionTitle(name: string): string {
  if (name === "period") return t("Period");
  if (name === HANDLED_BY) return t("Handled by");
  if (catalogue.value?.tenant?.dimensions.includes(name)) return name; // as the tenant has it
  for (const report of catalogue.value?.reports ?? []) {
    const found = report.dimensions.find((dimension) => dimension.name === name);
    if (found) return t(found.title);
  }
  return name;
}
