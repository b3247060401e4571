// What is asked: the survey as GET /v1/surveys/{id} tells it (docs/api.md).

import { serverTime } from "./identity.ts";

export type Style = "faces" | "stars" | "numbers";
export type Trigger = "button" | "delay" | "event" | "api";

export interface Display {
  trigger: Trigger;
  /** Seconds. */
  delay: number;
  event: string | null;
  sample_pct: number;
  again_days: number;
}

export interface Words {
  comment: string;
  send: string;
  close: string;
  open: string;
  sending: string;
  sent: string;
  waiting: string;
  refused: string;
  retry: string;
  already: string;
  change: string;
  again: string;
}

export interface Survey {
  id: string;
  question: string;
  style: Style;
  scale: { min: number; max: number; lower_is_better: boolean };
  /** Names of the scores from the lowest on, or empty. */
  labels: string[];
  /** What the lowest and the highest score mean. */
  ends: [string, string];
  thanks: string;
  language: string;
  direction: "ltr" | "rtl";
  words: Words;
  display: Display;
  /** How long after it was given the API takes an answer, in seconds. */
  back_s: number;
  /** The server's time, in milliseconds since 1970. */
  now: () => number;
}

/** The survey as it comes; a cache may have kept it for `fresh_s` seconds since `served_at`. */
type Served = Omit<Survey, "now"> & { served_at: string; fresh_s: number };

/** `unknown`: key or survey do not exist, or not for this page. `unreachable`: no answer now. */
export type Found = { survey: Survey } | { fault: "unknown" | "unreachable" };

export async function findSurvey(
  api: string,
  key: string,
  id: string,
  language: string,
): Promise<Found> {
  const query = new URLSearchParams({ key, lang: language });
  try {
    const reply = await fetch(`${api}/v1/surveys/${encodeURIComponent(id)}?${query}`, {
      credentials: "omit",
    });
    if (reply.ok) return { survey: received((await reply.json()) as Served) };
    const passing = reply.status >= 500 || reply.status === 429;
    return { fault: passing ? "unreachable" : "unknown" };
  } catch {
    return { fault: "unreachable" };
  }
}

/** Judges the clock at once: later the page's age would count as its fault. */
function received({ served_at, fresh_s, ...survey }: Served): Survey {
  return { ...survey, now: serverTime(served_at, fresh_s) };
}

/** Every score, from the lowest on. */
export function scores({ scale }: Pick<Survey, "scale">): number[] {
  return Array.from({ length: scale.max - scale.min + 1 }, (_, index) => scale.min + index);
}

/** How a score feels: from -1, the worst, to 1, the best. */
export function mood({ scale }: Pick<Survey, "scale">, score: number): number {
  const share = (score - scale.min) / (scale.max - scale.min);
  return (scale.lower_is_better ? 1 - share : share) * 2 - 1;
}

/** What a score means in words: its label or, at the ends of the scale, the end's; else "". */
export function meaning(
  { scale, labels, ends }: Pick<Survey, "scale" | "labels" | "ends">,
  score: number,
): string {
  if (labels.length > 0) return labels[score - scale.min] ?? "";
  if (score === scale.min) return ends[0];
  return score === scale.max ? ends[1] : "";
}
