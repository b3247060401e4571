// Whether the page is being put on paper, where everything is shown at once and nothing scrolls.

import { signal } from "@preact/signals";
import { options } from "preact";

export const printing = signal(false);

/** From now on `printing` is true while the browser prints, and what depends on it is drawn. */
export function watchPrinting(): void {
  addEventListener("beforeprint", () => drawAtOnce(() => (printing.value = true)));
  addEventListener("afterprint", () => (printing.value = false));
}

/** The browser takes the page as it is when the event's listeners return: nothing may wait. */
function drawAtOnce(change: () => void): void {
  const usual = options.debounceRendering;
  options.debounceRendering = (render) => render();
  change();
  if (usual) options.debounceRendering = usual;
  else delete options.debounceRendering;
}
