// The sign-in page: one field for a key, and what is wrong with the text in it.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { refusal, signIn } from "./session.ts";
import { t } from "./texts.ts";

export function SignIn(): JSX.Element {
  const [remember, setRemember] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    signIn(field.current?.value ?? "", remember);
    field.current?.focus();
  };
  return (
    <main class="signin">
      <h1>Pulse</h1>
      <p>{t("Customer satisfaction, loyalty and effort, and what they cost.")}</p>
      <form onSubmit={submit}>
        <label for="key">{t("Report or operator key")}</label>
        <input
          id="key"
          ref={field}
          type="password"
          autocomplete="off"
          spellcheck={false}
          placeholder="rk_…"
          required
          aria-describedby="key-help"
          aria-invalid={refusal.value !== null}
        />
        <p id="key-help" class="note" role={refusal.value ? "alert" : undefined}>
          {refusal.value ?? t("It stays in this tab and is sent to this site only.")}
        </p>
        <label class="check">
          <input
            type="checkbox"
            checked={remember}
            onChange={(e) => setRemember(e.currentTarget.checked)}
          />
          {t("Remember it in this browser")}
        </label>
        <button type="submit" class="primary">
          {t("Open")}
        </button>
      </form>
    </main>
  );
}
