// What a tenant without answers sees: how to send the first one, and that it has arrived.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { catalogue } from "./catalogue.ts";
import { Snippet } from "./copy.tsx";
import { Link } from "./link.tsx";
import { NoData } from "./problem.tsx";
import { reportPath } from "./replies.ts";
import { key } from "./session.ts";
import type { Reply } from "./reply.ts";
import { view } from "./router.ts";
import { Trial } from "./trial.tsx";
import { carried, withPreset } from "./view.ts";
import { pieces, t } from "./texts.ts";

const ASK_AGAIN_MS = 10_000;
const WIDGET = "/widget.v1.js";
const SURVEY = "support";

type State = "asking" | "never" | "some";

export function Newcomer(): JSX.Element {
  const [state, setState] = useState<State>("asking");
  const [waited, setWaited] = useState(false);
  const [arrived, setArrived] = useState(false);
  const [contacts, setContacts] = useState(false);
  const tag = useWidgetTag();
  useEffect(
    () => void whatThereIs("customer-perspective", "media_type").then(({ rows }) => setContacts(rows)),
    [],
  );
  useEffect(() => {
    let timer: number | undefined;
    const ask = async (): Promise<void> => {
      const found = await whatThereIs("daily");
      setState(found.rows ? "some" : "never");
      if (found.waits) setArrived(true);
      if (!found.rows) {
        setWaited(true);
        timer = window.setTimeout(() => void ask(), ASK_AGAIN_MS);
      }
    };
    void ask();
    return () => clearTimeout(timer);
  }, []);
  if (state === "asking") return <p class="loading">{t("Loading …")}</p>;
  if (state === "some") {
    return waited ? (
      <section class="newcomer arrived" role="status">
        <h2>{t("The first answer is here.")}</h2>
        <p>
          <Link to={{ page: "overview", params: withPreset(new Map(), "last_7_days_to_date") }}>
            {t("Show the last days")}
          </Link>
        </p>
      </section>
    ) : (
      <NoData />
    );
  }
  return (
    <section class="newcomer">
      <h2>{t("No answers yet")}</h2>
      {contacts && (
        <p>
          {pieces<JSX.Element>("Contacts there are: see the {page}.", {
            page: (
              <Link
                key="page"
                to={{ page: "customer-perspective", params: carried(view.value.params, []) }}
              >
                {t("Customer Perspective")}
              </Link>
            ),
          })}
        </p>
      )}
      <p>{t("Make a survey, and a publishable key for it:")}</p>
      <Snippet text={commands()} />
      <p>{t("See an answer arrive:")}</p>
      <Trial survey={SURVEY} onSent={() => setArrived(true)} />
      <p>{t("Put the question into a page:")}</p>
      <Snippet text={tag} />
      <p>{t("or send one answer from a server, with a secret key:")}</p>
      <Snippet text={curl()} />
      <p class="note" role="status">
        {arrived
          ? t("The first answer has arrived and waits for its build: it shows here by itself.")
          : t("Waiting for the first answer: it shows here within two minutes, by itself.")}
      </p>
    </section>
  );
}

function commands(): string {
  const tenant = catalogue.value?.tenant?.id ?? view.value.params.get("tenant") ?? "TENANT";
  return [
    `pulse survey add ${tenant} ${SURVEY} --metric csat --scale 1-5`,
    `pulse key create ${tenant} --kind publishable --survey ${SURVEY}`,
  ].join("\n");
}

/** The widget's tag, as `pulse survey embed` prints it. */
function useWidgetTag(): string {
  const [integrity, setIntegrity] = useState("");
  useEffect(() => void integrityOf(WIDGET).then(setIntegrity, () => undefined), []);
  return [
    `<script async src="${location.origin}${WIDGET}"`,
    ...(integrity ? [`        integrity="${integrity}" crossorigin="anonymous"`] : []),
    `        data-key="pk_…" data-survey="${SURVEY}"></script>`,
  ].join("\n");
}

/** Throws if the browser computes no digests, as without https. */
async function integrityOf(path: string): Promise<string> {
  const script = await (await fetch(path)).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-384", script));
  return `sha384-${btoa(String.fromCharCode(...digest))}`;
}

function curl(): string {
  return [
    `curl -X POST ${location.origin}/v1/responses \\`,
    `  -H "Authorization: Bearer sk_…" -H "Content-Type: application/json" \\`,
    `  -d '{"survey_id": "${SURVEY}", "score": 5}'`,
  ].join("\n");
}

interface Told {
  /** Whether the report has counted anything, on any day, with any filter. */
  readonly rows: boolean;
  /** Whether first events have arrived that wait for their build. */
  readonly waits: boolean;
}

const NOTHING_YET: Told = { rows: false, waits: false };

/** Errors count as "not yet". */
async function whatThereIs(report: string, groupBy = ""): Promise<Told> {
  const tenant = view.value.params.get("tenant");
  const query = [
    "preset=all_time&granularity=total",
    ...(groupBy ? [`group_by=${groupBy}`] : []),
    ...(tenant ? [`tenant=${tenant}`] : []),
  ].join("&");
  try {
    const response = await fetch(`/v1${reportPath(report, query)}`, {
      headers: { Authorization: `Bearer ${key.value ?? ""}` },
      cache: "no-cache",
    });
    if (!response.ok) return NOTHING_YET;
    const { rows, meta } = (await response.json()) as Reply;
    const waits = meta.warnings.some(({ code }) => code === "first_events_waiting");
    return { rows: rows.length > 0, waits };
  } catch {
    return NOTHING_YET;
  }
}
