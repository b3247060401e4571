// A table of rows, and its columns, which are made from a reply.

import { Fragment, type JSX } from "preact";
import { useState } from "preact/hooks";
import { daysWithin, withScore, type Narrowing } from "./behind.ts";
import { dimensionTitle } from "./catalogue.ts";
import { csv } from "./csv.ts";
import * as format from "./format.ts";
import { nameOf, plainNameOf } from "./names.ts";
import { periodEnd, type Granularity } from "./days.ts";
import { printing } from "./printing.ts";
import { label, span, type Cell, type Column, type Meta, type Reply, type Row } from "./reply.ts";
import { periodText } from "./standing.ts";
import { columnTitle } from "./titles.ts";
import { t, toTranslate } from "./texts.ts";
import { filteredTo, withDates, type View } from "./view.ts";
import { RowComments } from "./written.tsx";

export interface TableColumn extends Narrowing {
  readonly name: string;
  readonly title: string;
  readonly numeric: boolean;
  readonly text: (row: Row) => string;
  /** The value in CSV: figures as in the API's reply. */
  readonly value: (row: Row) => Cell | undefined;
}

export interface TableData {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly Row[];
  readonly totals?: readonly Row[];
}

export interface Order {
  readonly column: string;
  readonly descending: boolean;
}

/** The named columns, without those that the reply lacks. */
export function columnsOf(
  reply: Reply,
  names: readonly string[],
  granularity: string | null = null,
): TableColumn[] {
  const known = new Map(reply.columns.map((column) => [column.name, column]));
  return names.flatMap((name) => {
    const column = known.get(name);
    return column ? [tableColumn(column, reply.meta, granularity ?? "day")] : [];
  });
}

export function tableColumn(column: Column, meta: Meta, granularity: string): TableColumn {
  const { name, kind, unit } = column;
  if (kind === "period") return periodColumn(meta, granularity);
  if (kind === "dimension") {
    const text = (row: Row): string => nameOf(name, label(row, name));
    const value = (row: Row): string => plainNameOf(name, label(row, name));
    const title = name === "score_value" ? columnTitle(name) : dimensionTitle(name);
    return { name, title, numeric: false, text, value, narrows: narrowing(name) };
  }
  const value = (row: Row): Cell | undefined => row[name];
  const text = (row: Row): string => shown(row, name, kind, unit);
  const numeric = kind !== "flag" && kind !== "significant";
  return { name, title: columnTitle(name), numeric, text, value };
}

function narrowing(name: string): Narrowing["narrows"] {
  if (name === "segment") return undefined; // it follows from the score
  if (name === "score_value") return withScore;
  return (params, row) => filteredTo(params, name, label(row, name));
}

function shown(row: Row, name: string, kind: string, unit: string | undefined): string {
  const value = row[name];
  if (kind === "change" && typeof value === "number") {
    return format.signed(value, unit === "count" ? 0 : 2);
  }
  return format.cell(value, unit, name);
}

function periodColumn(meta: Meta, granularity: string): TableColumn {
  return {
    name: "period",
    title: t("Period"),
    numeric: false,
    text: (row) => periodText(row, granularity, meta),
    value: (row) => row["period"],
    narrows: (params, row) => {
      const start = label(row, "period");
      if (start === null) return params;
      const end = periodEnd(start, granularity as Granularity);
      return withDates(params, ...daysWithin(start, end, span(meta.date_range)));
    },
  };
}

/** The name of the row of totals. */
const TOTAL = toTranslate("All");

export function tableCsv({ columns, rows, totals = [] }: TableData): string {
  const lines = rows.map((row) => columns.map((column) => column.value(row)));
  const sums = totals.map((row) =>
    columns.map((column, i) => (column.numeric ? column.value(row) : i === 0 ? t(TOTAL) : "")),
  );
  return csv([columns.map((column) => column.title), ...lines, ...sums]);
}

/** The first column of order_by. */
export function parseOrder(raw: string | undefined): Order | undefined {
  if (!raw) return undefined;
  const first = raw.split(",")[0] ?? "";
  return { column: first.replace(/^-/, ""), descending: first.startsWith("-") };
}

