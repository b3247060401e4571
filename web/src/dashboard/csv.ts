// A table as CSV: the rows and columns that are on the screen, in the API's form (RFC 4180, texts in
// quotes, numbers without, safe against formulas). Pure.

import type { Cell, Column, Reply, Row } from "./reply.ts";

/**
 * The places where a spreadsheet might find a formula: after blanks, quotes and separators, and after
 * any number of apostrophes. pulse/csv_cells.py says why, and reads it back.
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

/**
 * Rows of a reply as the API itself writes them as CSV (docs/http.md): columns with their names,
 * figures with all decimals, and amounts with a column for each currency.
 */
export function apiCsv(reply: Reply, rows: readonly Row[]): string {
  const columns = reply.columns.flatMap((column) => flat(column, reply));
  const lines = rows.map((row) => columns.map(({ field }) => field(row)).join(",") + "\r\n");
  return csv([columns.map(({ name }) => name)]) + lines.join("");
}

interface FlatColumn {
  readonly name: string;
  readonly field: (row: Row) => string;
}

const TWO_DECIMALS = new Set(["percent", "points", "ratio", "satisfaction", "scale"]);

function flat(column: Column, reply: Reply): FlatColumn[] {
  const { name, kind, unit } = column;
  if (unit === "money" && isByCurrency(reply, name)) {
    return currencies(reply, [name, column.metric ?? name]).map((currency) => ({
      name: `${name}_${currency}`,
      field: (row) => amount(row, name, currency) ?? "",
    }));
  }
  const bare = kind !== "dimension" && kind !== "period"; // times and amounts are text in JSON
  const written = (row: Row): string => {
    const value = row[name];
    if (typeof value === "number") return hasDecimals(row, column) ? value.toFixed(2) : String(value);
    return bare && typeof value === "string" ? value : field(value);
  };
  return [{ name, field: written }];
}

/** Seconds have decimals if they are not whole; a change has them if one of the two figures has. */
function hasDecimals(row: Row, { name, kind, unit, metric = name }: Column): boolean {
  if (unit !== "seconds") return TWO_DECIMALS.has(unit ?? "");
  const names = kind === "change" ? [metric, `${metric}_previous`] : [name];
  return names.some((each) => !Number.isInteger(row[each] ?? 0));
}

function isByCurrency(reply: Reply, name: string): boolean {
  return [...reply.rows, ...reply.totals].every((row) => typeof row[name] !== "string");
}

/** Every currency of a metric's amounts, now or before. */
export function currencies(reply: Reply, metrics: readonly string[]): string[] {
  const names = reply.columns
    .filter(({ name, metric }) => metrics.includes(name) || (metric && metrics.includes(metric)))
    .map(({ name }) => name);
  const cells = [...reply.rows, ...reply.totals].flatMap((row) => names.map((name) => row[name]));
  return [...new Set(cells.flatMap((cell) => Object.keys(isMoney(cell) ? cell : {})))].sort();
}

/** The exact amount in a currency; null if there is none. */
export function amount(row: Row, name: string, currency: string): string | null {
  const amounts = row[name];
  return isMoney(amounts) ? (amounts[currency] ?? null) : null;
}

function isMoney(cell: Cell | undefined): cell is Readonly<Record<string, string>> {
  return typeof cell === "object" && cell !== null;
}

/** The text with one more apostrophe at each place where a cell could begin with a formula. */
export function guard(text: string): string {
  return text.replace(PLACE, (found, blanks: string, apostrophes: string, sign: string, at: number) =>
    at === 0 || /[;\t\r\n]/.test(blanks) ? `${blanks}'${apostrophes}${sign}` : found,
  );
}

/** Whether a text is an exact decimal: a negative one is no formula. */
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
