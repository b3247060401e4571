// Calendar days as text (YYYY-MM-DD): steps, periods, and which may still change. Pure.

const MS_PER_DAY = 86_400_000;

export type Granularity = "day" | "week" | "month";

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * MS_PER_DAY).toISOString().slice(0, 10);
}

/** How many days there are from one to the other, both included. */
export function daysBetween(start: string, end: string): number {
  return Math.round((Date.parse(end) - Date.parse(start)) / MS_PER_DAY) + 1;
}

/** The last day of the period that begins on a day. */
export function periodEnd(start: string, granularity: Granularity): string {
  if (granularity === "day") return start;
  if (granularity === "week") return addDays(start, 6);
  const [year = 0, month = 1] = start.split("-").map(Number);
  return new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10);
}

const DAYS = new Map<string, Intl.DateTimeFormat>();

/** The calendar day of an instant in a time zone. */
export function dayOf(instant: string, timezone: string): string {
  const known = DAYS.get(timezone);
  const format = known ?? new Intl.DateTimeFormat("en-CA", { timeZone: timezone, dateStyle: "short" });
  if (!known) DAYS.set(timezone, format); // to make one takes long, and tables ask for each row
  return format.format(new Date(instant));
}

/** Whether figures of days up to `end` may still grow after the build of `asOf`. */
export function isOpen(end: string, asOf: string | null, timezone: string): boolean {
  return asOf !== null && end >= dayOf(asOf, timezone);
}
