// One answer, in the form of POST /v1/responses.
//
// Its response_id and answered_at are made once. An answer that is sent later with the same two
// replaces the earlier one, so a retry counts once, and a comment can be added.

/** Whom and what an answer is about, as far as the link or the host page says it. */
export interface Context {
  channel?: string;
  agent?: string;
  agent_name?: string;
  interaction?: string;
  customer?: string;
  /** The signature of a link, which proves its agent and interaction. */
  signature?: string;
  tags?: Record<string, string>;
}

export interface Answer {
  survey_id: string;
  score: number;
  response_id: string;
  answered_at: string;
  channel?: string;
  agent_id?: string;
  agent_name?: string;
  interaction_id?: string;
  customer_id?: string;
  signature?: string;
  tags?: Record<string, string>;
  comment?: string;
}

/** The fields that distinguish two answers to a survey: one about another agent is another one. */
export type Subject = Pick<Answer, "channel" | "agent_id" | "interaction_id" | "customer_id">;

export const COMMENT_LIMIT = 4000;
const TEXT_LIMIT = 128;
const TAGS_LIMIT = 20;
const TAG_KEY_LIMIT = 64;
const CHANNEL_LIMIT = 40;
/** Texts with a special meaning in reports, which the API refuses as names. */
const RESERVED = ["(none)", "(other)", "(rest)"];

/**
 * Placeholders that a help desk did not replace: {{…}}, {!…}, {%…%}, #{…}, %{…}, ${…}, {$…},
 * *|…|*, <OTRS_…>. `pulse survey link` accepts the same ones (cli/survey_links.py).
 */
const PLACEHOLDER =
  /\{\{[^{}]*\}\}|\{[!$][^{}]*\}|\{%[^{}]*%\}|[#%$]\{[^{}]*\}|\*\|[^*|]*\|\*|<OTRS_[^<>]*>/;

export function newAnswer(
  survey: string,
  score: number,
  context: Context,
  id: string,
  at: Date,
): Answer {
  return {
    survey_id: survey,
    score,
    response_id: id,
    answered_at: at.toISOString(),
    ...fields(context),
  };
}

/** The answer with a comment, or without one if the text is blank. */
export function withComment({ comment: _, ...answer }: Answer, text: string): Answer {
  const comment = wellFormed(text).trim().slice(0, COMMENT_LIMIT);
  return comment ? { ...answer, comment: wellFormed(comment) } : answer;
}

export function subjectOf(context: Context): Subject {
  const { agent_name: _, tags: __, signature: ___, ...subject } = fields(context);
  return subject;
}

/** The context as fields of an answer, without values that the API would refuse. */
function fields(context: Context): Partial<Answer> {
  const channel = text(context.channel);
  const agent = text(context.agent);
  const name = text(context.agent_name);
  const interaction = text(context.interaction);
  const customer = text(context.customer);
  const signature = text(context.signature);
  const tags = shortTags(context.tags ?? {});
  return {
    ...(channel && [...channel].length <= CHANNEL_LIMIT && isName(channel) && { channel }),
    ...(agent && isName(agent) && { agent_id: agent }),
    ...(name && { agent_name: name }),
    ...(interaction && { interaction_id: interaction }),
    ...(customer && { customer_id: customer }),
    ...(signature && { signature }),
    ...(Object.keys(tags).length > 0 && { tags }),
  };
}

function isName(text: string): boolean {
  return !RESERVED.includes(text.trim());
}

function text(value: unknown): string | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  const whole = wellFormed(String(value));
  const usable = whole !== "" && [...whole].length <= TEXT_LIMIT && !PLACEHOLDER.test(whole);
  return usable ? whole : undefined;
}

function shortTags(tags: Record<string, string>): Record<string, string> {
  const kept = Object.entries(tags)
    .map(([name, value]): [string, string | undefined] => [wellFormed(name), text(value)])
    .filter((tag): tag is [string, string] => tag[1] !== undefined)
    .filter(([name]) => name !== "" && [...name].length <= TAG_KEY_LIMIT);
  return Object.fromEntries(kept.slice(0, TAGS_LIMIT));
}

/** The text without halves of surrogate pairs, which the API refuses. */
function wellFormed(value: string): string {
  return value.replace(/\p{Surrogate}/gu, "\uFFFD");
}
