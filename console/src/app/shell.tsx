// The frame around every screen: top bar, sections, uploads and background jobs.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Button } from "../components/button.tsx";
import { UploadPanel } from "../components/upload-panel.tsx";
import { Icon } from "../components/icon.tsx";
import { currentPlace, hrefOf } from "../data/router.ts";
import { t } from "../i18n/language.ts";
import { AccountMenu } from "./account-menu.tsx";
import { JobPanel } from "./job-panel.tsx";
import { SECTIONS } from "./routes.ts";

export function Shell({ children }: { readonly children: ComponentChildren }) {
  const [first] = currentPlace().steps;
  const [isOpen, setOpen] = useState(false);
  return (
    <div class="shell">
      <a class="skip-link" href="#content" onClick={skipToContent}>
        {t("app.skip")}
      </a>
      <header class="top-bar">
        <span class="nav-toggle">
          <Button kind="quiet" icon="menu" label={t("nav.open")} onClick={() => setOpen(!isOpen)} />
        </span>
        <a class="brand" href={hrefOf(["buckets"])}>
          {t("app.name")}
        </a>
        <AccountMenu />
      </header>
      <nav class={`side-bar${isOpen ? " open" : ""}`} aria-label={t("nav.label")}>
        <ul>
          {SECTIONS.map(({ step, title, icon }) => (
            <li key={step}>
              <a
                href={hrefOf([step])}
                aria-current={first === step ? "page" : undefined}
                onClick={() => setOpen(false)}
              >
                <Icon name={icon} />
                {t(title)}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <div class="panels">
        <JobPanel />
        <UploadPanel />
      </div>
    </div>
  );
}

/** The fragment of the address is the place, so the link moves the focus itself. */
function skipToContent(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}
