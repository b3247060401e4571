// The pictures of a scale. Faces differ by their shape, not only by colour: mouth and brows show moods.

import { shape, svg } from "./elements.ts";

/** A face between -1, very unhappy, and 1, very happy. */
export function face(mood: number): SVGElement {
  const corner = round(21 - 2.6 * mood);
  const bend = round(21 + 6.2 * mood);
  const mouth = `M9.5 ${corner} Q16 ${bend} 22.5 ${corner}`;
  const parts = [
    shape("circle", { class: "skin", cx: 16, cy: 16, r: 14 }),
    shape("circle", { class: "ink", cx: 11, cy: 13, r: 1.9 }),
    shape("circle", { class: "ink", cx: 21, cy: 13, r: 1.9 }),
    shape("path", { class: "line", d: mood > 0.8 ? `${mouth} Z` : mouth }),
  ];
  if (mood < -0.8) {
    parts.push(shape("path", { class: "line", d: "M7.5 8 L12.5 10 M24.5 8 L19.5 10" }));
  }
  return svg({ viewBox: "0 0 32 32", class: `face ${tone(mood)}` }, ...parts);
}

export function star(): SVGElement {
  const outline = "M16 3 L20 12 L30 13 L22.5 19.5 L25 29 L16 24 L7 29 L9.5 19.5 L2 13 L12 12 Z";
  return svg({ viewBox: "0 0 32 32", class: "star" }, shape("path", { d: outline }));
}

function tone(mood: number): string {
  if (mood > 0.3) return "good";
  return mood < -0.3 ? "bad" : "middling";
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
