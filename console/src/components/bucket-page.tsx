// The frame of a screen about one bucket: the way to it, and the parts of the bucket.
import type { ComponentChildren } from "preact";
import { hrefOf } from "../data/router.ts";
import type { TextKey } from "../i18n/en.ts";
import { t } from "../i18n/language.ts";
import { Page } from "./page.tsx";
import { Tabs } from "./tabs.tsx";

export interface BucketSection {
  /** The step after the bucket in its places. */
  readonly step: string;
  readonly title: TextKey;
}

/** The parts of a bucket, in the order of their tabs. The first one is shown when a bucket is opened. */
export const BUCKET_SECTIONS: readonly BucketSection[] = [
  { step: "objects", title: "bucket.objects" },
  { step: "deleted", title: "deleted.title" },
  { step: "settings", title: "bucket.settings" },
  { step: "snapshots", title: "bucket.snapshots" },
  { step: "uploads", title: "bucket.uploads" },
];

export interface BucketPageProps {
  readonly bucket: string;
  /** The step of the shown section. */
  readonly section: string;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function BucketPage({ bucket, section, actions, children }: BucketPageProps) {
  const tabs = BUCKET_SECTIONS.map(({ step, title }) => ({
    id: step,
    label: t(title),
    href: hrefOf(["buckets", bucket, step]),
  }));
  return (
    <Page title={bucket} crumbs={[{ label: t("buckets.title"), href: hrefOf(["buckets"]) }]} actions={actions}>
      <Tabs label={t("bucket.sections")} tabs={tabs} current={section} />
      {children}
    </Page>
  );
}
