// GET /v1/reports: what can be asked. Fetched once a session; pages and filters are drawn from it.

import { signal } from "@preact/signals";

export interface Dimension {
  readonly name: string;
  readonly title: string;
  readonly text: string;
  readonly values: readonly string[] | null;
}

export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly text: string;
}

export interface Report {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly family: string;
  readonly dimensions: readonly Dimension[];
  readonly group_by: readonly string[];
  readonly granularity: string;
  readonly metrics: readonly Metric[];
  readonly filters: readonly string[];
  readonly fixed_filters: Readonly<Record<string, readonly string[]>>;
}

export interface Catalogue {
  readonly reports: readonly Report[];
  readonly presets: readonly string[];
  readonly default_preset: string;
  readonly granularities: readonly string[];
  readonly comparisons: readonly string[];
}

export const catalogue = signal<Catalogue | null>(null);

export function findReport(name: string): Report | undefined {
  return catalogue.value?.reports.find((report) => report.name === name);
}

export function dimensionTitle(name: string): string {
  if (name === "period") return "Period";
  for (const report of catalogue.value?.reports ?? []) {
    const found = report.dimensions.find((dimension) => dimension.name === name);
    if (found) return found.title;
  }
  return name;
}
