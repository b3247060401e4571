// Requests take turns: an overview asks some thirty questions, and the API answers so many a
// second for all its callers together. What it has no time for is asked again a little later.

const AT_ONCE = 8;
const DELAYS_S = [1, 2];
/** Who is asked to wait longer than this is told so instead. */
const LONGEST_S = 10;

let free = AT_ONCE;
const waiting: (() => void)[] = [];

/** The response, once its turn has come: what the last try gives, where the API stays busy. */
export async function patiently(send: () => Promise<Response>): Promise<Response> {
  await turn();
  try {
    for (const delay of DELAYS_S) {
      const response = await send();
      const pause = pauseAfter(response, delay);
      if (pause === null) return response;
      await new Promise((resolve) => setTimeout(resolve, pause * 1000)); // its turn is kept
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

/** The seconds until another try; null where it would not help, or not soon. */
function pauseAfter(response: Response, delay: number): number | null {
  const wish = response.headers.get("retry-after");
  const busy = response.status === 429 || (response.status === 503 && wish !== null);
  const pause = Math.max(delay, Number(wish) || 0);
  if (!busy || pause > LONGEST_S) return null;
  return pause * (1 + Math.random() / 2); // so that not all come back at once
}
