// The widget on the host page: a button, and a dialog beside which the page can be used. Both are in
// a shadow tree, so that styles and keyboard shortcuts of page and widget do not affect each other.

import type { Asking } from "../ask/asking.ts";
import { element, shape, svg } from "../ask/elements.ts";
import { button, drawForm } from "../ask/form.ts";
import type { Survey } from "../ask/survey.ts";
import formCss from "../ask/form.css?inline";
import widgetCss from "./widget.css?inline";

export interface PanelOptions {
  theme: string;
  side: string;
  button: string | undefined;
  /** Makes the form, with what is known of the visitor at that moment. */
  begin(): Asking;
  shown(): void;
  answered(): void;
}

export class Panel {
  readonly #survey: Survey;
  readonly #options: PanelOptions;
  readonly #host = document.createElement("pulse-widget");
  readonly #tree = this.#host.attachShadow({ mode: "open" });
  readonly #root: HTMLElement;
  readonly #news = element("p", { class: "aside", role: "status" });
  #opener: HTMLButtonElement | undefined;
  #dialog: HTMLElement | undefined;
  #before: Element | null = null;

  constructor(survey: Survey, options: PanelOptions) {
    this.#survey = survey;
    this.#options = options;
    this.#root = element("div", {
      class: "pulse",
      lang: survey.language,
      dir: survey.direction,
      "data-theme": options.theme,
      "data-side": options.side,
    });
    this.#root.append(this.#news);
    this.#tree.append(this.#root);
    dress(this.#tree);
    for (const type of ["keydown", "keyup", "keypress"]) {
      this.#tree.addEventListener(type, (event) => event.stopPropagation());
    }
  }

  /** Adds the button that opens the dialog. */
  offer(): void {
    this.#opener = button(
      this.#options.button || this.#survey.words.open,
      () => (this.#dialog ? this.close() : this.open({ focus: true })),
      "opener",
    );
    this.#opener.setAttribute("aria-expanded", "false");
    this.#root.append(this.#opener);
    this.#attach();
  }

  /** Removes the button; an open dialog stays. */
  withdraw(): void {
    this.#opener?.remove();
    this.#opener = undefined;
  }

  /** Shows the dialog. The focus moves to it only if the visitor has asked for the dialog. */
  open({ focus }: { focus: boolean }): void {
    if (this.#dialog) return;
    const { words, question } = this.#survey;
    const asking = this.#options.begin();
    const form = drawForm(asking, {
      preselected: asking.answer?.score,
      voted: () => this.#options.answered(),
    });
    const close = button("", () => this.close(), "close");
    close.setAttribute("aria-label", words.close);
    close.append(
      svg({ viewBox: "0 0 16 16" }, shape("path", { class: "line", d: "M3 3 L13 13 M13 3 L3 13" })),
    );
    this.#dialog = element(
      "div",
      { class: "dialog", role: "dialog", "aria-label": question },
      form.root,
      close,
    );
    this.#dialog.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    this.#before = document.activeElement;
    this.#opener?.setAttribute("aria-expanded", "true");
    this.#root.append(this.#dialog);
    this.#attach();
    if (focus) form.focus();
    else this.#news.textContent = question; // for screen readers
    this.#options.shown();
  }

  close(): void {
    const inside = this.#tree.activeElement !== null;
    this.#dialog?.remove();
    this.#dialog = undefined;
    this.#news.textContent = "";
    this.#opener?.setAttribute("aria-expanded", "false");
    if (!inside) return;
    const back = this.#opener ?? this.#before;
    if (back instanceof HTMLElement) back.focus();
  }

  /** Removes everything. */
  remove(): void {
    this.#host.remove();
  }

  /**
   * Adds the widget after the page's body, as soon as there is one. It is not within the body,
   * because sites that load no pages replace that.
   */
  #attach(): void {
    if (document.body) {
      if (!this.#host.isConnected) document.documentElement.append(this.#host);
    } else {
      document.addEventListener("DOMContentLoaded", () => this.#attach(), { once: true });
    }
  }
}

/** Adds the styles in a way that no policy of the host page forbids. */
function dress(tree: ShadowRoot): void {
  const css = formCss + widgetCss;
  if ("adoptedStyleSheets" in tree) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    tree.adoptedStyleSheets = [sheet];
  } else {
    (tree as ShadowRoot).append(element("style", {}, css));
  }
}
