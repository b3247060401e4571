// Sources and Agents: scores by channel, and by who was rated.

import type { JSX } from "preact";
import { GroupPage, type Grouping } from "./groups.tsx";
import type { PageProps } from "./page.ts";

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

export const SourcePage = (props: PageProps): JSX.Element => (
  <GroupPage {...props} grouping={SOURCE} />
);
export const AgentsPage = (props: PageProps): JSX.Element => (
  <GroupPage {...props} grouping={AGENTS} />
);
