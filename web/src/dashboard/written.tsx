// A way from figures to what the customers behind them wrote, for keys that may read it.

import type { JSX } from "preact";
import { catalogue } from "./catalogue.ts";
import { Link } from "./link.tsx";
import { t } from "./texts.ts";
import { carried, withParams, type Params } from "./view.ts";

interface Props {
  readonly params: Params;
  readonly filters: readonly string[];
  readonly metric: string;
}

export function WrittenLink({ params, filters, metric }: Props): JSX.Element | null {
  if (!catalogue.value?.comments) return null;
  const kept = withParams(carried(params, filters), { metric, segment: "bad" });
  return (
    <p class="note">
      <Link to={{ page: "comments", params: kept }}>{t("What dissatisfied customers wrote")}</Link>
    </p>
  );
}
