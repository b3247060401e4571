// What is looked at, as the address says it: a page, and the API's own parameters in the form in
// which the API takes them. Pure; router.ts binds it to the browser.

/** Raw values by name: still percent-encoded, because a literal comma parts values. */
export type Params = ReadonlyMap<string, string>;

export interface View {
  readonly page: string;
  readonly params: Params;
}

/** What a dimension is filtered by; null stands for "not given". */
export interface Condition {
  readonly negated: boolean;
  readonly values: readonly (string | null)[];
}

const NOT_GIVEN = "(none)";

/** What stays as it is from page to page; everything else but filters belongs to one page. */
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
    // the key never belongs here: an address is shared
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

/** The parameters with some set to raw values and some, set to null, left out. */
export function withParams(params: Params, changes: Record<string, string | null>): Params {
  const changed = new Map(params);
  for (const [name, raw] of Object.entries(changes)) {
    if (raw === null) changed.delete(name);
    else changed.set(name, raw);
  }
  return changed;
}

/** Filtered to one value of a dimension. */
export function filteredTo(params: Params, dimension: string, value: string | null): Params {
  return withParams(params, { [dimension]: formatCondition({ negated: false, values: [value] }) });
}

/** The one value that a dimension is filtered to; undefined where it is not, or to several. */
export function onlyValue(params: Params, dimension: string): string | null | undefined {
  const raw = params.get(dimension);
  if (raw === undefined) return undefined;
  const { negated, values } = parseCondition(raw);
  return negated || values.length !== 1 ? undefined : values[0];
}

/** The days asked for, by another preset (raw) or by dates. */
export function withPreset(params: Params, preset: string): Params {
  const changed = withParams(params, { preset, start_date: null, end_date: null });
  if (preset !== "all_time") return changed;
  return withoutComparedOrder(withParams(changed, { compare: null }));
}

/** What days are compared with where the address does not say. */
export const USUAL_COMPARISON = "previous_period";
/** In the address: with nothing. */
export const NO_COMPARISON = "none";

/** What the days are compared with, as the API calls it; null for nothing. */
export function comparisonOf(params: Params): string | null {
  if (params.get("preset") === "all_time") return null; // there is nothing before
  const asked = params.get("compare") ?? USUAL_COMPARISON;
  return asked === NO_COMPARISON ? null : asked;
}

/** Compared with other days, or with none. */
export function withComparison(params: Params, compare: string): Params {
  const changed = withParams(params, { compare: compare === USUAL_COMPARISON ? null : compare });
  return comparisonOf(changed) === null ? withoutComparedOrder(changed) : changed;
}

function withoutComparedOrder(params: Params): Params {
  return withoutOrder(params, /_(change|previous|significant)$/);
}

/** By periods of a length, or by none: "total", or null for the page's own choice. */
export function withGranularity(params: Params, granularity: string | null): Params {
  const changed = withParams(params, { granularity });
  const none = granularity === null || granularity === "total";
  return none ? withoutOrder(changed, /^period$/) : changed;
}

/** Without an order by a column that is gone, which the API would refuse. */
function withoutOrder(params: Params, gone: RegExp): Params {
  const columns = (params.get("order_by") ?? "").split(",");
  const lost = columns.some((column) => gone.test(column.replace(/^-/, "")));
  return lost ? withParams(params, { order_by: null }) : params;
}

export function withDates(params: Params, start: string, end: string): Params {
  const [first, last] = start <= end ? [start, end] : [end, start];
  return withParams(params, { preset: null, start_date: first, end_date: last });
}

/** What of the parameters another page takes along: days, comparison, filters that it knows. */
export function carried(params: Params, filters: readonly string[]): Params {
  const kept = new Set([...LASTING, ...filters]);
  return new Map([...params].filter(([name]) => kept.has(name)));
}

/**
 * The query of one report: the view's parameters, the report's filters alone, and changes. Days
 * are compared as the view says, unless the changes say otherwise.
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
    return raw; // not UTF-8: shown as it came
  }
}
