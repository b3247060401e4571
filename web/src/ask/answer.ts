// One answer, as POST /v1/responses takes it.
//
// Its response_id and answered_at are made once: whatever is sent later under the same two
// replaces what was sent before, so a retry counts once and a comment completes the answer.

/** Whom and what an answer is about, as the link or the host page knows it. */
export interface Context {
  channel?: string;
  agent?: string;
  agent_name?: string;
  interaction?: string;
  customer?: string;
  /** Proves agent and interaction, where a link was signed for them. */
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

/** What tells one question from another: an answer about somebody else is another answer. */
export type Subject = Pick<Answer, "channel" | "agent_id" | "interaction_id" | "customer_id">;

export const COMMENT_LIMIT = 4000;
const TEXT_LIMIT = 128;
const TAGS_LIMIT = 20;
const TAG_KEY_LIMIT = 64;
const CHANNEL_LIMIT = 40;
/** Texts that mean something of their own in reports: the API refuses them as names. */
const RESERVED = ["(none)", "(other)", "(rest)"];

/**
 * What a help desk should have filled in and did not: {{…}}, {!…}, {%…%}, #{…}, %{…}, ${…}, {$…},
 * *|…|*, <OTRS_…>. `pulse survey link` lets the same pass (cli/survey_links.py).
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

/** The answer with a comment; without one where the text is blank. */
export function withComment({ comment: _, ...answer }: Answer, text: string): Answer {
  const comment = wellFormed(text).trim().slice(0, COMMENT_LIMIT);
  return comment ? { ...answer, comment: wellFormed(comment) } : answer;
}

export function subjectOf(context: Context): Subject {
  const { agent_name: _, tags: __, signature: ___, ...subject } = fields(context);
  return subject;
}

/** The context as fields of an answer. What the API would refuse is left out: the score counts. */
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
