// The options of the widget's tag: data-key, data-survey, and those that override the survey's rules.

import type { Context } from "../ask/answer.ts";
import type { Display, Survey, Trigger } from "../ask/survey.ts";

export interface Options {
  api: string;
  key: string;
  survey: string;
  language: string;
  theme: string;
  side: string;
  /** The button's text; if it is missing, that of the API is used. */
  button: string | undefined;
  context: Context;
  display: Partial<Display>;
}

const TRIGGERS: readonly string[] = ["button", "delay", "event", "api"];

/** The options of a tag with the script `source`; undefined without key and survey. */
export function readOptions(
  data: Record<string, string | undefined>,
  source: string,
  pageLanguage: string,
): Options | undefined {
  const { key, survey } = data;
  if (!key || !survey) return undefined;
  return {
    api: (data["api"] ?? new URL(source).origin).replace(/\/+$/, ""),
    key,
    survey,
    language: data["lang"] || pageLanguage,
    theme: data["theme"] ?? "light",
    side: data["side"] ?? "end",
    button: data["button"],
    context: contextOf(data),
    display: displayOf(data),
  };
}

/** The survey's display rules, overridden by those of the tag. */
export function displayRules(survey: Survey, options: Options): Display {
  return { ...survey.display, ...options.display };
}

function contextOf(data: Record<string, string | undefined>): Context {
  const context: Context = {};
  for (const name of ["channel", "agent", "interaction", "customer"] as const) {
    const value = data[name];
    if (value) context[name] = value;
  }
  if (data["sig"]) context.signature = data["sig"];
  return context;
}

function displayOf(data: Record<string, string | undefined>): Partial<Display> {
  const { trigger, event } = data;
  const delay = wholeNumber(data["delay"]);
  const sample = wholeNumber(data["sample"]);
  const again = wholeNumber(data["again"]);
  return {
    ...(event ? { event, trigger: "event" as const } : {}),
    ...(delay !== undefined && { delay, trigger: "delay" as const }),
    ...(trigger && TRIGGERS.includes(trigger) && { trigger: trigger as Trigger }),
    ...(sample !== undefined && { sample_pct: sample }),
    ...(again !== undefined && { again_days: again }),
  };
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}
