// The question with its scores, which are native radios in a named group.
//
// Mail scanners follow links, and some run scripts, press buttons and submit forms. So a vote needs a
// person: it is a trusted click that a pointer made, or Enter on the chosen radio. Arrow keys and
// assistive technology only choose a score; the Send button votes for it.

import { element } from "./elements.ts";
import { face, star } from "./faces.ts";
import { moodName } from "./moods.ts";
import { meaning, mood, scores, type Survey } from "./survey.ts";

/** How many milliseconds after a pointer was lifted its click may come. */
const CLICK_FOLLOWS_MS = 700;

export interface Scale {
  root: HTMLFieldSetElement;
  chosen(): number | undefined;
  choose(score: number): void;
  focus(): void;
}

export function drawScale(
  survey: Survey,
  heard: { vote(score: number): void; choice(score: number): void },
): Scale {
  const all = scores(survey);
  const radios = all.map((score) =>
    element("input", { type: "radio", name: "score", value: score, autocomplete: "off" }),
  );
  const choices = radios.map((radio, index) => choice(survey, all[index] ?? 0, radio));
  const named = survey.style === "faces" && survey.labels.length > 0;
  const root = element(
    "fieldset",
    { class: `scale ${survey.style}`, "data-count": all.length },
    element("legend", {}, survey.question),
    element("div", { class: "choices" }, ...choices),
    ...(named ? [] : [ends(survey)]),
  );

  const chosen = (): number | undefined => {
    const radio = radios.find((one) => one.checked);
    return radio && Number(radio.value);
  };
  const show = (): void => {
    const at = radios.findIndex((radio) => radio.checked);
    choices.forEach((one, index) => {
      one.classList.toggle("chosen", index === at);
      one.classList.toggle("reached", index <= at);
    });
  };
  const choose = (score: number): void => {
    const radio = radios[all.indexOf(score)];
    if (!radio) return;
    radio.checked = true;
    show();
  };

  let lifted = Number.NEGATIVE_INFINITY;
  root.addEventListener("pointerup", (event) => {
    if (event.isTrusted) lifted = event.timeStamp;
  });
  root.addEventListener("click", (event) => {
    const pointed = event.isTrusted && event.timeStamp - lifted < CLICK_FOLLOWS_MS;
    const index = choices.findIndex((one) => one.contains(event.target as Node));
    const score = all[index];
    if (!pointed || score === undefined) return;
    choose(score);
    heard.vote(score);
  });
  root.addEventListener("keydown", (event) => {
    const score = chosen();
    if (!event.isTrusted || event.key !== "Enter" || event.repeat || score === undefined) return;
    event.preventDefault();
    heard.vote(score);
  });
  root.addEventListener("change", () => {
    show();
    const score = chosen();
    if (score !== undefined) heard.choice(score);
  });

  return {
    root,
    chosen,
    choose,
    focus: () => (radios.find((radio) => radio.checked) ?? radios[0])?.focus(),
  };
}

function choice(survey: Survey, score: number, radio: HTMLInputElement): HTMLLabelElement {
  const meant = meaning(survey, score);
  if (survey.style === "numbers") {
    return element("label", { class: "choice" }, radio, text("number", `${score}`), aside(meant));
  }
  const faces = survey.style === "faces";
  const felt = mood(survey, score);
  const parts: Node[] = [radio, faces ? face(felt) : star()];
  if (faces && survey.labels.length > 0) parts.push(text("name", meant));
  else {
    const told = meant || (faces ? moodName(survey.language, felt) : "");
    parts.push(text("aside", [score, told].filter((part) => part !== "").join(", ")));
  }
  return element("label", { class: "choice" }, ...parts);
}

function ends(survey: Survey): HTMLElement {
  const [low, high] = survey.ends.map((end) => element("span", {}, end));
  return element("div", { class: "ends", "aria-hidden": "true" }, low ?? "", high ?? "");
}

function text(name: string, content: string): HTMLElement {
  return element("span", { class: name }, content);
}

/** A text for screen readers only. */
function aside(content: string): HTMLElement {
  return text("aside", content && `, ${content}`);
}
