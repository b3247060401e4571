// Surveys, Sources and Agents: scores by what was asked, by channel, and by who was rated.

import type { JSX } from "preact";
import { GroupPage, type Grouping } from "./groups.tsx";
import type { PageProps } from "./page.ts";

const SURVEYS: Grouping = {
  report: "daily",
  title: "Surveys",
  text: "Each survey by itself: elsewhere answers to all surveys of a metric and scale count together.",
  by: ["survey"],
  groupBy: "survey",
  noun: "survey",
};

const SOURCE: Grouping = {
  report: "source",
  title: "Sources",
  text: "Answers and scores by the channel that they came through.",
  by: ["channel"],
  noun: "channel",
};

const AGENTS: Grouping = {
  report: "agents",
  title: "Agents",
  text: "How many answers each agent had, and how they were scored.",
  by: ["agent"],
  noun: "agent",
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
