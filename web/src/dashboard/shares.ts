// The shares of responses: bad, neutral and good ones, and those of each score. Pure.

import type { ColumnPoint } from "./charts/columns.tsx";
import type { LegendItem } from "./charts/line.tsx";
import * as format from "./format.ts";
import { label, number, type Meta, type Row } from "./reply.ts";
import { remarks, standing } from "./standing.ts";
import { t } from "./texts.ts";

const LOOKS = ["fill-bad", "fill-neutral", "fill-good"] as const;

/** One segment of a bar; its texts are "–" if its figures are withheld. */
export interface Share {
  readonly name: string;
  readonly title: string;
  readonly look: string;
  /** Its start in the bar and its length, in percent. */
  readonly from: number;
  readonly width: number;
  readonly share: string;
  readonly n: string;
}

export function shares(row: Row, segments: readonly string[]): Share[] {
  let end = 0;
  return segments.map((name, i) => {
    const share = number(row, `${name}_pct`);
    const width = share ?? 0;
    const from = end;
    end += width;
    return {
      name,
      title: capital(t(name)),
      look: LOOKS[i] ?? "",
      from,
      width,
      share: format.percent(share, 2),
      n: format.count(number(row, name)),
    };
  });
}

export function distribution(rows: readonly Row[], segments: readonly string[]): ColumnPoint[] {
  return rows.map((row) => {
    const share = number(row, "share_pct");
    const score = label(row, "score_value") ?? "";
    const segment = label(row, "segment") ?? "";
    return {
      tick: score,
      words: [
        t("Score {score} ({segment}): {n} answers", {
          score,
          segment: t(segment),
          n: format.count(number(row, "responses")),
        }),
        `, ${format.percent(share, 2)}`,
      ].join(""),
      parts: [{ value: share ?? 0, look: LOOKS[segments.indexOf(segment)] ?? "fill-neutral" }],
      text: format.percent(share, 1),
    };
  });
}

export function segmentColumn(
  row: Row,
  segments: readonly string[],
  granularity: string,
  meta: Meta,
): ColumnPoint {
  const start = label(row, "period") ?? "";
  const told = segments.map((name) => `${t(name)} ${format.percent(number(row, `${name}_pct`), 1)}`);
  const period = format.period(start, granularity);
  const stands = standing(row, granularity, meta);
  return {
    tick: format.tick(start, granularity),
    year: start.slice(0, 4),
    words: `${period}: ${told.join(", ")}, n ${format.count(number(row, "responses"))}${remarks(stands)}`,
    cut: stands.cut,
    parts: segments.map((name, i) => ({
      value: number(row, `${name}_pct`) ?? 0,
      look: LOOKS[i] ?? "",
    })),
  };
}

export function segmentLegend(segments: readonly string[]): LegendItem[] {
  return segments.map((name, i) => ({ look: LOOKS[i] ?? "", text: capital(t(name)) }));
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
