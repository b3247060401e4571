// The hosted survey page at /s/{publishable key}, with one question. Loading it sends nothing.

import "../ask/form.css";
import "./survey.css";
import { Asking } from "../ask/asking.ts";
import { element } from "../ask/elements.ts";
import { button, drawForm } from "../ask/form.ts";
import { openMemory } from "../ask/memory.ts";
import { openOutbox } from "../ask/outbox.ts";
import { findSurvey, scores, type Survey } from "../ask/survey.ts";
import { showAsker } from "./asker.ts";
import { readLink } from "./link.ts";
import { noticesIn } from "./notices.ts";

const link = readLink(location.pathname, location.search);
const memory = openMemory(() => localStorage);
const outbox = openOutbox(memory);
const place = { api: "", key: link.key };
const main = document.querySelector("main") as HTMLElement;

async function load(): Promise<void> {
  main.setAttribute("aria-busy", "true");
  const language = link.language || navigator.language;
  const found =
    link.key && link.survey
      ? await findSurvey(place.api, link.key, link.survey, language)
      : { fault: "unknown" as const };
  main.removeAttribute("aria-busy");
  if ("survey" in found) ask(found.survey);
  else notice(found.fault);
}

function ask(survey: Survey): void {
  speak(survey.language, survey.direction);
  document.title = survey.question || document.title;
  showAsker(survey.asked_by, noticesIn([survey.language]).notices.privacy);
  const asking = new Asking(survey, link.context, place, memory, outbox);
  const earlier = asking.earlier();
  const another = link.score !== earlier?.score && scores(survey).includes(link.score ?? -1);
  if (earlier && !another) {
    already(asking, earlier.score);
    return;
  }
  asking.reopen(); // a link of the same mail, clicked again, changes the answer
  const hint = noticesIn([survey.language]).notices.oneMore;
  main.replaceChildren(drawForm(asking, { preselected: link.score, hint }).root);
}

function already(asking: Asking, score: number): void {
  const { survey } = asking;
  const draw = (preselected?: number): void => {
    const form = drawForm(asking, { preselected });
    main.replaceChildren(form.root);
    form.focus();
  };
  const change = button(survey.words.change, () => {
    asking.reopen();
    draw(score);
  });
  const again = button(survey.words.again, () => draw(), "button quiet");
  main.replaceChildren(
    element("h1", {}, survey.words.already),
    element("p", { class: "question" }, survey.question),
    element("div", { class: "actions" }, change, ...(asking.once ? [] : [again])),
  );
}

function notice(fault: "unknown" | "unreachable"): void {
  const { language, direction, notices } = noticesIn([link.language, ...navigator.languages]);
  speak(language, direction);
  document.title = fault === "unknown" ? notices.unknown : document.title;
  main.replaceChildren(
    ...(fault === "unknown"
      ? [element("h1", {}, notices.unknown), element("p", {}, notices.unknownWhy)]
      : [
          element("p", { role: "alert" }, notices.unreachable),
          button(notices.retry, () => void load()),
        ]),
  );
}

function speak(language: string, direction: string): void {
  document.documentElement.lang = language;
  document.documentElement.dir = direction;
}

void load();
