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
];
