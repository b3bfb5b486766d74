// Shares an object: a link that ends, the permanent address of a public object, and links with which guests upload.
import { useEffect, useState } from "preact/hooks";
import { type ObjectAddress, presignRead, savedAs } from "../../clients/object.ts";
import { objectPath } from "../../clients/paths.ts";
import { snapshotAt } from "../../clients/snapshots.ts";
import { Button } from "../../components/button.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { CheckField, SelectField } from "../../components/fields.tsx";
import { formatTime } from "../../data/formats.ts";
import { currentSession, useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { LINK_TIMES, SharedLink, timeOptions } from "./shared-link.tsx";
import { UploadLinkSection } from "./upload-link-section.tsx";
import type { ObjectTabProps } from "./tabs.ts";

export function ShareTab({ address }: ObjectTabProps) {
  return (
    <div class="object-sections">
      <ReadLinkSection address={address} />
      <PublicSection address={address} />
      {snapshotAt(address.bucket) === undefined ? (
        <UploadLinkSection bucket={address.bucket} folder={address.key.slice(0, address.key.lastIndexOf("/") + 1)} />
      ) : null}
    </div>
  );
}

function ReadLinkSection({ address }: { readonly address: ObjectAddress }) {
  const connection = useConnection();
  const change = useChange();
  const [time, setTime] = useState<string>(String(LINK_TIMES[1]));
  const [saves, setSaves] = useState(false);
  const [link, setLink] = useState<{ readonly url: string; readonly until: number }>();
  const sessionEnd = currentSession()?.expiresAt;
  const make = (): void =>
    void change.run(async () => {
      const seconds = Number(time);
      const overrides = saves ? { "response-content-disposition": savedAs(address.key) } : {};
      const url = await presignRead(connection, address, seconds, overrides, connection.publicEndpoint);
      setLink({
        url,
        until: Math.min(connection.now() + seconds * 1000, sessionEnd ?? Number.POSITIVE_INFINITY),
      });
    });
  return (
    <section class="section">
      <h2>{t("share.link")}</h2>
      <p class="hint">{t("share.linkLead")}</p>
      <div class="object-grid">
        <SelectField label={t("share.validFor")} value={time} options={timeOptions()} onChange={setTime} />
      </div>
      <CheckField label={t("share.saves")} isChecked={saves} onChange={setSaves} />
      <TemporaryNotice />
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} />}
      <p>
        <Button kind="primary" icon="share" isBusy={change.isBusy} onClick={make}>
          {t("share.make")}
        </Button>
      </p>
      {link === undefined ? null : (
        <SharedLink url={link.url} label={t("share.link")} note={t("share.until", { time: formatTime(link.until) })} />
      )}
    </section>
  );
}

/** A link that temporary credentials sign ends with them. */
export function TemporaryNotice() {
  const { credentials } = useConnection();
  const end = currentSession()?.expiresAt;
  if (credentials.sessionToken === undefined) return null;
  return (
    <p class="notice">
      {end === undefined ? t("share.temporary") : t("share.temporaryUntil", { time: formatTime(end) })}
    </p>
  );
}

/** Whether everyone can read it is tried, without credentials. */
function PublicSection({ address }: { readonly address: ObjectAddress }) {
  const { bucket, key, versionId } = address;
  const { endpoint, publicEndpoint } = useConnection();
  const [path, setPath] = useState<string>();
  useEffect(() => {
    const version = versionId === undefined ? "" : `?versionId=${encodeURIComponent(versionId)}`;
    setPath(`${objectPath(bucket, key)}${version}`);
  }, [bucket, key, versionId]);
  const url = path === undefined ? undefined : `${publicEndpoint}${path}`;
  const tried = useLoad(
    async (signal) => {
      if (path === undefined) return undefined;
      const init = { method: "HEAD", credentials: "omit", cache: "no-store", signal } as const;
      return (await fetch(`${endpoint}${path}`, init)).ok;
    },
    [path],
  );
  return (
    <section class="section">
      <h2>{t("share.public")}</h2>
      {tried.value === true && url !== undefined ? (
        <>
          <p>{t("share.isPublic")}</p>
          <p class="actions">
            <code class="object-break">{url}</code>
            <CopyButton text={url} label={t("share.copyPublic")} />
          </p>
        </>
      ) : tried.value === false ? (
        <p>{t("share.isPrivate")}</p>
      ) : null}
    </section>
  );
}
