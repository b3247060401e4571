// Sends a first response as a survey page does, for users who have a survey and a publishable key.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import type { Problem, Survey } from "../interface.ts";
import { t } from "./texts.ts";

interface Props {
  /** The id of a survey that probably exists. */
  readonly survey: string;
  readonly onSent: () => void;
}

export function Trial({ survey, onSent }: Props): JSX.Element {
  const [said, setSaid] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const key = useRef<HTMLInputElement>(null);
  const name = useRef<HTMLInputElement>(null);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setBusy(true);
    setSaid(null);
    sendBest(key.current?.value.trim() ?? "", name.current?.value.trim() ?? "")
      .then(onSent, (error: unknown) => setSaid(String((error as Error).message)))
      .finally(() => setBusy(false));
  };
  return (
    <form class="trial" onSubmit={submit}>
      <label>
        {t("Survey")}
        <input ref={name} defaultValue={survey} autocomplete="off" spellcheck={false} required />
      </label>
      <label>
        {t("Publishable key")}
        <input
          ref={key}
          placeholder="pk_…"
          pattern="pk_.*"
          autocomplete="off"
          spellcheck={false}
          required
        />
      </label>
      <button type="submit" class="primary" disabled={busy}>
        {t("Send a test answer")}
      </button>
      {said && (
        <p class="note" role="alert">
          {said}
        </p>
      )}
    </form>
  );
}

/** Posts the best score of the survey's scale. Throws an Error with the API's own message. */
async function sendBest(key: string, survey: string): Promise<void> {
  const asked = `/v1/surveys/${encodeURIComponent(survey)}?key=${encodeURIComponent(key)}`;
  const { scale } = (await told(await fetch(asked))) as Survey;
  const answer = {
    survey_id: survey,
    score: scale.lower_is_better ? scale.min : scale.max,
    comment: t("A test answer from the dashboard"),
  };
  await told(
    await fetch("/v1/responses", {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
      body: JSON.stringify(answer),
    }),
  );
}

async function told(reply: Response): Promise<unknown> {
  const body: unknown = await reply.json().catch(() => ({}));
  if (reply.ok) return body;
  throw new Error((body as Partial<Problem>).detail ?? `${reply.status} ${reply.statusText}`);
}
