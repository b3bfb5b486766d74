// The frame of a screen: breadcrumbs, title and actions. When the place changes, the field with `autofocus` takes the
// focus, or else the title.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n/language.ts";
import { visibleText } from "../i18n/visible-text.ts";

export interface Crumb {
  readonly label: string;
  readonly href: string;
}

export interface PageProps {
  readonly title: string;
  /** The places above this one. */
  readonly crumbs?: readonly Crumb[];
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Page({ title, crumbs = [], actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${visibleText(title)} · ${t("app.name")}`;
  }, [title]);
  useEffect(() => {
    const field = heading.current?.closest(".page")?.querySelector<HTMLElement>("[autofocus]");
    (field ?? heading.current)?.focus({ preventScroll: true });
  }, []);
  return (
    <div class="page">
      {crumbs.length === 0 ? null : <Breadcrumb crumbs={crumbs} current={title} />}
      <header class="page-header">
        <h1 ref={heading} tabIndex={-1} dir="auto">
          {visibleText(title)}
        </h1>
        {actions === undefined ? null : <div class="page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

function Breadcrumb({ crumbs, current }: { crumbs: readonly Crumb[]; current: string }) {
  return (
    <nav class="breadcrumb" aria-label={t("breadcrumb.label")}>
      <ol>
        {crumbs.map(({ label, href }) => (
          <li key={href}>
            <a href={href} dir="auto">
              {visibleText(label)}
            </a>
          </li>
        ))}
        <li aria-current="page" dir="auto">
          {visibleText(current)}
        </li>
      </ol>
    </nav>
  );
}
