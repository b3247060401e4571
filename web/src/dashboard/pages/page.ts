// What every page is given.

import type { Params } from "../view.ts";

export interface PageProps {
  readonly params: Params;
  /** What the API takes as filters for this page's family. */
  readonly filters: readonly string[];
}
