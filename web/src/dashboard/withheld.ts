// Figures that a reply withholds, because they judge a person by too few responses. They are null and
// must not be read as 0. Pure.

import { count, type Row } from "./reply.ts";
import { t } from "./texts.ts";

export function isWithheld(row: Row | undefined): boolean {
  return row?.["withheld"] === true;
}

/** Why there is a "–" in these rows; null if nothing is withheld. */
export function withheldNote(rows: readonly Row[]): string | null {
  return rows.some(isWithheld) ? t("“–” stands where too few answers would judge a person.") : null;
}

/** Whether a total counts nothing; false for a withheld one, of which that is not known. */
export function nothingCounted(total: Row | undefined): boolean {
  return !isWithheld(total) && count(total) === 0;
}
