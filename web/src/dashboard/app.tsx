// The frame: sign-in if there is no key, otherwise navigation, filter bar and the page.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { AnotherKey } from "./another.tsx";
import type { Catalogue } from "../interface.ts";
import { catalogue, findReport } from "./catalogue.ts";
import { commentFilters } from "./experienced.ts";
import { FilterBar } from "./filters.tsx";
import { isOperator } from "./keys.ts";
import { Link } from "./link.tsx";
import { ProblemNote } from "./problem.tsx";
import { PAGES, type Page } from "./pages/pages.ts";
import { useOne } from "./replies.ts";
import { undo, view } from "./router.ts";
import { brought, key, signOut } from "./session.ts";
import { shown } from "./shown.ts";
import { SignIn } from "./signin.tsx";
import { carried, OVERVIEW, type Params } from "./view.ts";
import { choose, language, LANGUAGES, t, type Language } from "./texts.ts";

export function App(): JSX.Element {
  if (key.value === null) return <SignIn />;
  if (brought.value !== null) return <AnotherKey inUse={key.value} given={brought.value} />;
  return <SignedIn key={`${key.value} ${language.value}`} />;
}

function SignedIn(): JSX.Element {
  const loaded = useOne<Catalogue>("/reports");
  useEffect(() => {
    catalogue.value = loaded.value;
  }, [loaded.value]);
  useEffect(() => {
    const escape = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && !event.defaultPrevented) undo();
    };
    document.addEventListener("keydown", escape);
    return () => document.removeEventListener("keydown", escape);
  }, []);
  if (loaded.problem) return <ProblemNote problem={loaded.problem} retry={loaded.retry} />;
  if (!catalogue.value) return <p class="loading">{t("Loading …")}</p>;
  return <Frame />;
}

function Frame(): JSX.Element {
  const { page: path, params } = view.value;
  const known = new Set(catalogue.value?.reports.map((report) => report.name));
  const pages = PAGES.filter((page) => known.has(page.report));
  const page = pages.find((each) => each.path === path);
  return (
    <>
      <a class="skip" href="#page">
        {t("To the page")}
      </a>
      <header class="top">
        <Link to={{ page: OVERVIEW, params: carried(params, []) }}>
          <span class="brand">Pulse</span>
        </Link>
        <Navigation pages={pages} current={path} params={params} />
        <button type="button" class="out" onClick={() => signOut()}>
          {t("Sign out")}
        </button>
        <Speech />
      </header>
      {page ? <Content key={page.path} page={page} params={params} /> : <Unknown path={path} />}
    </>
  );
}

/** The choice of the dashboard's language. */
function Speech(): JSX.Element {
  return (
    <label class="speech">
      <span class="unseen">{t("Language")}</span>
      <select
        value={language.value}
        onChange={(e) => void choose(e.currentTarget.value as Language)}
      >
        {Object.entries(LANGUAGES).map(([code, name]) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

interface NavigationProps {
  readonly pages: readonly Page[];
  readonly current: string;
  readonly params: Params;
}

function Navigation({ pages, current, params }: NavigationProps): JSX.Element {
  const groups = [...new Set(pages.map((page) => page.group))];
  const [open, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const close = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation(); // it only closes the list
    setOpen(false);
    opener.current?.focus();
  };
  useEffect(() => setOpen(false), [current]);
  return (
    <nav class={open ? "pages open" : "pages"} aria-label={t("Pages")} onKeyDown={close}>
      <button
        type="button"
        class="narrow-only"
        ref={opener}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {t(pages.find((page) => page.path === current)?.title ?? "Pages")}
        <span aria-hidden="true"> ▾</span>
      </button>
      {groups.map((group) => (
        <div key={group} class="group">
          {group && <h2>{t(group)}</h2>}
          <ul>
            {pages
              .filter((page) => page.group === group)
              .filter((page) => !page.ofComments || catalogue.value?.comments)
              .filter((page) => !page.ofTags || catalogue.value?.tenant?.dimensions.length)
              .map((page) => (
                <li key={page.path}>
                  <Link
                    to={{ page: page.path, params: taken(page, params) }}
                    current={page.path === current}
                  >
                    {t(page.title)}
                  </Link>
                </li>
              ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

/** The parameters for another page: filters that it knows, without those that would leave it empty. */
function taken(page: Page, params: Params): Params {
  return carried(params, offered(page).filter((name) => !page.oneMetric || name !== "scale"));
}

function filtersOf(page: Page): readonly string[] {
  return page.ofComments ? commentFilters() : (findReport(page.report)?.filters ?? []);
}

function offered(page: Page): string[] {
  const hidden = new Set(page.oneMetric ? ["tenant", "metric"] : ["tenant"]);
  return filtersOf(page).filter((name) => !hidden.has(name));
}

function Content({ page, params }: { readonly page: Page; readonly params: Params }): JSX.Element {
  const operator = isOperator(key.value ?? "");
  const Component = page.component;
  const filters = filtersOf(page);
  return (
    <>
      <FilterBar
        params={params}
        dimensions={offered(page)}
        filters={filters}
        family={findReport(page.report)?.family ?? ""}
        operator={operator}
        meta={shown.value}
      />
      <main id="page">
        {operator && !params.has("tenant") ? (
          <p class="nothing">{t("Name the tenants to look at, in the filter bar above.")}</p>
        ) : (
          <Component params={params} filters={filters} />
        )}
      </main>
    </>
  );
}

function Unknown({ path }: { readonly path: string }): JSX.Element {
  return (
    <main id="page" class="nothing">
      <h1>There is no page “{path}”</h1>
      <p>
        <Link to={{ page: OVERVIEW, params: new Map() }}>{t("To the overview")}</Link>
      </p>
    </main>
  );
}
