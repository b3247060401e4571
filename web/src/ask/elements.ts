// Makes DOM elements without parsing HTML, so that it works on pages that require Trusted Types.

type Attributes = Record<string, string | number | undefined>;

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  setAll(made, attributes);
  made.append(...children);
  return made;
}

export function svg(attributes: Attributes, ...children: SVGElement[]): SVGElement {
  const made = shape("svg", { "aria-hidden": "true", focusable: "false", ...attributes });
  made.append(...children);
  return made;
}

export function shape(tag: string, attributes: Attributes): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAll(made, attributes);
  return made;
}

function setAll(made: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(name, String(value));
  }
}
