// The frame of one setting: its purpose, its form, and the states of loading and failure.
import type { ComponentChildren } from "preact";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { Skeleton } from "../../components/placeholders.tsx";
import type { Loaded } from "../../data/use-load.ts";

export interface SettingSectionProps<Value> {
  readonly title: string;
  readonly lead?: string;
  readonly loaded: Loaded<Value>;
  /** The height of what is loaded, in lines of the skeleton, so that what follows does not jump. */
  readonly lines?: number;
  readonly children: (value: Value) => ComponentChildren;
}

export function SettingSection<Value>({ title, lead, loaded, lines = 4, children }: SettingSectionProps<Value>) {
  return (
    <section class="section setting">
      <h2>{title}</h2>
      {lead === undefined ? null : <p class="hint">{lead}</p>}
      {loaded.failure === undefined ? null : <ErrorPanel failure={loaded.failure} onRetry={loaded.reload} />}
      {loaded.value === undefined ? loaded.isLoading && <Skeleton lines={lines} /> : children(loaded.value)}
    </section>
  );
}
