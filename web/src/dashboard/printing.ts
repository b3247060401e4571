// Whether the page is being printed: on paper everything is shown at once and nothing scrolls.

import { signal } from "@preact/signals";
import { options } from "preact";

export const printing = signal(false);

/** Sets `printing` while the browser prints, and redraws what depends on it. */
export function watchPrinting(): void {
  addEventListener("beforeprint", () => drawAtOnce(() => (printing.value = true)));
  addEventListener("afterprint", () => (printing.value = false));
}

/** Redraws at once: the browser prints the page as it is when the event's listeners return. */
function drawAtOnce(change: () => void): void {
  const usual = options.debounceRendering;
  options.debounceRendering = (render) => render();
  change();
  if (usual) options.debounceRendering = usual;
  else delete options.debounceRendering;
}
