// Rows with subtotals as a tree that folds: what is below what, and which rows stand there. Pure.

import { label, number, type Row } from "./reply.ts";

export interface Node {
  readonly row: Row;
  /** How many of the grouped columns the row tells; 0 is the total of all. */
  readonly level: number;
  /** Names the row: the values that it tells. */
  readonly key: string;
  readonly parent: string | null;
}

export interface Tree {
  readonly depth: number;
  readonly roots: readonly Node[];
  readonly below: ReadonlyMap<string, readonly Node[]>;
}

/** A tree of the rows, which say in `level` how many of the grouped columns they tell. */
export function tree(rows: readonly Row[], grouped: readonly string[]): Tree {
  const nodes = rows.map((row): Node => {
    const level = number(row, "level") ?? grouped.length;
    return {
      row,
      level,
      key: keyOf(row, grouped, level),
      parent: level === 0 ? null : keyOf(row, grouped, level - 1),
    };
  });
  const known = new Set(nodes.map((node) => node.key));
  const below = new Map<string, Node[]>();
  const roots: Node[] = [];
  for (const node of nodes) {
    if (node.parent === null || !known.has(node.parent)) roots.push(node);
    else below.set(node.parent, [...(below.get(node.parent) ?? []), node]);
  }
  return { depth: grouped.length, roots, below };
}

/** A value that is not given and one that is not told differ: the level says which. */
function keyOf(row: Row, grouped: readonly string[], level: number): string {
  return JSON.stringify(grouped.slice(0, level).map((name) => label(row, name)));
}

/** The rows that are seen when those of some keys are unfolded, in order. */
export function visible(found: Tree, unfolded: ReadonlySet<string>): Node[] {
  const walk = (node: Node): Node[] => [
    node,
    ...(unfolded.has(node.key) ? (found.below.get(node.key) ?? []).flatMap(walk) : []),
  ];
  return found.roots.flatMap(walk);
}

/** The keys to unfold for seeing every row down to a level. */
export function downTo(found: Tree, level: number): Set<string> {
  const keys = [...found.roots, ...[...found.below.values()].flat()]
    .filter((node) => node.level < level)
    .map((node) => node.key);
  return new Set(keys);
}
