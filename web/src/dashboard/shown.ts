// The meta of the page's main reply, for the parts around the page.

import { signal } from "@preact/signals";
import type { Meta } from "./reply.ts";

export const shown = signal<Meta | null>(null);
