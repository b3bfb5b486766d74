// A badge: a short state beside a name.
import type { ComponentChildren } from "preact";

export type BadgeKind = "neutral" | "good" | "warning" | "danger";

export function Badge({ kind = "neutral", children }: { kind?: BadgeKind; children: ComponentChildren }) {
  return <span class={`badge ${kind}`}>{children}</span>;
}
