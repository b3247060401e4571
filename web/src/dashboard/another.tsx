// Asks which key to use if a link has another one than the key in use.

import type { JSX } from "preact";
import { judge, shortened } from "./keys.ts";
import { answer } from "./session.ts";
import { pieces, t } from "./texts.ts";

interface Props {
  readonly inUse: string;
  readonly given: string;
}

export function AnotherKey({ inUse, given }: Props): JSX.Element {
  const judgement = judge(given);
  return (
    <main class="signin">
      <h1>{t("Another key")}</h1>
      <p>
        {pieces<JSX.Element>(
          "This link brings the key {given}, while {inUse} is in use here. With another key you may see another company’s figures.",
          {
            given: <code key="given">{shortened(given)}</code>,
            inUse: <code key="inUse">{shortened(inUse)}</code>,
          },
        )}
      </p>
      {!judgement.ok && (
        <p class="note" role="alert">
          {judgement.why}
        </p>
      )}
      <p>
        <button type="button" class={judgement.ok ? "" : "primary"} onClick={() => answer(false)}>
          {t("Keep the one in use")}
        </button>{" "}
        {judgement.ok && (
          <button type="button" class="primary" onClick={() => answer(true)}>
            {t("Use the link’s key")}
          </button>
        )}
      </p>
    </main>
  );
}
