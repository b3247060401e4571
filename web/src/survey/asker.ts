// The tenant's name and logo above the question, and the link to its privacy policy below.

import { element } from "../ask/elements.ts";
import type { Asker } from "../ask/survey.ts";

/** Shows those of them that the tenant has set; the others take no room. */
export function showAsker({ name, logo_url, privacy_url }: Asker, privacy: string): void {
  const [header, footer] = [find("header"), find("footer")];
  header.replaceChildren(
    ...(logo_url ? [logo(logo_url, header)] : []),
    ...(name ? [element("span", { dir: "auto" }, name)] : []),
  );
  footer.replaceChildren(...(privacy_url ? [linkTo(privacy_url, privacy)] : []));
  for (const part of [header, footer]) part.hidden = part.childNodes.length === 0;
}

/** The logo, without an alternative text: the name beside it says the same. */
function logo(address: string, header: HTMLElement): HTMLImageElement {
  const image = element("img", { alt: "" });
  image.addEventListener("error", () => {
    image.remove();
    header.hidden = header.childNodes.length === 0;
  });
  image.src = address;
  return image;
}

function linkTo(address: string, text: string): HTMLAnchorElement {
  return element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text);
}

function find(tag: "header" | "footer"): HTMLElement {
  return document.querySelector(tag) as HTMLElement;
}
