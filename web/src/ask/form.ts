// The form: the question, the state of the sending or thanks, and a field for a comment. The survey
// page and the widget show the same form.

import { COMMENT_LIMIT } from "./answer.ts";
import type { Asking } from "./asking.ts";
import { element } from "./elements.ts";
import type { State } from "./outbox.ts";
import { drawScale } from "./scale.ts";
import type { Survey } from "./survey.ts";

export interface Form {
  root: HTMLElement;
  focus(): void;
}

export interface FormOptions {
  /** The score of the link that the visitor has followed: it is chosen, and no vote. */
  preselected?: number | undefined;
  /** The text that is shown until that score is sent. */
  hint?: string | undefined;
  /** Called with each vote. */
  voted?: () => void;
}

export function drawForm(asking: Asking, options: FormOptions = {}): Form {
  const { words } = asking.survey;
  const status = element("div", { class: "status", role: "status", tabindex: -1 });
  const send = button(words.send, () => {
    const score = scale.chosen();
    if (score !== undefined) vote(score);
  });
  const hint = element("p", { class: "hint" }, options.hint ?? "");
  const retry = button(words.retry, () => asking.retry());
  const comment = drawComment(words.comment, words.send, (text) => {
    commented = true;
    asking.comment(text, tell);
    status.focus();
  });
  const scale = drawScale(asking.survey, {
    vote: (score) => vote(score),
    choice: (score) => offer(score !== asking.answer?.score),
  });
  let voted = false;
  let commented = false;

  function vote(score: number): void {
    const first = !voted;
    voted = true;
    asking.vote(score, tell);
    offer(false);
    if (first) comment.fill(asking.answer?.comment ?? "");
    if (first) status.focus();
    options.voted?.();
  }

  /** Shows one state at a time; thanks are shown only after the answer has arrived. */
  function tell(state: State, code?: string): void {
    status.dataset["state"] = state;
    status.replaceChildren(told(asking.survey, state, code));
    retry.hidden = state !== "waiting";
    comment.root.hidden = commented || state === "refused";
  }

  /** Whether what is chosen waits to be sent. */
  function offer(waits: boolean): void {
    send.hidden = !waits;
    hint.hidden = !waits || !options.hint;
  }

  retry.hidden = comment.root.hidden = true;
  if (options.preselected !== undefined) scale.choose(options.preselected);
  offer(scale.chosen() !== undefined);
  const parts = [scale.root, hint, send, status, retry, comment.root];
  const root = element("div", { class: "form" }, ...parts);
  return { root, focus: scale.focus };
}

/** The state of the answer in words. */
function told({ words, thanks }: Survey, state: State, code?: string): HTMLElement {
  if (state === "sent") return element("h2", {}, thanks || words.sent);
  const text = state === "refused" ? `${words.refused} (${code})` : words[state];
  return element("p", {}, text);
}

/** A button that only a person can press: it ignores clicks that a script made. */
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
