// The head of a page: what it shows, of which days, how fresh it is, and how to share or export it.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { getText } from "./api.ts";
import { CopyButton } from "./copy.tsx";
import { isOpen } from "./days.ts";
import * as format from "./format.ts";
import { reportPath, type Loaded } from "./replies.ts";
import { span, type Meta } from "./reply.ts";
import { shown } from "./shown.ts";
import { presetTitle } from "./titles.ts";
import { t } from "./texts.ts";

interface Props {
  readonly title: string;
  readonly text: string;
  /** The page's main reply, which has the days. */
  readonly of: Loaded<{ readonly meta: Meta }>;
  /** The page's main query, for curl and CSV. */
  readonly report: string;
  readonly query: string;
}

export function PageHead({ title, text, of, report, query }: Props): JSX.Element {
  const old = of.problem ? (of.value?.meta ?? null) : null;
  const meta = of.problem ? null : (of.value?.meta ?? null);
  useEffect(() => {
    document.title = `${title} · Pulse`;
    if (meta || of.problem) shown.value = meta; // filters must not show days without a reply
  }, [title, meta, of.problem]);
  return (
    <header class="page-head">
      <div>
        <h1>{title}</h1>
        <p class="note">{text}</p>
      </div>
      <div class="tools">
        <CopyButton title={t("Copy link")} text={() => location.href} />
        <CopyButton title={t("Copy curl")} text={() => curl(report, query)} />
        <CopyButton
          title={t("Copy CSV")}
          text={() => getText(reportPath(report, query), "text/csv")}
        />
      </div>
      {meta && <Freshness meta={meta} />}
      {old && (
        <p class="freshness">
          {t("What was asked for has not come. Below stand the figures of before: {days}.", {
            days: daysOf(old),
          })}
        </p>
      )}
      {meta?.warnings.map(({ code, message }) => (
        <p key={code} class="warning">
          {message}
        </p>
      ))}
    </header>
  );
}

function daysOf({ date_range }: Meta): string {
  const { start_date, end_date } = span(date_range);
  return format.days(start_date, end_date);
}

/** The curl command, without the key: whoever runs it has one. */
function curl(report: string, query: string): string {
  const url = `${location.origin}/v1${reportPath(report, query)}`;
  return `curl -H "Authorization: Bearer $PULSE_KEY" '${url.replaceAll("'", "%27")}'`;
}

function age(instant: string): string {
  return format.ago(Date.now() - Date.parse(instant));
}

/** The comparison in words; if an operator's reply has days of several tenants, only its name. */
function comparedWith({ start_date, end_date, with: what }: NonNullable<Meta["compare"]>): string {
  return start_date && end_date ? format.days(start_date, end_date) : presetTitle(what);
}

function Freshness({ meta }: { readonly meta: Meta }): JSX.Element {
  const days = span(meta.date_range);
  const zone = days.timezone ?? "UTC";
  const open = isOpen(days.end_date, meta.as_of, zone);
  return (
    <p class="freshness">
      <strong>{format.days(days.start_date, days.end_date)}</strong>
      {meta.compare && (
        <> {t("compared with {days}", { days: comparedWith(meta.compare) })}</>
      )}
      {" · "}
      {meta.as_of === null
        ? t("not everything has been built yet")
        : t("as of {time} ({zone}), {ago}", {
            time: format.moment(meta.as_of, zone),
            zone,
            ago: age(meta.as_of),
          })}
      {open && (
        <span class="open-note">
          {" · "}
          {t("the last days are still open: their figures may grow")}
        </span>
      )}
    </p>
  );
}
