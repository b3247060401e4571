// The filter bar: days, comparison, granularity and all dimensions of the page's family. It only
// changes the address.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { catalogue, dimensionTitle, HANDLED_BY } from "./catalogue.ts";
import { valuesQuery } from "./experienced.ts";
import {
  dimensionPath,
  fetchNames,
  learn,
  nameOf,
  type DimensionReply,
  type DimensionValue,
} from "./names.ts";
import { useOne } from "./replies.ts";
import { span, type Meta } from "./reply.ts";
import { look } from "./router.ts";
import { presetTitle } from "./titles.ts";
import { count } from "./format.ts";
import {
  comparisonOf,
  formatCondition,
  NO_COMPARISON,
  parseCondition,
  withComparison,
  withDates,
  withGranularity,
  withParams,
  withPreset,
  type Condition,
  type Params,
} from "./view.ts";
import { t } from "./texts.ts";

interface Props {
  readonly params: Params;
  /** Dimensions to filter by. */
  readonly dimensions: readonly string[];
  /** All dimensions that the API accepts as filters here. */
  readonly filters: readonly string[];
  /** Of the page's report; some dimensions are of the other family as well. */
  readonly family: string;
  readonly operator: boolean;
  /** The meta of the latest reply, which has the days of a preset. */
  readonly meta: Meta | null;
}

export function FilterBar(props: Props): JSX.Element {
  const { params, dimensions } = props;
  const [open, setOpen] = useState(false);
  const active = dimensions.filter((name) => params.has(name)).length;
  return (
    <div class={open ? "filters open" : "filters"} role="search" aria-label={t("Filters")}>
      <button
        type="button"
        class="narrow-only"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {t("Days and filters")}
        {active ? ` (${active})` : ""}
      </button>
      <div class="controls">
        <Days params={params} meta={props.meta} />
        <Compare params={params} />
        <Granularity params={params} />
        {props.operator && <Tenants params={params} />}
      </div>
      <div class="controls dimensions">
        {dimensions.map((name) => (
          <DimensionFilter
            key={name}
            name={name}
            params={params}
            filters={props.filters}
            family={props.family}
          />
        ))}
        <button type="button" class="narrow-only primary" onClick={() => setOpen(false)}>
          {t("Show the page")}
        </button>
      </div>
    </div>
  );
}

const CUSTOM = "dates";

interface DaysProps {
  readonly params: Params;
  readonly meta: Meta | null;
}

function Days({ params, meta }: DaysProps): JSX.Element {
  const custom = params.has("start_date");
  const preset = params.get("preset") ?? catalogue.value?.default_preset ?? "";
  const days = meta ? span(meta.date_range) : null;
  const start = params.get("start_date") ?? days?.start_date ?? "";
  const end = params.get("end_date") ?? days?.end_date ?? "";
  const choose = (value: string): void => {
    if (value !== CUSTOM) look(withPreset(params, value));
    else if (start && end) look(withDates(params, start, end));
  };
  const date = (from: string, to: string): void => {
    if (from && to) look(withDates(params, from, to));
  };
  return (
    <>
      <label>
        <span>{t("Days")}</span>
        <select value={custom ? CUSTOM : preset} onChange={(e) => choose(e.currentTarget.value)}>
          {catalogue.value?.presets.map((name) => (
            <option key={name} value={name}>
              {presetTitle(name)}
            </option>
          ))}
          <option value={CUSTOM}>{t("From – to …")}</option>
        </select>
      </label>
      {custom && (
        <>
          <label>
            <span>{t("From")}</span>
            <input type="date" value={start} onChange={(e) => date(e.currentTarget.value, end)} />
          </label>
          <label>
            <span>{t("To")}</span>
            <input type="date" value={end} onChange={(e) => date(start, e.currentTarget.value)} />
          </label>
        </>
      )}
    </>
  );
}

