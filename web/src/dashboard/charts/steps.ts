// The point of a chart that a key moves to. Pure functions.

/** The index after a key press; null for a key without a meaning here. */
export function step(key: string, index: number, count: number): number | null {
  const last = count - 1;
  switch (key) {
    case "ArrowRight":
    case "ArrowDown":
      return Math.min(last, index + 1);
    case "ArrowLeft":
    case "ArrowUp":
      return Math.max(0, index - 1);
    case "PageDown":
      return Math.min(last, index + 7);
    case "PageUp":
      return Math.max(0, index - 7);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}
