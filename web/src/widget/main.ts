// /widget.v1.js: the script that any site may include. Its interface never changes after a release,
// and no error in it may reach the host page.
//
//   <script async src="https://…/widget.v1.js" data-key="pk_…" data-survey="checkout"></script>
//
//   Pulse.identify({customer, agent, agent_name, interaction, channel, signature, tags})
//   Pulse.track(event)      for surveys that wait for it
//   Pulse.show([survey])    opens the dialog
//
// On a site that replaces its body instead of loading pages, a new tag replaces the removed one of
// the same survey.
//
// Calls before the script is loaded: (window.Pulse = window.Pulse || {q: []}).q.push(["show"]).

import type { Context } from "../ask/answer.ts";
import { readOptions } from "./options.ts";
import { openPage, Widget } from "./widget.ts";

type Call = readonly [name: string, argument?: unknown];

interface Pulse {
  q: { push(call: Call): void };
  identify(context: Context): void;
  track(event: string): void;
  show(survey?: string): void;
  add(tag: HTMLScriptElement): void;
}

function install(): Pulse {
  const page = openPage();
  let widgets: Widget[] = [];
  let known: Context = {};
  const pulse: Pulse = {
    q: { push: guarded(([name, argument]: Call) => call(name, argument)) },
    identify: guarded((context: Context) => {
      known = { ...known, ...context };
      for (const widget of widgets) widget.identify(context);
    }),
    track: guarded((event: string) => {
      for (const widget of widgets) widget.track(event);
    }),
    show: guarded((survey?: string) => {
      const named = widgets.find((widget) => survey === undefined || widget.survey === survey);
      named?.show();
    }),
    add: guarded((tag: HTMLScriptElement) => {
      const language = document.documentElement.lang || navigator.language;
      const options = readOptions({ ...tag.dataset }, tag.src, language);
      if (!options) throw new Error("the tag needs data-key and data-survey");
      const replaced = (widget: Widget): boolean =>
        widget.survey === options.survey && !widget.tag.isConnected;
      for (const widget of widgets.filter(replaced)) widget.end();
      widgets = widgets.filter((widget) => !replaced(widget));
      const widget = new Widget(tag, options, page);
      widget.identify(known);
      widgets.push(widget);
      void widget.start().catch(report);
    }),
  };
  const call = (name: string, argument: unknown): void => {
    if (name === "identify") pulse.identify(argument as Context);
    else if (name === "track") pulse.track(argument as string);
    else if (name === "show") pulse.show(argument as string | undefined);
    else throw new Error(`there is no ${name}`);
  };
  return pulse;
}

function guarded<Arguments extends unknown[]>(
  run: (...given: Arguments) => void,
): (...given: Arguments) => void {
  return (...given) => {
    try {
      run(...given);
    } catch (error) {
      report(error);
    }
  };
}

function report(error: unknown): void {
  console.warn("Pulse:", error);
}

guarded(() => {
  const tag = document.currentScript as HTMLScriptElement;
  const held = window as { Pulse?: Partial<Pulse> };
  const before = held.Pulse;
  if (before?.add) {
    before.add(tag);
    return;
  }
  const pulse = install();
  held.Pulse = pulse;
  pulse.add(tag);
  for (const call of (before?.q as unknown as Call[] | undefined) ?? []) pulse.q.push(call);
})();
