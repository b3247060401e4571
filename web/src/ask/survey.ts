// The survey, as GET /v1/surveys/{id} returns it (docs/api.md).

import type { Survey as Served } from "../interface.ts";
import { serverTime } from "./identity.ts";

export type Display = Served["display"];
export type Trigger = Display["trigger"];
export type PageTexts = Served["words"];
export type Asker = Served["asked_by"];

export interface Survey extends Omit<Served, "metric" | "served_at" | "fresh_s"> {
  /** The server's time, in milliseconds since 1970. */
  now: () => number;
}

/**
 * `unknown`: the key or the survey does not exist, or may not be used on this page. `unreachable`:
 * there is no reply now.
 */
export type SurveyResult = { survey: Survey } | { fault: "unknown" | "unreachable" };

export async function findSurvey(
  api: string,
  key: string,
  id: string,
  language: string,
): Promise<SurveyResult> {
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

/** Compares the clocks at once: later the age of the page would look like an error of its clock. */
function received({ served_at, fresh_s, ...survey }: Served): Survey {
  return { ...survey, now: serverTime(served_at, fresh_s) };
}

/** All scores, the lowest first. */
export function scores({ scale }: Pick<Survey, "scale">): number[] {
  return Array.from({ length: scale.max - scale.min + 1 }, (_, index) => scale.min + index);
}

/** The mood of a score, from -1 for the worst to 1 for the best. */
export function mood({ scale }: Pick<Survey, "scale">, score: number): number {
  const share = (score - scale.min) / (scale.max - scale.min);
  return (scale.lower_is_better ? 1 - share : share) * 2 - 1;
}

/** The name of a score: its label or, at an end of the scale, the name of the end; else "". */
export function meaning(
  { scale, labels, ends }: Pick<Survey, "scale" | "labels" | "ends">,
  score: number,
): string {
  if (labels.length > 0) return labels[score - scale.min] ?? "";
  if (score === scale.min) return ends[0];
  return score === scale.max ? ends[1] : "";
}
