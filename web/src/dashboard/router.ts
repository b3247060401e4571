// The view in the address, and changes to another one. Back and Forward are the browser's own; Esc
// goes back within the dashboard.

import { signal } from "@preact/signals";
import { formatAddress, parseAddress, type Params, type View } from "./view.ts";

interface Step {
  /** How many views of the dashboard come before this one in the tab's history. */
  readonly depth: number;
}

function here(): View {
  return parseAddress(location.pathname, location.search);
}

export const view = signal<View>(here());

export function start(): void {
  view.value = here();
  addEventListener("popstate", () => (view.value = here()));
}

export function go(next: View, { replace = false } = {}): void {
  const address = formatAddress(next);
  if (address === formatAddress(view.value)) return;
  const step: Step = { depth: depth() + (replace ? 0 : 1) };
  if (replace) history.replaceState(step, "", address);
  else history.pushState(step, "", address);
  if (next.page !== view.value.page) scrollTo(0, 0);
  view.value = next;
}

/** The same page with other parameters. */
export function look(params: Params, options: { replace?: boolean } = {}): void {
  go({ page: view.value.page, params }, options);
}

/** Goes one step back, if that stays within the dashboard. */
export function undo(): void {
  if (depth() > 0) history.back();
}

function depth(): number {
  return (history.state as Step | null)?.depth ?? 0;
}