function Compare({ params }: { readonly params: Params }): JSX.Element {
  return (
    <label>
      <span>{t("Compared with")}</span>
      <select
        value={comparisonOf(params) ?? NO_COMPARISON}
        disabled={params.get("preset") === "all_time"}
        onChange={(e) => look(withComparison(params, e.currentTarget.value))}
      >
        <option value={NO_COMPARISON}>{t("Nothing")}</option>
        {catalogue.value?.comparisons.map((name) => (
          <option key={name} value={name}>
            {presetTitle(name)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Granularity({ params }: { readonly params: Params }): JSX.Element {
  return (
    <label>
      <span>{t("Over time by")}</span>
      <select
        value={params.get("granularity") ?? ""}
        onChange={(e) => look(withGranularity(params, e.currentTarget.value || null))}
      >
        <option value="">{t("Automatic")}</option>
        {catalogue.value?.granularities.map((name) => (
          <option key={name} value={name}>
            {presetTitle(name)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Tenants({ params }: { readonly params: Params }): JSX.Element {
  const raw = params.get("tenant");
  const value = raw === undefined ? "" : parseCondition(raw).values.join(", ");
  const change = (text: string): void => {
    const values = text.split(/[\s,]+/).filter(Boolean);
    look(withParams(params, {
      tenant: values.length ? formatCondition({ negated: false, values }) : null,
    }));
  };
  return (
    <label>
      <span>{t("Tenants")}</span>
      <input
        type="text"
        value={value}
        placeholder="demo, …"
        onChange={(e) => change(e.currentTarget.value)}
      />
    </label>
  );
}

// -- one dimension

interface DimensionProps {
  readonly name: string;
  readonly params: Params;
  readonly filters: readonly string[];
  readonly family: string;
}

/** Their values are ids, which people know by names. */
const NAMED = new Set(["agent", "survey", HANDLED_BY]);

function DimensionFilter({ name, params, filters, family }: DimensionProps): JSX.Element {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const raw = params.get(name);
  const condition = raw === undefined ? null : parseCondition(raw);
  useEffect(() => {
    if (!NAMED.has(name) || condition?.values.length !== 1) return;
    const ofIt = formatCondition({ negated: false, values: condition.values });
    fetchNames(name, valuesQuery(name, { params, filters, family }, ofIt));
  }, [raw, family]);
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener("pointerdown", outside);
    addEventListener("focusin", outside);
    return () => {
      removeEventListener("pointerdown", outside);
      removeEventListener("focusin", outside);
    };
  }, [open]);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation(); // it only closes this
    setOpen(false);
    opener.current?.focus();
  };
  return (
    <div class={condition ? "dimension active" : "dimension"} ref={box} onKeyDown={onKeyDown}>
      <button type="button" ref={opener} aria-expanded={open} onClick={() => setOpen(!open)}>
        {dimensionTitle(name)}
        {condition && <b>: {told(name, condition)}</b>}
      </button>
      {condition && (
        <button
          type="button"
          class="clear"
          aria-label={t("Remove the filter: {name}", { name: dimensionTitle(name) })}
          onClick={() => look(withParams(params, { [name]: null }))}
        >
          ×
        </button>
      )}
      {open && (
        <Choices
          name={name}
          params={params}
          filters={filters}
          family={family}
          condition={condition}
          close={() => {
            setOpen(false);
            opener.current?.focus();
          }}
        />
      )}
    </div>
  );
}

/** A condition in a few words. */
function told(name: string, { negated, values }: Condition): string {
  const [first] = values;
  const text = values.length === 1 ? nameOf(name, first ?? null) : t("{n} values", { n: values.length });
  return negated ? t("not {text}", { text }) : text;
}

interface ChoicesProps extends DimensionProps {
  readonly condition: Condition | null;
  readonly close: () => void;
}

function Choices({ name, params, filters, family, condition, close }: ChoicesProps): JSX.Element {
  const [search, setSearch] = useState("");
  const q = search ? encodeURIComponent(search) : null;
  // without its own filter, with which it would offer only the values that it is filtered to
  const query = valuesQuery(name, { params, filters, family }, null, q);
  const { value: reply, stale, problem } = useOne<DimensionReply>(dimensionPath(name, query));
  useEffect(() => {
    if (reply) learn(name, reply);
  }, [reply]);
  const chosen = condition?.values ?? [];
  const negated = condition?.negated ?? false;
  const apply = (values: readonly (string | null)[], not: boolean): void => {
    const next = values.length ? formatCondition({ negated: not, values }) : null;
    look(withParams(params, { [name]: next }));
  };
  const toggle = (value: string | null): void =>
    apply(chosen.includes(value) ? chosen.filter((v) => v !== value) : [...chosen, value], negated);
  return (
    <div class="choices" role="group" aria-label={dimensionTitle(name)}>
      <input
        type="search"
        placeholder={t("Search")}
        aria-label={t("Search {name}", { name: dimensionTitle(name) })}
        value={search}
        onInput={(e) => setSearch(e.currentTarget.value)}
      />
      <label class="except">
        <input
          type="checkbox"
          checked={negated}
          disabled={!chosen.length}
          onChange={() => apply(chosen, !negated)}
        />
        {t("All but these")}
      </label>
      <ul class={stale ? "stale" : ""}>
        {offered(reply, chosen, search).map((offer) => (
          <li key={offer.value ?? "(none)"}>
            <label>
              <input
                type="checkbox"
                checked={chosen.includes(offer.value)}
                onChange={() => toggle(offer.value)}
              />
              <span>{nameOf(name, offer.value)}</span>
              <span class="n">{offer.count === null ? "" : count(offer.count)}</span>
            </label>
          </li>
        ))}
      </ul>
      {problem && <p class="note">{problem.message}</p>}
      {reply?.truncated && <p class="note">{t("There are more: search for them.")}</p>}
      {reply && !reply.values.length && !stale && <p class="note">{t("Nothing found.")}</p>}
      <button type="button" class="narrow-only primary" onClick={close}>
        {t("Close")}
      </button>
    </div>
  );
}

/** The values that the API offers, and chosen values of which nothing was counted in these days. */
function offered(
  reply: DimensionReply | null,
  chosen: readonly (string | null)[],
  search: string,
): (Omit<DimensionValue, "count"> & { readonly count: number | null })[] {
  const found = reply?.values ?? [];
  const missing = search
    ? []
    : chosen.filter((value) => !found.some((offer) => offer.value === value));
  return [...missing.map((value) => ({ value, name: null, count: null })), ...found];
}
