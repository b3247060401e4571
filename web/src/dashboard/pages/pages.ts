// The list of all pages: their addresses, their names, and the reports whose filters they have.

import type { FunctionComponent } from "preact";
import { toTranslate } from "../texts.ts";
import { OVERVIEW } from "../view.ts";
import { ActivityPage } from "./activity.tsx";
import { BrowsersPage } from "./browsers.tsx";
import { CommentsPage } from "./comments.tsx";
import { DailyPage } from "./daily.tsx";
import { DriversPage } from "./drivers.tsx";
import { ExperiencePage } from "./experience.tsx";
import { GeoPage } from "./geo.tsx";
import { OverviewPage } from "./overview.tsx";
import type { PageProps } from "./page.ts";
import { PerspectivePage } from "./perspective.tsx";
import { RatesPage } from "./rates.tsx";
import { RevenuePage } from "./revenue.tsx";
import { CesPage, CsatPage, NpsPage } from "./scored.tsx";
import { AgentsPage, SourcePage, SurveysPage } from "./sources.tsx";
import { TagsPage } from "./tags.tsx";

export interface Page {
  readonly path: string;
  readonly title: string;
  readonly group: string;
  /** The report whose filters the page has; there is no page without it in the catalogue. */
  readonly report: string;
  readonly component: FunctionComponent<PageProps>;
  /** Whether the report has a single metric, so that there is no filter by it. */
  readonly oneMetric?: boolean;
  /** Whether only keys that may read comments see the page. */
  readonly ofComments?: boolean;
  /** Whether only tenants with tags as dimensions see the page. */
  readonly ofTags?: boolean;
}

const survey = (
  path: string,
  title: string,
  report: string,
  component: FunctionComponent<PageProps>,
  oneMetric = false,
): Page => ({ path, title, group: toTranslate("Surveys"), report, component, oneMetric });

const contacts = (
  report: string,
  title: string,
  component: FunctionComponent<PageProps>,
): Page => ({ path: report, title, group: toTranslate("Contact centre"), report, component });

export const PAGES: readonly Page[] = [
  { ...survey(OVERVIEW, toTranslate("Overview"), "daily", OverviewPage), group: "" },
  survey("daily", toTranslate("Daily"), "daily", DailyPage),
  survey("csat", toTranslate("Satisfaction"), "csat", CsatPage, true),
  survey("nps", toTranslate("Loyalty"), "nps", NpsPage, true),
  survey("ces", toTranslate("Customer effort"), "ces", CesPage, true),
  survey("rates", toTranslate("Rates"), "rates", RatesPage, true),
  survey("surveys", toTranslate("By survey"), "daily", SurveysPage),
  survey("geo", toTranslate("Countries"), "geo", GeoPage),
  survey("source", toTranslate("Sources"), "source", SourcePage),
  survey("browsers", toTranslate("Browsers & OS"), "browsers", BrowsersPage),
  survey("agents", toTranslate("Agents"), "agents", AgentsPage),
  { ...survey("tags", toTranslate("Tags"), "daily", TagsPage), ofTags: true },
  survey("experience", toTranslate("Experience"), "experience", ExperiencePage),
  survey("drivers", toTranslate("Drivers"), "daily", DriversPage),
  { ...survey("comments", toTranslate("Comments"), "daily", CommentsPage), ofComments: true },
  contacts("customer-perspective", toTranslate("Customer Perspective"), PerspectivePage),
  contacts("agent-activity", toTranslate("Agent activity"), ActivityPage),
  contacts("revenue", toTranslate("Revenue"), RevenuePage),
];
