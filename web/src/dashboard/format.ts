// Figures and days as people read them, in the reader's locale. "–" is shown if there is no figure.

import type { Cell } from "./reply.ts";
import { locale, plural, t } from "./texts.ts";

const NOTHING = "–";
const MINUS = "−";

const MADE = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

/** Formats by locale and options, each made once: that takes longer than a hundred uses of it. */
function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const name = `${locale.value} number ${JSON.stringify(options)}`;
  const made = MADE.get(name) ?? new Intl.NumberFormat(locale.value, options);
  MADE.set(name, made);
  return made as Intl.NumberFormat;
}

function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `${locale.value} date ${JSON.stringify(options)}`;
  const made = MADE.get(name) ?? new Intl.DateTimeFormat(locale.value, options);
  MADE.set(name, made);
  return made as Intl.DateTimeFormat;
}

/** A number with a fixed number of decimals, separators of thousands, and a true minus sign. */
export function fixed(value: number | null, decimals: number): string {
  if (value === null) return NOTHING;
  const options = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  const text = numbers(options).format(Math.abs(value));
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

export function count(value: number | null): string {
  return value === null ? NOTHING : numbers({}).format(value).replace("-", MINUS);
}

/** A number with its sign, for changes. */
export function signed(value: number | null, decimals: number): string {
  const text = fixed(value, decimals);
  return value !== null && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** A percentage; no line breaks before its sign. */
export function percent(value: number | null, decimals: number): string {
  return value === null ? NOTHING : `${fixed(value, decimals)}\u00a0%`;
}

/** A headline score: a percentage, or NPS points. */
export function score(value: number | null, metric: string, decimals = 1): string {
  return metric === "nps" ? fixed(value, decimals) : percent(value, decimals);
}

/** An exact decimal text ("1234.5000") with its currency; it never becomes a float. */
export function money(amount: string | null, currency: string): string {
  if (amount === null) return NOTHING;
  const exact = amount.replace("-", "");
  const decimals = (exact.split(".")[1] ?? "").replace(/0+$/, "").length;
  const options = {
    minimumFractionDigits: 2,
    maximumFractionDigits: Math.max(2, decimals),
    ...(currency && { style: "currency", currency } as const),
  };
  // a text, which keeps all of its digits
  const text = numbers(options).format(exact as Intl.StringNumericLiteral);
  return (amount.startsWith("-") ? MINUS : "") + text;
}

/** An average amount, rounded half to even to the cent, from the API's exact text. */
export function averageMoney(amount: string | null, currency = ""): string {
  return amount === null ? NOTHING : money(toCents(amount), currency).trim();
}

function toCents(amount: string): string {
  const [whole = "0", fraction = ""] = amount.replace("-", "").split(".");
  const cents = BigInt(whole + fraction.slice(0, 2).padEnd(2, "0"));
  const rest = fraction.slice(2).replace(/0+$/, "");
  const up = rest > "5" || (rest === "5" && cents % 2n === 1n);
  const digits = String(up ? cents + 1n : cents).padStart(3, "0");
  const sign = amount.startsWith("-") && /[1-9]/.test(digits) ? "-" : "";
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** Seconds as HH:MM:SS; hours may pass 24. */
export function duration(seconds: number | null): string {
  if (seconds === null) return NOTHING;
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** A table's cell by its column's unit. */
export function cell(value: Cell | undefined, unit?: string, name = ""): string {
  if (value === null || value === undefined) return NOTHING;
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  if (typeof value === "object") return moneyList(value);
  if (typeof value === "string") return unit === "money" ? amount(value, name) : value;
  if (unit === "count") return count(value);
  if (unit === "seconds") return count(value);
  if (/^median/.test(name)) return fixed(value, value % 1 ? 1 : 0);
  return fixed(value, 2);
}

function amount(value: string, name: string): string {
  return /^avg_/.test(name) ? averageMoney(value) : money(value, "").trim();
}

function moneyList(amounts: Readonly<Record<string, string>>): string {
  const texts = Object.entries(amounts).map(([currency, amount]) => money(amount, currency));
  return texts.join("\n") || NOTHING;
}

// -- days

/** Formats of calendar days, which do not depend on the browser's time zone. */
function told(day: string, options: Intl.DateTimeFormatOptions): string {
  return dates({ timeZone: "UTC", ...options }).format(new Date(`${day}T00:00:00Z`));
}

const DAY = { day: "numeric", month: "short" } as const;
const DATE = { ...DAY, year: "numeric" } as const;

/** "Thu 29 Oct" */
export function longDay(day: string): string {
  return told(day, { weekday: "short", ...DAY });
}

/** "25 Oct – 21 Nov 2026", with a year and a month only once if they are the same. */
export function days(start: string, end: string): string {
  const [from, to] = [start, end].map((day) => new Date(`${day}T00:00:00Z`));
  if (!from || !to || start === "" || end === "") return "";
  return dates({ timeZone: "UTC", ...DATE }).formatRange(from, to).replaceAll("\u2009", " ");
}

/** A period by its first day: "29 Oct 2026", "Week of 26 Oct 2026", "Oct 2026". */
export function period(start: string, granularity: string): string {
  if (granularity === "month") return told(start, { month: "short", year: "numeric" });
  const day = told(start, DATE);
  return granularity === "week" ? t("Week of {day}", { day }) : day;
}

/** A period on an axis, where there is little room: without its year, which the axis shows. */
export function tick(start: string, granularity: string): string {
  return told(start, granularity === "month" ? { month: "short" } : DAY);
}

/** "4 minutes ago", for a moment so many milliseconds ago. */
export function ago(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 1) return t("just now");
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const relative = new Intl.RelativeTimeFormat(locale.value);
  if (hours < 1) return relative.format(-minutes, "minute");
  return days < 2 ? relative.format(-hours, "hour") : relative.format(-days, "day");
}

/** A number of things, by a text for one and one for several, in which it replaces {n}. */
export function counted(number: number, one: string, other: string): string {
  return t(plural(number, one, other), { n: count(number) });
}

/** The time of an instant in a time zone: "21 Nov, 01:36". */
export function moment(instant: string, timezone: string): string {
  const time = { hour: "2-digit", minute: "2-digit" } as const;
  return dates({ timeZone: timezone, ...DAY, ...time }).format(new Date(instant));
}

/** "a", "a and b", "a, b and c" */
export function listed(texts: readonly string[]): string {
  return new Intl.ListFormat(locale.value).format(texts);
}
