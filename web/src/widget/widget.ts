// The widget of one tag: it loads its survey, and shows it when the rules or the host page say so.

import type { Context } from "../ask/answer.ts";
import { Asking } from "../ask/asking.ts";
import { type Memory, openMemory } from "../ask/memory.ts";
import { openOutbox, type Outbox } from "../ask/outbox.ts";
import { type Display, findSurvey, type Survey } from "../ask/survey.ts";
import { displayRules, type Options } from "./options.ts";
import { Panel } from "./panel.ts";
import { Visitor } from "./visitor.ts";

/** What all widgets of a page share. */
export interface HostPage {
  memory: Memory;
  outbox: Outbox;
}

export function openPage(): HostPage {
  const memory = openMemory(() => localStorage);
  return { memory, outbox: openOutbox(memory) };
}

export class Widget {
  readonly survey: string;
  /** Its script tag. It ends when the tag is no longer in the page. */
  readonly tag: Element;
  readonly #options: Options;
  readonly #page: HostPage;
  readonly #visitor: Visitor;
  #context: Context;
  #panel: Panel | undefined;
  #rules: Display | undefined;
  /** The events that came before the survey was loaded. */
  readonly #told: string[] = [];
  #wanted = false;
  #ended = false;

  constructor(tag: Element, options: Options, page: HostPage) {
    this.tag = tag;
    this.survey = options.survey;
    this.#options = options;
    this.#page = page;
    this.#visitor = new Visitor(page.memory, options.survey);
    this.#context = options.context;
  }

  async start(): Promise<void> {
    const { api, key, survey, language } = this.#options;
    const found = await findSurvey(api, key, survey, language);
    if ("survey" in found) this.#show(found.survey);
    else console.warn(`Pulse: the survey ${survey} is ${found.fault}.`);
  }

  /** Removes everything; from now on nothing is shown. */
  end(): void {
    this.#ended = true;
    this.#panel?.remove();
  }

  identify(context: Context): void {
    this.#context = { ...this.#context, ...context };
  }

  /** Handles an event of the host page, for which the survey may wait. */
  track(event: string): void {
    if (!this.#rules) this.#told.push(event);
    else if (this.#rules.trigger === "event" && this.#rules.event === event) this.#askIfDue();
  }

  show(): void {
    if (this.#panel) this.#panel.open({ focus: true });
    else this.#wanted = true;
  }

  #show(survey: Survey): void {
    if (this.#ended) return;
    const { api, key, theme, side, button } = this.#options;
    const { memory, outbox } = this.#page;
    this.#rules = displayRules(survey, this.#options);
    this.#panel = new Panel(survey, {
      theme,
      side,
      button,
      begin: () => {
        const asking = new Asking(survey, this.#context, { api, key }, memory, outbox);
        if (asking.once) asking.reopen();
        return asking;
      },
      shown: () => this.#visitor.note("shown"),
      answered: () => {
        this.#visitor.note("answered");
        this.#panel?.withdraw();
      },
    });
    if (this.#wanted) this.show();
    this.#begin(this.#rules);
    for (const event of this.#told) this.track(event);
  }

  #begin({ trigger, delay }: Display): void {
    if (trigger === "button" && this.#rules && this.#visitor.mayAnswer(this.#rules)) {
      this.#panel?.offer();
    }
    if (trigger === "delay") setTimeout(() => this.#askIfDue(), delay * 1000);
  }

  #askIfDue(): void {
    if (this.#ended || !this.#rules || !this.#visitor.mayBeAsked(this.#rules)) return;
    this.#panel?.open({ focus: false });
  }
}
