// The tabs of the page of an object. Each is loaded when it is first shown.
import type { FunctionComponent } from "preact";
import type { ObjectAddress, ObjectFacts } from "../../clients/object.ts";
import type { TextKey } from "../../i18n/en.ts";

/** The properties of a tab that a key without a current version also has. */
export interface PlainTabProps {
  readonly address: ObjectAddress;
  readonly facts: ObjectFacts | undefined;
  readonly onChanged: () => void;
}

export interface ObjectTabProps extends PlainTabProps {
  readonly facts: ObjectFacts;
}

interface TabName {
  readonly id: string;
  readonly title: TextKey;
  /** A snapshot has one version of each key. */
  readonly hasSnapshots: boolean;
}

interface FactsTab extends TabName {
  readonly needsFacts: true;
  readonly load: () => Promise<FunctionComponent<ObjectTabProps>>;
}

interface PlainTab extends TabName {
  readonly needsFacts: false;
  readonly load: () => Promise<FunctionComponent<PlainTabProps>>;
}

export type ObjectTab = FactsTab | PlainTab;

export const OBJECT_TABS: readonly [ObjectTab, ...ObjectTab[]] = [
  {
    id: "overview",
    title: "object.overview",
    hasSnapshots: true,
    needsFacts: true,
    load: () => import("./overview-tab.tsx").then((it) => it.OverviewTab),
  },
  {
    id: "preview",
    title: "object.preview",
    hasSnapshots: true,
    needsFacts: true,
    load: () => import("./preview/preview-tab.tsx").then((it) => it.PreviewTab),
  },
  {
    id: "versions",
    title: "object.versions",
    hasSnapshots: false,
    needsFacts: false,
    load: () => import("./versions-tab.tsx").then((it) => it.VersionsTab),
  },
  {
    id: "share",
    title: "object.share",
    hasSnapshots: true,
    needsFacts: true,
    load: () => import("./share-tab.tsx").then((it) => it.ShareTab),
  },
];
