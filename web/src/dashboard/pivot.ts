// Rows with subtotals as a tree that folds: which rows are below which, and which are shown. Pure.

import { label, number, type Row } from "./reply.ts";

export interface Node {
  readonly row: Row;
  /** How many of the grouped columns the row has; 0 for the total of all. */
  readonly level: number;
  /** The key of the row, made of its values. */
  readonly key: string;
  readonly parent: string | null;
}

export interface Tree {
  readonly depth: number;
  readonly roots: readonly Node[];
  readonly below: ReadonlyMap<string, readonly Node[]>;
}

/** The rows as a tree; their column `level` has the number of grouped columns of a row. */
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
    else if (!below.get(node.parent)?.push(node)) below.set(node.parent, [node]);
  }
  return { depth: grouped.length, roots, below };
}

/** The values of a row. A null and a value that a subtotal lacks differ: the level says which it is. */
function keyOf(row: Row, grouped: readonly string[], level: number): string {
  return JSON.stringify(grouped.slice(0, level).map((name) => label(row, name)));
}

/** The rows that are shown, in order: a row below another one only if that is unfolded. */
export function visible(found: Tree, isUnfolded: (node: Node) => boolean): Node[] {
  const seen: Node[] = [];
  const walk = (node: Node): void => {
    seen.push(node);
    if (isUnfolded(node)) found.below.get(node.key)?.forEach(walk);
  };
  found.roots.forEach(walk);
  return seen;
}

/** The tree with the rows below each row in another order. */
export function ordered(found: Tree, compare: (a: Row, b: Row) => number): Tree {
  const inOrder = (nodes: readonly Node[]): Node[] =>
    [...nodes].sort((a, b) => compare(a.row, b.row));
  const below = [...found.below].map(([key, nodes]) => [key, inOrder(nodes)] as const);
  return { depth: found.depth, roots: inOrder(found.roots), below: new Map(below) };
}
