// How far a row's period is told: may it still grow, do the days asked for cut it off, has what
// stands beside it as many days? Pure.

import { isOpen, periodEnd, type Granularity } from "./days.ts";
import * as format from "./format.ts";
import { label, span, type Meta, type Row } from "./reply.ts";
import { t } from "./texts.ts";

export interface Standing {
  /** May its figures still grow? */
  readonly open: boolean;
  /** Are days of it not asked for? */
  readonly cut: boolean;
  /** What is said of a partial period; null of a whole one. */
  readonly partial: string | null;
}

/** The standing of a row's period; of a row without one, nothing is to be said. */
export function standing(row: Row, granularity: string, meta: Meta): Standing {
  const start = label(row, "period");
  if (start === null) return { open: false, cut: false, partial: null };
  const days = span(meta.date_range);
  const end = periodEnd(start, granularity as Granularity);
  const partial = row["partial"] === true;
  const cut = partial && (start < days.start_date || end > days.end_date);
  return {
    open: isOpen(end, meta.as_of, days.timezone ?? "UTC"),
    cut,
    partial: !partial ? null : cut ? t("partial") : t("beside more or fewer days"),
  };
}

/** A row's period as a table has it. */
export function periodText(row: Row, granularity: string, meta: Meta): string {
  const start = label(row, "period");
  if (start === null) return t("Whole period");
  const { open, partial } = standing(row, granularity, meta);
  const said = [open ? t("open") : null, partial].filter((text) => text !== null);
  return format.period(start, granularity) + (said.length ? ` (${said.join(", ")})` : "");
}

/** What is added to the words of a point of a chart. */
export function remarks({ open, partial }: Standing): string {
  return [open ? t("still open") : null, partial].map((text) => (text ? `, ${text}` : "")).join("");
}
