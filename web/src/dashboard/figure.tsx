// The frame of every chart: its title, the number of answers, its table, and its CSV.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { behindRow, behindRows } from "./behind.ts";
import { fileName } from "./csv.ts";
import { count } from "./format.ts";
import { span, type Reply, type Row } from "./reply.ts";
import { Table, tableCsv, type Order, type TableData } from "./table.tsx";
import { view } from "./router.ts";
import { t } from "./texts.ts";
import type { Params, View } from "./view.ts";
import { CommentsLink } from "./written.tsx";

interface Props {
  readonly title: string;
  readonly note?: ComponentChildren;
  /** The reply, for the name of the CSV file. */
  readonly reply: Pick<Reply, "report" | "meta" | "rows" | "next_cursor">;
  /** The number of answers; null if it is withheld. */
  readonly n: number | null;
  /** The name of what is counted. */
  readonly of?: string;
  /** What narrows the comments behind all of it, if that is more than the view's own filters. */
  readonly narrowed?: (params: Params) => Params;
  readonly table: TableData;
  /** The CSV, if it is not the table as shown. */
  readonly csv?: () => string;
  readonly tableOpen?: boolean;
  readonly order?: Order | undefined;
  readonly onSort?: (column: string) => void;
  readonly onPick?: (row: Row) => void;
  /** A table that replaces the plain one. */
  readonly drawn?: ComponentChildren;
  readonly children?: ComponentChildren;
}

/** A table with more columns than this is printed in landscape. */
const MOST_UPRIGHT = 8;

export function Figure(props: Props): JSX.Element {
  const [open, setOpen] = useState(props.tableOpen ?? false);
  const days = span(props.reply.meta.date_range);
  const { report } = props.reply;
  const { columns, rows } = props.table;
  const behind = (row: Row): View | null => behindRow(report, view.value.params, columns, row);
  const save = (): void =>
    download(
      fileName(props.reply.report, days.start_date, days.end_date, props.title),
      props.csv ? props.csv() : tableCsv(props.table),
    );
  return (
    <section class={props.table.columns.length > MOST_UPRIGHT ? "figure wide" : "figure"}>
      <header>
        <h2>{props.title}</h2>
        <p class="n">
          n {count(props.n)}
          {props.of ? ` ${props.of}` : ""}
        </p>
        <div class="tools">
          <CommentsLink
            to={behindRows(report, props.narrowed?.(view.value.params) ?? view.value.params, rows)}
            of={props.title}
          />
          {props.children !== undefined && (
            <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
              {t("Table")}
            </button>
          )}
          <button type="button" onClick={save} aria-label={t("{title}: save as CSV", { title: props.title })}>
            CSV
          </button>
        </div>
      </header>
      {props.note && <p class="note">{props.note}</p>}
      {props.reply.next_cursor !== null && (
        <p class="warning">
          {t(
            "These are the first {n} rows of the report, and it has more: fewer days, filters or a coarser period show all of them.",
            { n: count(props.reply.rows.length) },
          )}
        </p>
      )}
      {props.children}
      <div class={open || props.children === undefined ? "" : "print-only"}>
        {props.drawn ?? (
          <Table
            data={props.table}
            caption={props.title}
            order={props.order}
            onSort={props.onSort}
            onPick={props.onPick}
            behind={behind}
          />
        )}
      </div>
    </section>
  );
}

function download(name: string, text: string): void {
  const link = document.createElement("a");
  // the byte order mark makes Excel read UTF-8
  link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