interface Props {
  readonly data: TableData;
  readonly caption: string;
  readonly order?: Order | undefined;
  readonly onSort?: ((column: string) => void) | undefined;
  readonly onPick?: ((row: Row) => void) | undefined;
  /** The comments behind a row. */
  readonly behind?: ((row: Row) => View | null) | undefined;
}

const FIRST_SHOWN = 100;

export function Table({ data, caption, order, onSort, onPick, behind }: Props): JSX.Element {
  const [all, setAll] = useState(false);
  const led = behind && data.rows.some(behind) ? behind : undefined;
  const rows = all || printing.value ? data.rows : data.rows.slice(0, FIRST_SHOWN);
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {data.columns.map((column, i) => (
              <Fragment key={column.name}>
                <Heading column={column} order={order} onSort={onSort} />
                {led && i === 0 && (
                  <th scope="col" class="behind">
                    <span class="unseen">{t("Comments")}</span>
                  </th>
                )}
              </Fragment>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <Line key={i} row={row} columns={data.columns} onPick={onPick} behind={led} />
          ))}
        </tbody>
        {data.totals && data.totals.length > 0 && (
          <tfoot>
            {data.totals.map((row, i) => (
              <Line
                key={i}
                row={row}
                columns={data.columns}
                first={t(TOTAL)}
                behind={led && (() => null)}
              />
            ))}
          </tfoot>
        )}
      </table>
      {data.rows.length > rows.length && (
        <button type="button" onClick={() => setAll(true)}>
          {t("Show all {n} rows", { n: format.count(data.rows.length) })}
        </button>
      )}
    </div>
  );
}

interface HeadingProps {
  readonly column: TableColumn;
  readonly order: Order | undefined;
  readonly onSort: ((column: string) => void) | undefined;
}

export function Heading({ column, order, onSort }: HeadingProps): JSX.Element {
  const sorted = order?.column === column.name.replace(/_fmt$/, "") ? order : null;
  const direction = sorted ? (sorted.descending ? "descending" : "ascending") : "none";
  return (
    <th
      scope="col"
      class={column.numeric ? "numeric" : ""}
      {...(onSort ? { "aria-sort": direction } : {})}
    >
      {onSort && !printing.value ? ( // Chromium repeats no heading that has a button in it
        <button type="button" class="sort" onClick={() => onSort(column.name)}>
          {column.title}
          <span aria-hidden="true">{sorted ? (sorted.descending ? " ↓" : " ↑") : ""}</span>
        </button>
      ) : (
        column.title
      )}
    </th>
  );
}

interface LineProps {
  readonly row: Row;
  readonly columns: readonly TableColumn[];
  readonly first?: string;
  readonly onPick?: ((row: Row) => void) | undefined;
  readonly behind?: ((row: Row) => View | null) | undefined;
}

function Line({ row, columns, first, onPick, behind }: LineProps): JSX.Element {
  return (
    <tr>
      {columns.map((column, i) => {
        const text = first && !column.numeric ? (i === 0 ? first : "") : column.text(row);
        const told = column.numeric ? text : <span class="told">{text}</span>;
        if (i > 0) {
          return (
            <td key={column.name} class={column.numeric ? "numeric" : ""}>
              {told}
            </td>
          );
        }
        return (
          <Fragment key={column.name}>
            <th scope="row">
              {onPick ? (
                <button type="button" class="link" onClick={() => onPick(row)}>
                  {told}
                </button>
              ) : (
                told
              )}
            </th>
            {behind && <RowComments to={behind(row)} of={column.text(row)} />}
          </Fragment>
        );
      })}
    </tr>
  );
}

/** A column of texts. */
export function textColumn(
  name: string,
  title: string,
  text: (row: Row) => string,
): TableColumn {
  return { name, title, numeric: false, text, value: text };
}

/** A column of figures; `tell` writes a figure, or null if there is none. */
export function figureColumn(
  name: string,
  title: string,
  tell: (value: number | null) => string,
): TableColumn {
  const text = (row: Row): string => {
    const value = row[name];
    return tell(typeof value === "number" ? value : null);
  };
  return { name, title, numeric: true, text, value: (row) => row[name] };
}
