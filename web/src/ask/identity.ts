// Ids and times of answers, whatever the browser lacks and however wrong its clock is.

const TOLERANCE_MS = 10 * 60 * 1000;

/** A random UUID; `crypto.randomUUID` itself exists on https pages alone. */
export function newId(source: Pick<Crypto, "getRandomValues"> = crypto): string {
  const bytes = source.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/**
 * Milliseconds to add to this clock. The API refuses an answer given five minutes from now, so a
 * clock that is plainly wrong is put right; `servedAt` may itself come from a cache, up to five
 * minutes old.
 */
export function clockOffset(servedAt: string, now: number): number {
  const offset = Date.parse(servedAt) - now;
  return Math.abs(offset) > TOLERANCE_MS ? offset : 0;
}
