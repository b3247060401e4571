// What a reply withholds: figures of too few answers, which would judge a person. They are null,
// and must not be read as 0. Pure.

import { count, type Row } from "./reply.ts";
import { t } from "./texts.ts";

export function isWithheld(row: Row | undefined): boolean {
  return row?.["withheld"] === true;
}

/** Why "–" stands among these rows; null where nothing is withheld. */
export function withheldNote(rows: readonly Row[]): string | null {
  return rows.some(isWithheld) ? t("“–” stands where too few answers would judge a person.") : null;
}

/** True of a total that counts nothing; a withheld one does not tell how much it counts. */
export function nothingCounted(total: Row | undefined): boolean {
  return !isWithheld(total) && count(total) === 0;
}
