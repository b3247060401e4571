// One survey that one visitor is asked: the answer so far, and what the browser remembers of it.

import { type Answer, type Context, newAnswer, subjectOf, withComment } from "./answer.ts";
import { newId } from "./identity.ts";
import { type Memory, readJson } from "./memory.ts";
import type { Outbox, State, Watch } from "./outbox.ts";
import { scores, type Survey } from "./survey.ts";

/** How long answers about a named interaction can be changed; others can for an hour. */
const KEPT_DAYS = 30;
const PREFIX = "pulse.answered.";

/** The address of the API and the key with which a page calls it. */
export interface Access {
  api: string;
  key: string;
}

export class Asking {
  readonly survey: Survey;
  /** Whether a browser may answer only once: if an interaction is named. */
  readonly once: boolean;
  readonly #context: Context;
  readonly #access: Access;
  readonly #memory: Memory;
  readonly #outbox: Outbox;
  /** The name under which the answer is remembered: the survey and all that it is about. */
  readonly #name: string;
  #answer: Answer | undefined;
  #state: State | undefined;

  constructor(survey: Survey, context: Context, access: Access, memory: Memory, outbox: Outbox) {
    this.survey = survey;
    this.#context = context;
    this.#access = access;
    this.#memory = memory;
    this.#outbox = outbox;
    const subject = subjectOf(context);
    this.once = subject.interaction_id !== undefined;
    this.#name = PREFIX + JSON.stringify([access.key, survey.id, subject]);
    this.#forgetOld();
  }

  get answer(): Answer | undefined {
    return this.#answer;
  }

  /** The visitor's earlier answer to the same question, if it can still be changed. */
  earlier(): Answer | undefined {
    const answer = readJson<Answer>(this.#memory, this.#name);
    return answer && scores(this.survey).includes(answer.score) ? answer : undefined;
  }

  /** Lets later votes and comments replace the earlier answer. */
  reopen(): void {
    this.#answer = this.earlier();
  }

  /** Sends the score, unless the same one is being sent or is stored already. */
  vote(score: number, watch: Watch): void {
    const taken = this.#state !== undefined && this.#state !== "refused";
    if (taken && this.#answer?.score === score) return;
    this.#answer ??= this.#elsewhere();
    this.#post(
      this.#answer
        ? { ...this.#answer, score }
        : newAnswer(this.survey.id, score, this.#context, newId(), new Date(this.survey.now())),
      watch,
    );
  }

  /** The answer from another tab meanwhile, if a browser may answer only once. */
  #elsewhere(): Answer | undefined {
    return this.once ? this.earlier() : undefined;
  }

  /** Sends the answer again, with a comment. */
  comment(text: string, watch: Watch): void {
    if (this.#answer) this.#post(withComment(this.#answer, text), watch);
  }

  /** Tries again to send what waits for a connection. */
  retry(): void {
    this.#outbox.resume();
  }

  #post(answer: Answer, watch: Watch): void {
    this.#answer = answer;
    this.#memory.write(this.#name, JSON.stringify(answer));
    const url = `${this.#access.api}/v1/responses?key=${encodeURIComponent(this.#access.key)}`;
    const body = JSON.stringify(answer);
    const kept = this.survey.back_s * 1000;
    this.#outbox.post(answer.response_id, url, body, kept, (state, code, answeredAt) => {
      this.#state = state;
      if (state === "refused") this.#memory.forget(this.#name);
      if (answeredAt) this.#correct(answeredAt);
      watch(state, code);
    });
  }

  /** Takes the time under which the API has stored the answer, for answers that replace it. */
  #correct(answeredAt: string): void {
    if (!this.#answer) return;
    this.#answer = { ...this.#answer, answered_at: answeredAt };
    this.#memory.write(this.#name, JSON.stringify(this.#answer));
  }

  #forgetOld(): void {
    for (const name of this.#memory.names(PREFIX)) {
      const answer = readJson<Answer>(this.#memory, name);
      const given = Date.parse(answer?.answered_at ?? "");
      const kept = (answer?.interaction_id ? KEPT_DAYS * 24 : 1) * 3600 * 1000;
      if (!(this.survey.now() - given <= kept)) this.#memory.forget(name);
    }
  }
}
