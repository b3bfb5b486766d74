// The frame of a screen about one bucket: breadcrumbs, and the tabs of the bucket's sections.
import type { ComponentChildren } from "preact";
import { snapshotAt, type SnapshotPlace } from "../clients/snapshots.ts";
import { hrefOf } from "../data/router.ts";
import type { TextKey } from "../i18n/en.ts";
import { t } from "../i18n/language.ts";
import { Badge } from "./badge.tsx";
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
  /** Whether the section can show a snapshot in a bucket's place. */
  readonly hasSnapshots?: boolean;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function BucketPage({ bucket, section, hasSnapshots = false, actions, children }: BucketPageProps) {
  const place = snapshotAt(bucket);
  if (place !== undefined) {
    return (
      <SnapshotPage place={place} address={bucket} actions={hasSnapshots ? actions : undefined}>
        {hasSnapshots ? children : <p>{t("snapshots.onlyObjects")}</p>}
      </SnapshotPage>
    );
  }
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

interface SnapshotPageProps {
  readonly place: SnapshotPlace;
  /** The bucket's name in requests: a snapshot's address, if one is shown. */
  readonly address: string;
  readonly actions: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A snapshot has only objects, and cannot change. */
function SnapshotPage({ place: { bucket, snapshot }, address, actions, children }: SnapshotPageProps) {
  const snapshots = hrefOf(["buckets", bucket, "snapshots"]);
  return (
    <Page
      title={address}
      crumbs={[
        { label: t("buckets.title"), href: hrefOf(["buckets"]) },
        { label: bucket, href: hrefOf(["buckets", bucket]) },
        { label: t("bucket.snapshots"), href: snapshots },
      ]}
      actions={actions}
    >
      <p class="notice">
        <Badge>{t("snapshots.readOnly")}</Badge> {t("snapshots.place", { bucket, snapshot })}{" "}
        <a href={snapshots}>{t("snapshots.all")}</a>
      </p>
      {children}
    </Page>
  );
}
