// Finds the words of a search in a text as the API does, without case and accents.

/** A piece of a text, and whether it matches the search. */
export interface Piece {
  readonly text: string;
  readonly marked: boolean;
}

const PART = /(-?)(?:"([^"]*)"|(\S+))/g;
const LETTER = /[\p{L}\p{N}\p{M}]/u;
/** Scripts without blanks between words, in which any part of a text can match. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** The words and phrases that a comment must hold for a search. */
export function wanted(search: string): string[] {
  return [...search.replace(/[“”„«»]/g, '"').matchAll(PART)]
    .filter(([, minus]) => !minus)
    .map(([, , quoted, bare]) => plain(quoted ?? bare?.replaceAll('"', "") ?? "").trim())
    .filter((part) => part !== "");
}

/** The text in pieces; those that match the search are marked. */
export function pieces(text: string, search: string): Piece[] {
  const parts = wanted(search);
  const marked = new Array<boolean>(text.length).fill(false);
  const { folded, places } = fold(text);
  for (const part of parts) {
    for (let at = folded.indexOf(part); at >= 0; at = folded.indexOf(part, at + 1)) {
      if (isWhole(folded, at, at + part.length)) {
        marked.fill(true, places[at] ?? 0, places[at + part.length] ?? text.length);
      }
    }
  }
  return joined(text, marked);
}

function joined(text: string, marked: readonly boolean[]): Piece[] {
  const found: Piece[] = [];
  let start = 0;
  for (let at = 1; at <= text.length; at++) {
    if (at < text.length && marked[at] === marked[start]) continue;
    found.push({ text: text.slice(start, at), marked: marked[start] ?? false });
    start = at;
  }
  return found;
}

function isWhole(text: string, start: number, end: number): boolean {
  const [before, first] = [text.slice(0, start).at(-1) ?? "", text[start] ?? ""];
  const [last, after] = [text[end - 1] ?? "", text[end] ?? ""];
  return isEdge(before, first) && isEdge(last, after);
}

function isEdge(left: string, right: string): boolean {
  if (UNSPACED.test(left) || UNSPACED.test(right)) return true;
  return !(LETTER.test(left) && LETTER.test(right));
}

/** The text in the form that is compared, and for each of its characters the place in the text. */
function fold(text: string): { readonly folded: string; readonly places: readonly number[] } {
  let folded = "";
  const places: number[] = [];
  let at = 0;
  for (const letter of text) {
    for (const each of plain(letter)) {
      folded += each;
      for (let n = 0; n < each.length; n++) places.push(at);
    }
    at += letter.length;
  }
  places.push(at);
  return { folded, places };
}

function plain(text: string): string {
  const folded = text.toLowerCase().replaceAll("ß", "ss").replaceAll("’", "'");
  return folded.normalize("NFKD").replace(/\p{M}/gu, "");
}
