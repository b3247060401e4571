// Draws only the visible rows of a long table, with the height of the others left empty above and below
// them. On paper all rows are drawn.

import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { printing } from "./printing.ts";

/** Up to so many rows all are drawn, so that the browser's own search finds each of them. */
const FEW = 200;
/** How many invisible rows are drawn on either side, so that scrolling shows no gap. */
const MARGIN = 20;
/** By how many rows the window moves at a time. */
const STEP = 10;
const BEFORE_MEASURED = 31;

export interface Range {
  readonly first: number;
  /** The index after the last row. */
  readonly end: number;
}

/** The window of `count` rows of a height, by how far the frame is scrolled and how high it is. */
export function rangeOf(scrolled: number, sight: number, height: number, count: number): Range {
  const down = (row: number): number => Math.floor(row / STEP) * STEP;
  const first = Math.min(count, Math.max(0, down(scrolled / height - MARGIN)));
  const end = down((scrolled + sight) / height + MARGIN) + STEP;
  return { first, end: Math.min(count, Math.max(first, end)) };
}

interface Windowed extends Range {
  /** Whether some rows are not drawn. */
  readonly partial: boolean;
  /** The height of the rows above and below, in pixels. */
  readonly above: number;
  readonly below: number;
  readonly onScroll: () => void;
}

/** The window of `count` rows in a frame that scrolls; rows are `tr[aria-rowindex]`. */
export function useWindow(frame: RefObject<HTMLElement | null>, count: number): Windowed {
  const height = useRef(BEFORE_MEASURED);
  const [range, setRange] = useState<Range>(() => rangeOf(0, 800, BEFORE_MEASURED, count));
  const look = (): void => {
    const box = frame.current;
    if (!box) return;
    const next = rangeOf(box.scrollTop, box.clientHeight, height.current, count);
    if (next.first !== range.first || next.end !== range.end) setRange(next);
  };
  useLayoutEffect(() => {
    const rows = frame.current?.querySelectorAll<HTMLElement>("tbody tr[aria-rowindex]");
    const [first, last] = [rows?.[0], rows?.[(rows?.length ?? 0) - 1]];
    if (rows && first && last && rows.length > 1) {
      height.current = (last.offsetTop - first.offsetTop) / (rows.length - 1);
    }
    look();
  });
  if (count <= FEW || printing.value) {
    return { first: 0, end: count, partial: false, above: 0, below: 0, onScroll: () => undefined };
  }
  const end = Math.min(range.end, count);
  const first = Math.min(range.first, end);
  return {
    first,
    end,
    partial: true,
    above: first * height.current,
    below: (count - end) * height.current,
    onScroll: look,
  };
}
