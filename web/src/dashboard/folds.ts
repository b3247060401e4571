// Which rows of a folding table are unfolded, as the address says it: the level to which all rows are,
// then the rows that differ from that, each by its values: folds=2,voice/2026-11-02. Pure.

import type { Node } from "./pivot.ts";

export interface Folds {
  /** Rows of levels below this one are unfolded. */
  readonly level: number;
  /** The keys (pivot.ts) of rows for which the opposite holds. */
  readonly except: ReadonlySet<string>;
}

const NOT_GIVEN = "(none)";

/** The folds in a raw parameter; without one, or with a wrong one, all rows of a level. */
export function parseFolds(raw: string | undefined, usual: number): Folds {
  const [level = "", ...paths] = (raw ?? "").split(",");
  if (!/^\d$/.test(level)) return { level: usual, except: new Set() };
  return { level: Number(level), except: new Set(paths.map(keyOf)) };
}

/** The raw parameter; null if all rows are as by default. */
export function formatFolds({ level, except }: Folds, usual: number): string | null {
  if (level === usual && except.size === 0) return null;
  return [String(level), ...[...except].map(pathOf)].join(",");
}

export function isUnfolded({ level, except }: Folds, node: Node): boolean {
  return node.level < level !== except.has(node.key);
}

/** The folds after a row was folded or unfolded. */
export function toggled({ level, except }: Folds, node: Node): Folds {
  const changed = new Set(except);
  if (!changed.delete(node.key)) changed.add(node.key);
  return { level, except: changed };
}

/** The path of a row by its values; the row over all others has none, and so an empty path. */
function keyOf(path: string): string {
  const values = path === "" ? [] : path.split("/").map(decode);
  return JSON.stringify(values.map((value) => (value === NOT_GIVEN ? null : value)));
}

function pathOf(key: string): string {
  const values = JSON.parse(key) as (string | null)[];
  return values.map((value) => encodeURIComponent(value ?? NOT_GIVEN)).join("/");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
