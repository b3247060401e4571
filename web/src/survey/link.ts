// The address of a survey page: /s/{publishable key}?survey=…&channel=…&agent=…&interaction=…&sig=…

import type { Context } from "../ask/answer.ts";

export interface SurveyLink {
  key: string;
  survey: string;
  /** The wanted language; "" for that of the browser. */
  language: string;
  /** The score that was clicked in a mail: it is chosen, and no vote. */
  score: number | undefined;
  context: Context;
}

export function readLink(path: string, query: string): SurveyLink {
  const given = new URLSearchParams(query);
  const context: Context = {};
  for (const name of ["channel", "agent", "interaction", "customer"] as const) {
    const value = given.get(name);
    if (value) context[name] = value;
  }
  const signature = given.get("sig");
  if (signature) context.signature = signature;
  return {
    key: decode(path.split("/")[2] ?? ""),
    survey: given.get("survey") ?? "",
    language: given.get("lang") ?? "",
    score: wholeNumber(given.get("score")),
    context,
  };
}

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^\d{1,2}$/.test(text) ? Number(text) : undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
