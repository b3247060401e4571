// Shortens a group's name if there is little room for it. Pure functions.

import { beginning } from "../apart.ts";

/** Characters as wide as two letters: Chinese, Japanese, Korean, and emojis. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const HALF_AS_WIDE_AGAIN = /[MW%@—]/;

/** The name in at most `room` letters. An id behind it, "(id)", is kept: names may be equal. */
export function shortened(text: string, room: number): string {
  if (width(text) <= room) return text;
  const [, name = text, id = ""] = /^(.*)( \([^()]+\))$/.exec(text) ?? [];
  const rest = room - width(id) - 1;
  return rest < 3 ? `${fitting(text, room - 1)}…` : `${fitting(name, rest)}…${id}`;
}

/** The width of a text, in letters of usual width. */
function width(text: string): number {
  return Array.from(text).reduce((sum, sign) => sum + widthOf(sign), 0);
}

function widthOf(sign: string): number {
  return WIDE.test(sign) ? 2 : HALF_AS_WIDE_AGAIN.test(sign) ? 1.5 : 1;
}

function fitting(text: string, room: number): string {
  let [length, left] = [0, room];
  for (const sign of text) {
    left -= widthOf(sign);
    if (left < 0) break;
    length += sign.length;
  }
  return beginning(text, length);
}
