// One version of a key in its timeline.
import { useState } from "preact/hooks";
import {
  copyObject,
  deleteObject,
  type ObjectAddress,
  type ObjectLock,
  presignRead,
  savedAs,
} from "../../clients/object.ts";
import { type Expiration, nextMidnight } from "../../clients/object-versions.ts";
import type { ListedVersion } from "../../clients/versions.ts";
import { Badge } from "../../components/badge.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { Menu } from "../../components/menu.tsx";
import { explainInOneLine } from "../../data/explain.ts";
import { formatBytes, formatDay, formatRelative, formatTime } from "../../data/formats.ts";
import { hrefOf } from "../../data/router.ts";
import { startDownload } from "../../data/download.ts";
import { useConnection } from "../../data/session.ts";
import { showToast } from "../../data/toasts.ts";
import { t } from "../../i18n/language.ts";

const DOWNLOAD_SECONDS = 3600;

export interface VersionEntryProps {
  /** With its version id. */
  readonly address: ObjectAddress;
  readonly version: ListedVersion;
  readonly expiration: Expiration | undefined;
  /** Whether the effects of the rules are known. */
  readonly hasRules: boolean;
  readonly lock: ObjectLock | undefined;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
  readonly onChanged: () => void;
}

export function VersionEntry(props: VersionEntryProps) {
  const { version, lock, isChosen, onChoose } = props;
  const { versionId, isLatest, isDeleteMarker, modifiedAt, bytes, storageClass } = version;
  const now = useConnection().now();
  const time = formatTime(modifiedAt);
  return (
    <li class={isLatest ? "latest" : ""}>
      <div class="object-version">
        {isDeleteMarker ? (
          <span />
        ) : (
          <input
            type="checkbox"
            aria-label={t("versions.choose", { time, id: versionId })}
            checked={isChosen}
            onChange={onChoose}
          />
        )}
        <div>
          <p>
            <strong>{time}</strong> <span class="hint">{formatRelative(modifiedAt, now)}</span>{" "}
            {isDeleteMarker ? <Badge kind="warning">{t("versions.marker")}</Badge> : null}{" "}
            {isLatest ? <Badge kind="good">{t("versions.current")}</Badge> : <Badge>{t("versions.noncurrent")}</Badge>}{" "}
            <LockBadges lock={lock} />
          </p>
          <p class="hint">
            <code class="object-break">{versionId}</code>
            {isDeleteMarker ? null : ` · ${formatBytes(bytes)} · ${storageClass}`}
          </p>
          <p class="hint">{expirationText(props, now)}</p>
        </div>
        <Actions {...props} />
      </div>
    </li>
  );
}

function LockBadges({ lock }: { readonly lock: ObjectLock | undefined }) {
  const { until, hasLegalHold = false } = lock ?? {};
  return (
    <>
      {until === undefined ? null : (
        <Badge kind="warning">{t("versions.lockedUntil", { time: formatTime(until) })}</Badge>
      )}
      {hasLegalHold ? <Badge kind="warning">{t("versions.held")}</Badge> : null}
    </>
  );
}

/** What rules will do. They skip locked versions until the lock ends; a current version gets a delete marker despite a lock. */
function expirationText({ version, expiration, lock, hasRules }: VersionEntryProps, now: number): string {
  const { isLatest, isDeleteMarker } = version;
  const { until = 0, hasLegalHold = false } = lock ?? {};
  if (expiration === undefined) {
    if (!hasRules) return "";
    return hasLegalHold || until > now ? t("versions.lockedStays") : t("versions.stays");
  }
  const { ruleId: rule, at } = expiration;
  if (at !== undefined) {
    if (isLatest || until <= now) return t("versions.goesOn", { day: formatDay(at), rule });
    const day = formatDay(Math.max(at, nextMidnight(until)));
    return `${t("versions.lockedStays")} ${t("versions.goesOn", { day, rule })}`;
  }
  return isDeleteMarker ? t("versions.markerGoes", { rule }) : t("versions.goes", { rule });
}

function Actions({ address, version, onChanged }: VersionEntryProps) {
  const { bucket, key, versionId } = address;
  const { isLatest, isDeleteMarker, storageClass, etag } = version;
  const connection = useConnection();
  const [isDeleting, setDeleting] = useState(false);
  const restore = async (): Promise<void> => {
    const made = await copyObject(connection, address, { bucket, key }, { storageClass, ifMatch: etag });
    showToast(made === undefined ? t("versions.restored") : t("versions.restoredAs", { version: made }));
    onChanged();
  };
  const remove = async (): Promise<void> => {
    await deleteObject(connection, address);
    showToast(isDeleteMarker ? t("versions.markerRemoved") : t("object.versionDeleted"));
    onChanged();
  };
  const download = async (): Promise<void> =>
    startDownload(
      await presignRead(connection, address, DOWNLOAD_SECONDS, {
        "response-content-disposition": savedAs(key),
      }),
    );
  const ofVersion = [
    {
      label: t("object.preview"),
      href: hrefOf(["buckets", bucket, "object"], { key, versionId, tab: "preview" }),
    },
    { label: t("object.download"), onChoose: () => attempt(download) },
    ...(isLatest ? [] : [{ label: t("versions.restore"), onChoose: () => attempt(restore) }]),
  ];
  const removal = {
    label: isDeleteMarker ? t("versions.removeMarker") : t("versions.delete"),
    kind: "danger",
    onChoose: () => setDeleting(true),
  } as const;
  return (
    <>
      <Menu
        label={t("versions.actionsOf", {
          time: formatTime(version.modifiedAt),
          id: versionId ?? "",
        })}
        actions={[...(isDeleteMarker ? [] : ofVersion), removal]}
      />
      {isDeleting ? (
        <ConfirmDialog
          title={isDeleteMarker ? t("versions.removeMarker") : t("object.deleteVersionTitle")}
          confirmLabel={isDeleteMarker ? t("versions.removeMarker") : t("action.delete")}
          onConfirm={remove}
          onClose={() => setDeleting(false)}
        >
          <p>{isDeleteMarker ? t("versions.removeMarkerText") : t("versions.deleteText")}</p>
        </ConfirmDialog>
      ) : null}
    </>
  );
}

function attempt(work: () => Promise<void>): void {
  work().catch((failure: unknown) => showToast(explainInOneLine(failure), { kind: "failure" }));
}
