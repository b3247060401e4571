// The two groups of comments whose words are compared: bad and good answers, these days and those
// before, or one group and all others. The address has the choice, as the API does. Pure functions.

import type { Words } from "../interface.ts";
import {
  filteredTo,
  formatCondition,
  parseCondition,
  reportQuery,
  withDates,
  withParams,
  type Params,
} from "./view.ts";

export type Contrast = Words["contrast"];

/** The group that is compared with all others; its value is undefined until it is chosen. */
export interface Against {
  readonly dimension: string;
  readonly value: string | null | undefined;
}

export function contrastOf(params: Params): Contrast {
  const asked = params.get("contrast");
  if (asked === "filter") return asked;
  // nothing came before all time
  return asked === "period" && params.get("preset") !== "all_time" ? asked : "segment";
}

export function withContrast(params: Params, contrast: Contrast): Params {
  return withParams(params, {
    contrast: contrast === "segment" ? null : contrast,
    against: contrast === "filter" ? (params.get("against") ?? null) : null,
  });
}

/** The group in the address, or else the first of the dimensions without a value. */
export function againstOf(params: Params, dimensions: readonly string[]): Against | null {
  const [text] = parseCondition((params.get("against") ?? "").replaceAll(",", "%2C")).values;
  const [name = "", ...rest] = (text ?? "").split("=");
  const dimension = dimensions.includes(name) ? name : dimensions[0];
  if (dimension === undefined) return null;
  const value = dimension === name && rest.length > 0 ? rest.join("=") : undefined;
  return { dimension, value: value === NOT_GIVEN ? null : value };
}

const NOT_GIVEN = "(none)";

export function withAgainst(params: Params, { dimension, value }: Against): Params {
  const text = value === undefined ? dimension : `${dimension}=${value ?? NOT_GIVEN}`;
  return withParams(params, { against: encodeURIComponent(text) });
}

/** What the comments' own search adds to the filters. */
const SEARCHED = ["segment", "score"];
const NO_PERIODS = { compare: null, granularity: null, tenant: null };

/** The query for the words; null while the group to compare with the others is not chosen. */
export function wordsQuery(
  params: Params,
  filters: readonly string[],
  limit: string,
): string | null {
  const contrast = contrastOf(params);
  const changes = { ...NO_PERIODS, limit };
  if (contrast === "segment") return reportQuery(params, filters, changes);
  const known = [...filters, ...SEARCHED];
  if (contrast === "period") return reportQuery(params, known, { ...changes, contrast });
  const against = againstOf(params, filters);
  if (against?.value === undefined) return null;
  const chosen = withAgainst(params, against).get("against") ?? null;
  return reportQuery(withoutOwn(params, against), known, { ...changes, contrast, against: chosen });
}

/** The parameters without a filter that would leave only one of the two groups to compare. */
function withoutOwn(params: Params, { dimension, value }: Against): Params {
  const raw = params.get(dimension);
  if (raw === undefined || value === undefined) return params;
  const { values } = parseCondition(raw);
  const own = values.length === 1 && values[0] === value;
  return own ? withParams(params, { [dimension]: null }) : params;
}

/** The view of those comments of a group that contain a term. */
export function toSaid(
  params: Params,
  words: Pick<Words, "contrast" | "before">,
  group: "first" | "second",
  term: string,
  against: Against | null,
): Params {
  const said = withParams(params, { q: encodeURIComponent(`"${term}"`) });
  const { contrast, before } = words;
  if (contrast === "segment") {
    return withParams(said, { segment: group === "first" ? "bad" : "good" });
  }
  if (contrast === "period") {
    return group === "second" && before
      ? withDates(said, before.start_date, before.end_date)
      : said;
  }
  if (against?.value === undefined) return said;
  const { dimension, value } = against;
  if (group === "first") return filteredTo(said, dimension, value);
  return withParams(said, { [dimension]: formatCondition({ negated: true, values: [value] }) });
}
