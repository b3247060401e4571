// What a customer went through before a comment was written, in words. Pure.

import type { Comment } from "../interface.ts";
import { HANDLED_BY } from "./catalogue.ts";
import * as format from "./format.ts";
import { nameOf } from "./names.ts";
import { t, toTranslate } from "./texts.ts";

export type Experience = NonNullable<Comment["experience"]>;

type Levels = Readonly<Record<string, string>>;

const ACCEPT: Levels = {
  in_time: toTranslate("accepted in time"),
  late: toTranslate("accepted late"),
  never: toTranslate("never accepted"),
};
const FIRST_RESPONSE: Levels = {
  in_time: toTranslate("first response in time"),
  late: toTranslate("first response late"),
  never: toTranslate("never responded to"),
};
const FINISH: Levels = {
  in_time: toTranslate("finished in time"),
  late: toTranslate("finished late"),
  never: toTranslate("never finished"),
};
/** The class of durations that has no end. */
const LONGEST = "over-24h";

/** What there is to tell, in the order in which it happened. A threshold that was not set is no news. */
export function wentThrough(experience: Experience): string[] {
  const { media_type, entered_on, customer_segment, service_type, wait, life } = experience;
  const gaveUp = experience.was_abandoned === "yes";
  const medium = nameOf("media_type", media_type);
  return [
    entered_on === null
      ? medium
      : t("{medium} on {day}", { medium, day: format.tick(entered_on, "day") }),
    customer_segment && nameOf("customer_segment", customer_segment),
    service_type && nameOf("service_type", service_type),
    wait &&
      (wait === LONGEST
        ? t("waited a day or more")
        : t("waited {time}", { time: nameOf("wait", wait) })),
    gaveUp ? t("gave up before being accepted") : told(ACCEPT, experience.accept),
    gaveUp ? null : told(FIRST_RESPONSE, experience.first_response),
    gaveUp ? null : told(FINISH, experience.finish),
    life &&
      (life === LONGEST
        ? t("took a day or more in all")
        : t("took {time} in all", { time: nameOf("life", life) })),
    experience.had_revenue === "yes" && t("with revenue"),
    experience.handled_by &&
      t("handled by {name}", { name: nameOf(HANDLED_BY, experience.handled_by) }),
  ].filter((part): part is string => Boolean(part));
}

function told(levels: Levels, level: string | null): string | null {
  const text = levels[level ?? ""];
  return text === undefined ? null : t(text);
}
