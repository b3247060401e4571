// The properties that every page gets.

import type { Params } from "../view.ts";

export interface PageProps {
  readonly params: Params;
  /** The names of the filters that the API accepts for this page's family. */
  readonly filters: readonly string[];
}
