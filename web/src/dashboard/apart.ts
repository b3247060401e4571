// Text of others beside ours. Names of agents, channels and tags come from whoever may send them:
// none is to show what stands beside it in another order, or to look like another name. Pure.

/** Controls, formats and separators of lines, which show as nothing, less those within words. */
const UNSEEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** Letters that are written from right to left, and reorder signs and figures beside them. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const [ISOLATE, END] = ["\u2068", "\u2069"];

/** The text as it can be seen, an escape such as \u202e for each sign that shows as nothing. */
export function seen(text: string): string {
  return text.replace(UNSEEN, (sign) => SHORT[sign] ?? escaped(sign.codePointAt(0) ?? 0));
}

const SHORT: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** As the command writes it. */
function escaped(code: number): string {
  const digits = code.toString(16);
  if (code < 0x100) return `\\x${digits.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
}

/** The text as it may stand within a line of ours, whatever direction it is written in. */
export function apart(text: string): string {
  const told = seen(text);
  return RIGHT_TO_LEFT.test(told) ? ISOLATE + told + END : told;
}

/** The first letters of a text that may hold some that is set apart. */
export function beginning(text: string, length: number): string {
  const cut = text.slice(0, length);
  return cut.lastIndexOf(ISOLATE) > cut.lastIndexOf(END) ? cut + END : cut;
}
