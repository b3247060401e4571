// The view, which is in the address: a page, and parameters in the API's own form. Pure; router.ts
// connects it with the browser.

/** Raw values by name: still percent-encoded, because a literal comma separates values. */
export type Params = ReadonlyMap<string, string>;

export interface View {
  readonly page: string;
  readonly params: Params;
}

/** The filter of a dimension; null stands for events that do not name it. */
export interface Condition {
  readonly negated: boolean;
  readonly values: readonly (string | null)[];
}

const NOT_GIVEN = "(none)";

/** Parameters that are kept from page to page, like filters; all others belong to one page. */
const LASTING = ["preset", "start_date", "end_date", "compare", "granularity", "tenant"];

export const OVERVIEW = "overview";

export function parseAddress(path: string, search: string): View {
  return { page: path.replace(/^\/+|\/+$/g, "") || OVERVIEW, params: parseQuery(search) };
}

export function formatAddress(view: View): string {
  const query = formatQuery(view.params);
  return `/${view.page === OVERVIEW ? "" : view.page}${query && `?${query}`}`;
}

function parseQuery(search: string): Params {
  const params = new Map<string, string>();
  for (const part of search.replace(/^\?/, "").split("&")) {
    const [name = "", ...rest] = part.split("=");
    // never the key: addresses are shared
    if (name && name !== "key") params.set(decode(name), rest.join("=").replaceAll("+", "%20"));
  }
  return params;
}

function formatQuery(params: Params): string {
  return [...params].map(([name, raw]) => `${encodeURIComponent(name)}=${raw}`).join("&");
}

export function parseCondition(raw: string): Condition {
  const negated = raw.startsWith("!");
  const parts = raw.slice(negated ? 1 : 0).split(",");
  return { negated, values: parts.map(decode).map((v) => (v === NOT_GIVEN ? null : v)) };
}

export function formatCondition({ negated, values }: Condition): string {
  const parts = values.map((value) =>
    encodeURIComponent(value ?? NOT_GIVEN).replaceAll("!", "%21"),
  );
  return (negated ? "!" : "") + parts.join(",");
}

/** The parameters with some set to raw values; those set to null are removed. */
export function withParams(params: Params, changes: Record<string, string | null>): Params {
  const changed = new Map(params);
  for (const [name, raw] of Object.entries(changes)) {
    if (raw === null) changed.delete(name);
    else changed.set(name, raw);
  }
  return changed;
}

/** The view filtered to one value of a dimension. */
export function filteredTo(params: Params, dimension: string, value: string | null): Params {
  return withParams(params, { [dimension]: formatCondition({ negated: false, values: [value] }) });
}

/** The value that a dimension is filtered to; undefined without a filter, or for several values. */
export function onlyValue(params: Params, dimension: string): string | null | undefined {
  const raw = params.get(dimension);
  if (raw === undefined) return undefined;
  const { negated, values } = parseCondition(raw);
  return negated || values.length !== 1 ? undefined : values[0];
}

/** The view with other days, by a preset (raw) or by dates. */
export function withPreset(params: Params, preset: string): Params {
  const changed = withParams(params, { preset, start_date: null, end_date: null });
  if (preset !== "all_time") return changed;
  return withoutComparedOrder(withParams(changed, { compare: null }));
}

/** The comparison if the address has none. */
export const USUAL_COMPARISON = "previous_period";
/** The address's value for no comparison. */
export const NO_COMPARISON = "none";

/** The comparison by its name in the API; null for none. */
export function comparisonOf(params: Params): string | null {
  if (params.get("preset") === "all_time") return null; // there are no days before
  const asked = params.get("compare") ?? USUAL_COMPARISON;
  return asked === NO_COMPARISON ? null : asked;
}

/** The view with another comparison, or with none. */
export function withComparison(params: Params, compare: string): Params {
  const changed = withParams(params, { compare: compare === USUAL_COMPARISON ? null : compare });
  return comparisonOf(changed) === null ? withoutComparedOrder(changed) : changed;
}

function withoutComparedOrder(params: Params): Params {
  return withoutOrder(params, /_(change|previous|significant)$/);
}

/** The view of a report's query that the API names as evidence; periods are as looked at. */
export function evidenceOf(report: string, query: string, params: Params): View {
  const asked = parseQuery(query);
  const compare = asked.get("compare") ?? params.get("compare") ?? null;
  const granularity = params.get("granularity") ?? null;
  return { page: report, params: withParams(asked, { granularity, compare }) };
}

/** The view by another granularity, by none ("total"), or by the page's own choice (null). */
export function withGranularity(params: Params, granularity: string | null): Params {
  const changed = withParams(params, { granularity });
  const none = granularity === null || granularity === "total";
  return none ? withoutOrder(changed, /^period$/) : changed;
}

/** The view without an order by a column that it no longer has, which the API would refuse. */
function withoutOrder(params: Params, gone: RegExp): Params {
  const columns = (params.get("order_by") ?? "").split(",");
  const lost = columns.some((column) => gone.test(column.replace(/^-/, "")));
  return lost ? withParams(params, { order_by: null }) : params;
}

export function withDates(params: Params, start: string, end: string): Params {
  const [first, last] = start <= end ? [start, end] : [end, start];
  return withParams(params, { preset: null, start_date: first, end_date: last });
}

/** The parameters for another page: days, comparison, and filters that it knows. */
export function carried(params: Params, filters: readonly string[]): Params {
  const kept = new Set([...LASTING, ...filters]);
  return new Map([...params].filter(([name]) => kept.has(name)));
}

/**
 * The query of one report: the view's parameters, of its filters those of the report, and changes.
 * The comparison is the view's, unless the changes have another.
 */
export function reportQuery(
  params: Params,
  filters: readonly string[],
  changes: Record<string, string | null> = {},
): string {
  const compare = comparisonOf(params);
  return formatQuery(withParams(carried(params, filters), { compare, ...changes }));
}

function decode(raw: string): string {
  try {
    return decodeURIComponent(raw.replaceAll("+", "%20"));
  } catch {
    return raw; // it is not UTF-8
  }
}
