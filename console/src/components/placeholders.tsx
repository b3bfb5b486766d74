// Placeholders: skeletons while content loads, and empty states.
import type { ComponentChildren } from "preact";
import { t } from "../i18n/language.ts";

/** Grey lines of the size of the content, so that the layout does not jump. */
export function Skeleton({ lines = 3 }: { readonly lines?: number }) {
  return (
    <div class="skeleton" role="status" aria-label={t("loading")}>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} />
      ))}
    </div>
  );
}

export interface EmptyStateProps {
  readonly title: string;
  /** Explains an empty list and how to fill it. */
  readonly children: ComponentChildren;
  readonly actions?: ComponentChildren;
}

export function EmptyState({ title, children, actions }: EmptyStateProps) {
  return (
    <section class="empty-state">
      <h2>{title}</h2>
      <div>{children}</div>
      {actions === undefined ? null : <p class="actions">{actions}</p>}
    </section>
  );
}
