// The whole conversation: question, thanks with room for a comment, and how the sending goes.
// The survey page and the widget show the same one.

import { COMMENT_LIMIT } from "./answer.ts";
import type { Asking } from "./asking.ts";
import { element } from "./elements.ts";
import type { State } from "./outbox.ts";
import { drawScale } from "./scale.ts";

export interface Form {
  root: HTMLElement;
  focus(): void;
}

export interface FormOptions {
  /** A score that the visitor has come with: chosen, not voted. */
  preselected?: number | undefined;
  /** Called with each vote. */
  voted?: () => void;
}

export function drawForm(asking: Asking, options: FormOptions = {}): Form {
  const { words, thanks } = asking.survey;
  const status = element("p", { class: "status", role: "status" });
  const send = button(words.send, () => {
    const score = scale.chosen();
    if (score !== undefined) vote(score);
  });
  const retry = button(words.retry, () => asking.retry());
  const heading = element("h2", { tabindex: -1 }, thanks || words.sent);
  const comment = drawComment(words.comment, words.send, (text) => {
    comment.root.hidden = true;
    asking.comment(text, tell);
    heading.focus();
  });
  const thanking = element("div", { class: "thanks" }, heading, comment.root);
  const scale = drawScale(asking.survey, {
    vote: (score) => vote(score),
    choice: (score) => (send.hidden = score === asking.answer?.score),
  });

  function vote(score: number): void {
    const first = thanking.hidden;
    asking.vote(score, tell);
    send.hidden = true;
    thanking.hidden = false;
    if (first) comment.fill(asking.answer?.comment ?? "");
    if (first) heading.focus();
    options.voted?.();
  }

  function tell(state: State, code?: string): void {
    const said = { sending: words.sending, sent: words.sent, waiting: words.waiting };
    status.textContent = state === "refused" ? `${words.refused} (${code})` : said[state];
    status.dataset["state"] = state;
    retry.hidden = state !== "waiting";
  }

  send.hidden = retry.hidden = thanking.hidden = true;
  if (options.preselected !== undefined) scale.choose(options.preselected);
  send.hidden = scale.chosen() === undefined;
  const root = element("div", { class: "form" }, scale.root, send, thanking, status, retry);
  return { root, focus: scale.focus };
}

/** A button that only a person presses: scripts' clicks are not trusted. */
export function button(label: string, press: () => void, name = "button"): HTMLButtonElement {
  const made = element("button", { type: "button", class: name }, label);
  made.addEventListener("click", (event) => {
    if (event.isTrusted) press();
  });
  return made;
}

function drawComment(
  label: string,
  send: string,
  sent: (text: string) => void,
): { root: HTMLElement; fill(text: string): void } {
  const box = element("textarea", { rows: 3, maxlength: COMMENT_LIMIT, dir: "auto" });
  const root = element(
    "div",
    { class: "comment" },
    element("label", {}, element("span", {}, label), box),
    button(send, () => (box.value.trim() ? sent(box.value) : box.focus())),
  );
  return { root, fill: (text) => (box.value = text) };
}
