// A table as CSV: the very rows and columns that are on the screen, in the API's manner
// (RFC 4180, numbers as numbers, safe against formulas). Pure.

import type { Cell } from "./reply.ts";

/** What a spreadsheet may take for the beginning of a formula (OWASP, "CSV Injection"). */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

export function csv(rows: readonly (readonly (Cell | undefined)[])[]): string {
  return rows.map((row) => row.map(field).join(",") + "\r\n").join("");
}

function field(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "number" || typeof cell === "boolean") return String(cell);
  const text = typeof cell === "string" ? cell : pairs(cell);
  const safe = FORMULA.test(text) && !isNumber(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Exact decimals travel as text; a negative one is no formula. */
function isNumber(text: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(text);
}

function pairs(amounts: Readonly<Record<string, string>>): string {
  return Object.entries(amounts)
    .map(([currency, amount]) => `${amount} ${currency}`)
    .join("; ");
}

/** pulse-geo-2026-10-25-to-2026-11-21-by-country.csv */
export function fileName(report: string, start: string, end: string, what: string): string {
  const slug = what.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  return `${["pulse", report, start, "to", end, slug].filter(Boolean).join("-")}.csv`;
}
