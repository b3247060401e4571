// Figures and days as people read them. Pure. "–" is what stands where there is nothing to show.

import type { Cell } from "./reply.ts";

const NOTHING = "–";
const MINUS = "−";

const COUNT = new Intl.NumberFormat("en-US");
const FIXED = new Map<number, Intl.NumberFormat>();

/** Made once for each number of decimals: making one takes longer than a hundred uses of it. */
function decimalsFormat(decimals: number): Intl.NumberFormat {
  const known = FIXED.get(decimals);
  if (known) return known;
  const options = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  const made = new Intl.NumberFormat("en-US", options);
  FIXED.set(decimals, made);
  return made;
}

/** A number with a fixed number of decimals, thousands parted, a true minus sign. */
export function fixed(value: number | null, decimals: number): string {
  if (value === null) return NOTHING;
  const text = decimalsFormat(decimals).format(Math.abs(value));
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

export function count(value: number | null): string {
  return value === null ? NOTHING : COUNT.format(value).replace("-", MINUS);
}

/** With its sign, as a change is told. */
export function signed(value: number | null, decimals: number): string {
  const text = fixed(value, decimals);
  return value !== null && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** A percentage; its sign stays on the line. */
export function percent(value: number | null, decimals: number): string {
  return value === null ? NOTHING : `${fixed(value, decimals)}\u00a0%`;
}

/** A headline score: a percentage, or NPS points. */
export function score(value: number | null, metric: string, decimals = 1): string {
  return metric === "nps" ? fixed(value, decimals) : percent(value, decimals);
}

/** Exact decimal text ("1234.5000") with its currency; never through a float. */
export function money(amount: string | null, currency: string): string {
  if (amount === null) return NOTHING;
  const [whole = "0", fraction = ""] = amount.replace("-", "").split(".");
  const digits = fraction.replace(/0+$/, "").padEnd(2, "0");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${amount.startsWith("-") ? MINUS : ""}${grouped}.${digits} ${currency}`;
}

/** An average amount, to the cent: half to even, and exact as the API's text is. */
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
  if (typeof value === "boolean") return value ? "yes" : "no";
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

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const WEEKDAYS = "Sun Mon Tue Wed Thu Fri Sat".split(" ");

interface Parts {
  readonly year: string;
  readonly month: string;
  readonly day: number;
  readonly weekday: string;
}

function parts(day: string): Parts {
  const date = new Date(`${day}T00:00:00Z`);
  return {
    year: day.slice(0, 4),
    month: MONTHS[date.getUTCMonth()] ?? "",
    day: date.getUTCDate(),
    weekday: WEEKDAYS[date.getUTCDay()] ?? "",
  };
}

/** "29 Oct" */
function shortDay(day: string): string {
  const { day: number, month } = parts(day);
  return `${number} ${month}`;
}

/** "Thu 29 Oct" */
export function longDay(day: string): string {
  return `${parts(day).weekday} ${shortDay(day)}`;
}

/** "25 Oct – 21 Nov 2026", naming a year and a month once where once is enough. */
export function days(start: string, end: string): string {
  const [a, b] = [parts(start), parts(end)];
  if (start === end) return `${a.day} ${a.month} ${a.year}`;
  if (a.year !== b.year) return `${shortDay(start)} ${a.year} – ${shortDay(end)} ${b.year}`;
  const first = a.month === b.month ? String(a.day) : shortDay(start);
  return `${first} – ${shortDay(end)} ${b.year}`;
}

/** A period by its first day: "29 Oct 2026", "week of 26 Oct 2026", "October 2026". */
export function period(start: string, granularity: string): string {
  const { day, month, year } = parts(start);
  if (granularity === "month") return `${month} ${year}`;
  return `${granularity === "week" ? "Week of " : ""}${day} ${month} ${year}`;
}

/** A period on an axis, where there is little room; its year is the axis's to tell. */
export function tick(start: string, granularity: string): string {
  return granularity === "month" ? parts(start).month : shortDay(start);
}

/** "4 minutes ago", of an instant some milliseconds back. */
export function ago(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 1) return "just now";
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (hours < 1) return plural(minutes, "minute") + " ago";
  return (days < 2 ? plural(hours, "hour") : plural(days, "day")) + " ago";
}

export function plural(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** The time of an instant in a time zone: "21 Nov, 01:36". */
export function moment(instant: string, timezone: string): string {
  const date = new Date(instant);
  const format = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat("en-GB", { timeZone: timezone, ...options }).format(date);
  const [day, time] = [
    format({ day: "numeric", month: "short" }),
    format({ hour: "2-digit", minute: "2-digit" }),
  ];
  return `${day}, ${time}`;
}

/** "a", "a and b", "a, b and c" */
export function listed(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}`;
}
