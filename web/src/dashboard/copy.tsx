// A button that copies text to the clipboard and says so.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "./texts.ts";

interface Props {
  readonly title: string;
  readonly text: () => string | Promise<string>;
}

const SAID_MS = 2_000;

export function CopyButton({ title, text }: Props): JSX.Element {
  const [said, setSaid] = useState<string | null>(null);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(await text());
      setSaid(t("Copied"));
    } catch {
      setSaid(t("Could not copy"));
    }
    setTimeout(() => setSaid(null), SAID_MS);
  };
  return (
    <button type="button" onClick={() => void copy()}>
      <span aria-live="polite">{said ?? title}</span>
    </button>
  );
}

/** Text that is to be taken over as it stands, such as a command. */
export function Snippet({ text }: { readonly text: string }): JSX.Element {
  return (
    <div class="snippet">
      <pre tabIndex={0}>{text}</pre>
      <CopyButton title={t("Copy")} text={() => text} />
    </div>
  );
}
