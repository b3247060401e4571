// A link from figures to the comments of their customers, for keys that may read comments.

import type { JSX } from "preact";
import { catalogue } from "./catalogue.ts";
import * as format from "./format.ts";
import { Link } from "./link.tsx";
import { t } from "./texts.ts";
import { carried, withDates, withParams, type Params } from "./view.ts";

interface Props {
  readonly params: Params;
  readonly filters: readonly string[];
  readonly metric: string;
  /** The first and the last day; only comments of these days are shown. */
  readonly days?: readonly [string, string];
}

export function WrittenLink({ params, filters, metric, days }: Props): JSX.Element | null {
  if (!catalogue.value?.comments) return null;
  const kept = withParams(carried(params, filters), { metric, segment: "bad" });
  const text = days
    ? t("What dissatisfied customers wrote: {days}", { days: format.days(...days) })
    : t("What dissatisfied customers wrote");
  return (
    <p class="note">
      <Link to={{ page: "comments", params: days ? withDates(kept, ...days) : kept }}>{text}</Link>
    </p>
  );
}
