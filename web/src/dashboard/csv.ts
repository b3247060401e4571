// A table as CSV: the very rows and columns that are on the screen, in the API's manner
// (RFC 4180, text in quotes, numbers bare, safe against formulas). Pure.

import type { Cell } from "./reply.ts";

/**
 * Where a spreadsheet might find a formula: behind blanks, quotes and separators, and after any
 * number of apostrophes. pulse/csv_cells.py says why, and reads it back.
 */
const PLACE =
  /([\u0000-\u0020"\u007f-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f\u2060\u3000\ufeff;]*)('*)([=+\-@＝＋－ー＠])/g;

export function csv(rows: readonly (readonly (Cell | undefined)[])[]): string {
  return rows.map((row) => row.map(field).join(",") + "\r\n").join("");
}

function field(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "number" || typeof cell === "boolean") return String(cell);
  const text = typeof cell === "string" ? cell : pairs(cell);
  return isNumber(text) ? text : `"${guard(text).replaceAll('"', '""')}"`;
}

/** The text with one more apostrophe where a cell could begin with a formula. */
export function guard(text: string): string {
  return text.replace(PLACE, (found, blanks: string, apostrophes: string, sign: string, at: number) =>
    at === 0 || /[;\t\r\n]/.test(blanks) ? `${blanks}'${apostrophes}${sign}` : found,
  );
}

/** Exact decimals travel as text; a negative one is no formula. */
function isNumber(text: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(text);
}

function pairs(amounts: Readonly<Record<string, string>>): string {
  return Object.entries(amounts)
    .map(([currency, amount]) => `${amount} ${currency}`)
    .join(", ");
}

/** pulse-geo-2026-10-25-to-2026-11-21-by-country.csv */
export function fileName(report: string, start: string, end: string, what: string): string {
  const slug = what.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  return `${["pulse", report, start, "to", end, slug].filter(Boolean).join("-")}.csv`;
}
