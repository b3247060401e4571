// Ids and times of answers, in every browser and however wrong its clock is.

/** A random UUID. `crypto.randomUUID` cannot be used: it exists only on https pages. */
export function newId(source: Pick<Crypto, "getRandomValues"> = crypto): string {
  const bytes = source.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The clocks of a page. */
export interface Clocks {
  /** The browser's clock, in milliseconds since 1970. It may be wrong, and corrected at any time. */
  wall: () => number;
  /** A clock that never goes back, in milliseconds. Some browsers stop it during the machine's sleep. */
  running: () => number;
}

export const CLOCKS: Clocks = { wall: () => Date.now(), running: () => performance.now() };

/**
 * The server's time from now on, in milliseconds since 1970.
 *
 * `servedAt` is when the server made a reply that a cache may have kept for `freshS` seconds. If the
 * browser's clock is within that span, it may be right and is used; otherwise the server's time is
 * used. From then on the passed time is added. If the browser's clock was set back meanwhile, only
 * the running clock shows the passed time; if the machine slept, only the browser's clock does. So
 * the greater of the two is added. If the browser's clock was set forward meanwhile, the time is too
 * late; then the API refuses it, and the outbox sends the answer's age.
 */
export function serverTime(servedAt: string, freshS: number, clocks = CLOCKS): () => number {
  const [wall, running] = [clocks.wall(), clocks.running()];
  const served = Date.parse(servedAt);
  const behind = wall - served;
  const start = behind < 0 || behind > freshS * 1000 ? served : wall;
  return () => start + Math.max(clocks.wall() - wall, clocks.running() - running);
}
