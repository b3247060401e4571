// Ids and times of answers, whatever the browser lacks and however wrong its clock is.

/** A random UUID; `crypto.randomUUID` itself exists on https pages alone. */
export function newId(source: Pick<Crypto, "getRandomValues"> = crypto): string {
  const bytes = source.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** What a page reads the time from. */
export interface Clocks {
  /** The browser's clock, milliseconds since 1970: it may be wrong, and be put right at any time. */
  wall: () => number;
  /** Milliseconds that only run forward. Some browsers stop them while the machine sleeps. */
  running: () => number;
}

export const CLOCKS: Clocks = { wall: () => Date.now(), running: () => performance.now() };

/**
 * The server's time from now on, in milliseconds since 1970.
 *
 * `servedAt` is when the server made a reply that a cache may have kept for `freshS` seconds. A
 * browser's clock within that span may be right, and is believed; in place of any other one the
 * server's time is taken. From there on the time goes by what has passed. Where the browser's clock
 * was set back meanwhile only the running clock tells that; where the machine slept only the
 * browser's clock does. So the greater of the two counts. A clock that was set forward meanwhile
 * makes the time too late: the API then refuses it, and the outbox sends the answer's age.
 */
export function serverTime(servedAt: string, freshS: number, clocks = CLOCKS): () => number {
  const [wall, running] = [clocks.wall(), clocks.running()];
  const served = Date.parse(servedAt);
  const behind = wall - served;
  const start = behind < 0 || behind > freshS * 1000 ? served : wall;
  return () => start + Math.max(clocks.wall() - wall, clocks.running() - running);
}
