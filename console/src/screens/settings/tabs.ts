// The tabs of a bucket's settings.
import type { FunctionComponent } from "preact";
import type { TextKey } from "../../i18n/en.ts";

export interface SettingsTabProps {
  readonly bucket: string;
}

export interface SettingsTab {
  readonly id: string;
  readonly title: TextKey;
  readonly load: () => Promise<FunctionComponent<SettingsTabProps>>;
}

export const SETTINGS_TABS: readonly SettingsTab[] = [
  {
    id: "versioning",
    title: "settings.versioning",
    load: () => import("./versioning-tab.tsx").then((it) => it.VersioningTab),
  },
  { id: "access", title: "settings.access", load: () => import("./access-tab.tsx").then((it) => it.AccessTab) },
  { id: "policy", title: "settings.policy", load: () => import("./policy-tab.tsx").then((it) => it.PolicyTab) },
  { id: "cors", title: "settings.cors", load: () => import("./cors-tab.tsx").then((it) => it.CorsTab) },
  {
    id: "lifecycle",
    title: "settings.lifecycle",
    load: () => import("./lifecycle-tab.tsx").then((it) => it.LifecycleTab),
  },
  { id: "tags", title: "settings.tags", load: () => import("./tags-tab.tsx").then((it) => it.TagsTab) },
  {
    id: "encryption",
    title: "settings.encryption",
    load: () => import("./encryption-tab.tsx").then((it) => it.EncryptionTab),
  },
  { id: "website", title: "settings.website", load: () => import("./website-tab.tsx").then((it) => it.WebsiteTab) },
  { id: "events", title: "settings.events", load: () => import("./events-tab.tsx").then((it) => it.EventsTab) },
  { id: "search", title: "indexes.title", load: () => import("./search-tab.tsx").then((it) => it.SearchTab) },
  { id: "usage", title: "settings.usage", load: () => import("./usage-tab.tsx").then((it) => it.UsageTab) },
];
