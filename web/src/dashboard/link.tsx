// A link within the dashboard. It is an ordinary link, which can be opened in another tab; a click
// follows it without loading a page.

import type { ComponentChildren, JSX } from "preact";
import { go } from "./router.ts";
import { formatAddress, type View } from "./view.ts";

interface Props {
  readonly to: View;
  readonly current?: boolean;
  readonly look?: string;
  /** What is said of it where what it shows would not do. */
  readonly told?: string;
  readonly children: ComponentChildren;
}

export function Link({ to, current, look, told, children }: Props): JSX.Element {
  const follow = (event: MouseEvent): void => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a
      href={formatAddress(to)}
      class={look}
      title={told}
      aria-label={told}
      aria-current={current ? "page" : undefined}
      onClick={follow}
    >
      {children}
    </a>
  );
}
