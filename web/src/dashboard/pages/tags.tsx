// The page of scores by one of the tags that the tenant has declared as dimensions.

import type { JSX } from "preact";
import { catalogue } from "../catalogue.ts";
import { look } from "../router.ts";
import { t, toTranslate } from "../texts.ts";
import { withParams } from "../view.ts";
import { GroupPage, type Grouping } from "./groups.tsx";
import type { PageProps } from "./page.ts";

/** The parameter of the address that names the dimension. */
const BY = "by";

function grouping(name: string): Grouping {
  return {
    report: "daily",
    title: toTranslate("Tags"),
    text: toTranslate("Answers and scores by the tags that senders gave them."),
    by: [name],
    groupBy: name,
    noun: name,
    own: true,
  };
}

export function TagsPage(props: PageProps): JSX.Element {
  const { params } = props;
  const names = catalogue.value?.tenant?.dimensions ?? [];
  const chosen = names.find((name) => name === params.get(BY)) ?? names[0];
  if (chosen === undefined) return <p class="nothing">{t("No tags are told apart.")}</p>;
  const choose = (name: string): void =>
    look(withParams(params, { [BY]: name, order_by: null })); // which may be of the other's column
  const choice = (
    <div class="controls">
      <label>
        <span>{t("Tag")}</span>
        <select value={chosen} onChange={(e) => choose(e.currentTarget.value)}>
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
  return <GroupPage key={chosen} {...props} grouping={grouping(chosen)} above={choice} />;
}
