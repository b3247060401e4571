// The widget on the host page: a button, and a dialog that leaves the page usable. All of it is in
// a shadow tree, so neither page's styles nor keyboard shortcuts meet the other's.

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
  /** A conversation about what is known of the visitor now. */
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

  /** Puts the button there that opens the dialog. */
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

  /** Takes the button away; an open dialog stays. */
  withdraw(): void {
    this.#opener?.remove();
    this.#opener = undefined;
  }

  /** Shows the dialog. Where the visitor has not asked for it, the focus stays where it is. */
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
    else this.#news.textContent = question; // told to ears
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

  /** Takes everything away. */
  remove(): void {
    this.#host.remove();
  }

  /**
   * Behind the page's body: at once, or when it comes, where this script was faster. Not into it,
   * because sites that load no pages put another body in its place.
   */
  #attach(): void {
    if (document.body) {
      if (!this.#host.isConnected) document.documentElement.append(this.#host);
    } else {
      document.addEventListener("DOMContentLoaded", () => this.#attach(), { once: true });
    }
  }
}

/** Styles that no policy of the host page's forbids. */
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
