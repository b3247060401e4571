// The pages Surveys, Sources and Agents: scores by survey, by channel, and by agent.

import type { JSX } from "preact";
import { GroupPage, type Grouping } from "./groups.tsx";
import type { PageProps } from "./page.ts";
import { toTranslate } from "../texts.ts";

const SURVEYS: Grouping = {
  report: "daily",
  title: toTranslate("Surveys"),
  text: toTranslate(
    "Each survey by itself: elsewhere answers to all surveys of a metric and scale count together.",
  ),
  by: ["survey"],
  groupBy: "survey",
  noun: toTranslate("survey"),
};

const SOURCE: Grouping = {
  report: "source",
  title: toTranslate("Sources"),
  text: toTranslate("Answers and scores by the channel that they came through."),
  by: ["channel"],
  noun: toTranslate("channel"),
};

const AGENTS: Grouping = {
  report: "agents",
  title: toTranslate("Agents"),
  text: toTranslate("How each agent was scored, and beside what the others make of the same kinds of answers."),
  by: ["agent"],
  noun: toTranslate("agent"),
  sides: true,
};

export const SurveysPage = (props: PageProps): JSX.Element => (
  <GroupPage {...props} grouping={SURVEYS} />
);
export const SourcePage = (props: PageProps): JSX.Element => (
  <GroupPage {...props} grouping={SOURCE} />
);
export const AgentsPage = (props: PageProps): JSX.Element => (
  <GroupPage {...props} grouping={AGENTS} />
);
