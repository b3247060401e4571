// What the interactions tell that answers are linked to. Comments have it as the report experience has
// it, but the agent who dealt with the interaction is handled_by there: agent is the answer's own. Pure.

import { findReport, HANDLED_BY } from "./catalogue.ts";
import { reportQuery, withParams, type Params } from "./view.ts";

function ofAnswers(): readonly string[] {
  return findReport("daily")?.filters ?? [];
}

function ofExperience(): readonly string[] {
  return findReport("experience")?.filters ?? [];
}

/** Whether comments have the dimension from the interactions that they are linked to. */
export function isOfInteraction(name: string): boolean {
  if (ofAnswers().includes(name)) return false;
  return name === HANDLED_BY || ofExperience().includes(name);
}

/** What comments are filtered by: what the answers tell, and the interactions. */
export function commentFilters(): readonly string[] {
  const names = ofExperience().map((name) => (name === "agent" ? HANDLED_BY : name));
  return [...ofAnswers(), ...names.filter(isOfInteraction)];
}

/** The parameters of the report experience as comments have them. */
export function asOfComments(params: Params): Params {
  return withParams(params, { agent: null, [HANDLED_BY]: params.get("agent") ?? null });
}

/** The parameters of comments as the report experience has them. */
export function asOfExperience(params: Params): Params {
  return withParams(params, { [HANDLED_BY]: null, agent: params.get(HANDLED_BY) ?? null });
}

/** The parameters of linked answers alone. Those that are not linked have no value of anything here. */
export function amongLinked(params: Params): Params {
  return params.has("media_type") ? params : withParams(params, { media_type: "!(none)" });
}

interface Asked {
  readonly params: Params;
  /** The filters of the page. */
  readonly filters: readonly string[];
  /** The family of the page's report. */
  readonly family: string;
}

/**
 * The query for the values of a dimension in the view's days and under its filters, and for those
 * that contain a text. A raw value replaces the view's filter by the dimension itself; null removes it.
 */
export function valuesQuery(
  name: string,
  { params, filters, family }: Asked,
  own?: string | null,
  q: string | null = null,
): string {
  const asked = own === undefined ? params : withParams(params, { [name]: own });
  const changes = { compare: null, granularity: null, q };
  if (family !== "survey") return reportQuery(asked, filters, { ...changes, family });
  if (!isOfInteraction(name)) {
    const known = filters.filter((each) => !isOfInteraction(each));
    return reportQuery(asked, known, { ...changes, family });
  }
  const known = ofExperience();
  return reportQuery(asOfExperience(asked), known, { ...changes, family: "experience" });
}
