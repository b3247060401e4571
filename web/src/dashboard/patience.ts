// Limits how many requests run at a time: an overview makes some thirty, and the API has a limit of
// requests a second for all callers together. Requests that it refuses are sent again a little later.

const AT_ONCE = 8;
const DELAYS_S = [1, 2];
/** If the API asks to wait longer than so many seconds, the reader gets an error instead. */
const LONGEST_S = 10;

let free = AT_ONCE;
const waiting: (() => void)[] = [];

/** The response, after the request had its turn; if the API stays busy, that of the last try. */
export async function patiently(send: () => Promise<Response>): Promise<Response> {
  await turn();
  try {
    for (const delay of DELAYS_S) {
      const response = await send();
      const pause = pauseAfter(response, delay);
      if (pause === null) return response;
      await new Promise((resolve) => setTimeout(resolve, pause * 1000)); // it keeps its turn
    }
    return await send();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else free++;
  }
}

async function turn(): Promise<void> {
  if (free > 0) free--;
  else await new Promise<void>((resolve) => waiting.push(resolve));
}

/** The seconds until another try; null if it would not help, or not soon. */
function pauseAfter(response: Response, delay: number): number | null {
  const wish = response.headers.get("retry-after");
  const busy = response.status === 429 || (response.status === 503 && wish !== null);
  const pause = Math.max(delay, Number(wish) || 0);
  if (!busy || pause > LONGEST_S) return null;
  return pause * (1 + Math.random() / 2); // so that not all are sent again at the same time
}
