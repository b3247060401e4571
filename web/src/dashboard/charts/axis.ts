// The upright axis of a line chart: what it spans, where its ticks are, how much room they take. Pure.

import type { ScaleLinear } from "d3-scale";

type LinearScale = ScaleLinear<number, number>;
type Extent = readonly [number, number];

/** About a letter's width in an axis's text. */
const LETTER = 7;

/** From the least to the greatest value with some air, within what no figure can pass. */
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

/** About four ticks; fewer where rounding would give two of them the same text. */
export function axisTicks(scale: LinearScale, format: (value: number) => string): Tick[] {
  for (const wanted of [4, 2, 1]) {
    const ticks = scale.ticks(wanted).map((value) => ({ value, text: format(value) }));
    if (new Set(ticks.map(({ text }) => text)).size === ticks.length) return ticks;
  }
  return [];
}

/** The width that the longest text takes, but at least `least`. */
export function axisRoom(ticks: readonly Tick[], least: number): number {
  return Math.max(least, ...ticks.map(({ text }) => text.length * LETTER));
}
