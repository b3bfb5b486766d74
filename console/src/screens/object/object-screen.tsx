// One object, or one version of it: its actions and tabs. A tab is loaded when it is first shown.
import { useState } from "preact/hooks";
import { headObject, type ObjectAddress, type ObjectFacts, presignRead, savedAs } from "../../clients/object.ts";
import { ServiceError } from "../../clients/failures.ts";
import { snapshotAt } from "../../clients/snapshots.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { Menu } from "../../components/menu.tsx";
import { Page } from "../../components/page.tsx";
import { Skeleton } from "../../components/placeholders.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { copyText } from "../../data/clipboard.ts";
import { explainInOneLine } from "../../data/explain.ts";
import { PRIVATE, usePublicAddress } from "../../data/public-addresses.ts";
import { hrefOf } from "../../data/router.ts";
import { paramOf, type ScreenProps } from "../../data/screen.ts";
import { startDownload } from "../../data/download.ts";
import { useConnection } from "../../data/session.ts";
import { showToast } from "../../data/toasts.ts";
import { useLoad } from "../../data/use-load.ts";
import { plural, t } from "../../i18n/language.ts";
import { MoveDialog } from "./move-dialog.tsx";
import { RestoreDialog } from "./restore-dialog.tsx";
import { RemoveDialog } from "./remove-dialog.tsx";
import { OBJECT_TABS, type ObjectTab } from "./tabs.ts";
import "./object.css";

/** The link must be valid until the browser begins the download. */
const DOWNLOAD_SECONDS = 3600;

export function ObjectScreen(props: ScreenProps) {
  const bucket = paramOf(props, "bucket");
  const { key = "", versionId, tab } = props.query;
  return <ObjectPage key={JSON.stringify([key, versionId])} address={{ bucket, key, versionId }} tabId={tab} />;
}

function ObjectPage({ address, tabId }: { readonly address: ObjectAddress; readonly tabId: string | undefined }) {
  const { bucket, key, versionId } = address;
  const connection = useConnection();
  const [dialog, setDialog] = useState<"move" | "copy" | "remove" | "restore">();
  const place = snapshotAt(bucket);
  const tabs = OBJECT_TABS.filter(({ hasSnapshots }) => hasSnapshots || place === undefined);
  const tab = tabs.find(({ id }) => id === tabId) ?? OBJECT_TABS[0];
  const loaded = useLoad((signal) => headObject(connection, address, signal), [bucket, key, versionId]);
  const { value: facts } = loaded;
  const { value: publicAddress } = usePublicAddress(address);
  const close = (): void => setDialog(undefined);
  const download = (): void => {
    const overrides = { "response-content-disposition": savedAs(key) };
    presignRead(connection, address, DOWNLOAD_SECONDS, overrides).then(startDownload, (failure: unknown) =>
      showToast(explainInOneLine(failure), { kind: "failure" }),
    );
  };
  const restoring = (target: string) => ({
    label: t("snapshots.restoreTo", { bucket: target }),
    onChoose: () => setDialog("restore"),
  });
  const copying = { label: t("object.copy"), onChoose: () => setDialog("copy") };
  const ofSnapshot = place === undefined ? undefined : [restoring(place.bucket), copying];
  const actions = ofSnapshot ?? [
    ...(versionId === undefined ? [{ label: t("object.move"), onChoose: () => setDialog("move") }] : []),
    copying,
    { label: t("action.delete"), kind: "danger", onChoose: () => setDialog("remove") } as const,
  ];
  return (
    <Page
      title={nameOf(key)}
      crumbs={crumbsOf(address)}
      actions={
        <>
          {publicAddress === undefined || publicAddress === PRIVATE ? null : (
            <Button icon="link" onClick={() => void copyText(publicAddress, plural("addresses.copied", 1))}>
              {t("addresses.copy")}
            </Button>
          )}
          <Button icon="download" kind="primary" isDisabled={facts === undefined} onClick={download}>
            {t("object.download")}
          </Button>
          <Menu label={t("action.more")} actions={actions} />
        </>
      }
    >
      {place === undefined ? null : (
        <p class="notice">
          <Badge>{t("snapshots.readOnly")}</Badge> {t("snapshots.place", { ...place })}{" "}
          <a href={hrefOf(["buckets", place.bucket, "object"], { key })}>{t("snapshots.objectNow")}</a>
        </p>
      )}
      {versionId === undefined ? null : (
        <p>
          <Badge>{t("object.oneVersion")}</Badge> <code class="object-break">{versionId}</code>{" "}
          <a href={hrefOf(["buckets", bucket, "object"], { key })}>{t("object.showCurrent")}</a>
        </p>
      )}
      <Tabs
        label={t("object.tabs")}
        current={tab.id}
        tabs={tabs.map(({ id, title }) => ({
          id,
          label: t(title),
          href: hrefOf(["buckets", bucket, "object"], { key, versionId, tab: id }),
        }))}
      />
      <ShownTab key={tab.id} tab={tab} address={address} loaded={loaded} />
      {facts !== undefined && (dialog === "move" || dialog === "copy") ? (
        <MoveDialog address={address} facts={facts} kind={dialog} onClose={close} onCopied={loaded.reload} />
      ) : null}
      {facts !== undefined && place !== undefined && dialog === "restore" ? (
        <RestoreDialog address={address} facts={facts} target={place.bucket} onClose={close} />
      ) : null}
      {dialog === "remove" ? <RemoveDialog address={address} onClose={close} /> : null}
    </Page>
  );
}

interface ShownTabProps {
  readonly tab: ObjectTab;
  readonly address: ObjectAddress;
  readonly loaded: ReturnType<typeof useLoad<ObjectFacts>>;
}

function ShownTab({ tab, address, loaded }: ShownTabProps) {
  const { bucket, key } = address;
  const code = useLoad(async () => {
    if (tab.needsFacts) return { needsFacts: true, Shown: await tab.load() } as const;
    return { needsFacts: false, Shown: await tab.load() } as const;
  }, [tab.id]);
  const props = { address, onChanged: loaded.reload };
  if (code.failure !== undefined) return <ErrorPanel failure={code.failure} onRetry={() => location.reload()} />;
  if (code.value?.needsFacts === false) return <code.value.Shown {...props} facts={loaded.value} />;
  if (loaded.failure !== undefined) {
    const isGone = loaded.failure instanceof ServiceError && loaded.failure.status === 404;
    return (
      <>
        <ErrorPanel failure={loaded.failure} onRetry={loaded.reload} />
        {isGone ? (
          <p>
            {t("object.gone")}{" "}
            <a href={hrefOf(["buckets", bucket, "object"], { key, tab: "versions" })}>{t("object.showVersions")}</a>
          </p>
        ) : null}
      </>
    );
  }
  if (code.value === undefined || loaded.value === undefined) return <Skeleton lines={8} />;
  return <code.value.Shown {...props} facts={loaded.value} />;
}

function nameOf(key: string): string {
  return key.split("/").findLast((part) => part !== "") ?? key;
}

/** The buckets, the bucket, and each folder of the key. */
function crumbsOf({ bucket, key }: ObjectAddress) {
  const parts = key.replace(/\/+$/, "").split("/").slice(0, -1);
  const folders = parts.map((part, index) => ({
    label: part === "" ? "(//)" : part,
    href: hrefOf(["buckets", bucket, "objects"], {
      prefix: `${parts.slice(0, index + 1).join("/")}/`,
    }),
  }));
  return [
    { label: t("buckets.title"), href: hrefOf(["buckets"]) },
    { label: bucket, href: hrefOf(["buckets", bucket, "objects"]) },
    ...folders,
  ];
}
