// The vertical axis of a line chart: its range, its ticks, and the width of their texts. Pure
// functions.

import type { ScaleLinear } from "d3-scale";

type LinearScale = ScaleLinear<number, number>;
type Extent = readonly [number, number];

/** About how many pixels a letter of an axis's text is wide. */
const LETTER = 7;

/** The range from the least to the greatest value, with some space around it, within `bounds`. */
export function axisDomain(values: readonly number[], bounds: Extent): [number, number] {
  if (!values.length) return Number.isFinite(bounds[1] - bounds[0]) ? [...bounds] : [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const air = (high - low) * 0.05 || 1;
  return [Math.max(bounds[0], low - air), Math.min(bounds[1], high + air)];
}

export interface Tick {
  readonly value: number;
  readonly text: string;
}

/** About four ticks; fewer if rounding would give two of them the same text. */
export function axisTicks(scale: LinearScale, format: (value: number) => string): Tick[] {
  for (const wanted of [4, 2, 1]) {
    const ticks = scale.ticks(wanted).map((value) => ({ value, text: format(value) }));
    if (new Set(ticks.map(({ text }) => text)).size === ticks.length) return ticks;
  }
  return [];
}

/** The width of the longest text in pixels, at least `least`. */
export function axisRoom(ticks: readonly Tick[], least: number): number {
  return Math.max(least, ...ticks.map(({ text }) => text.length * LETTER));
}
