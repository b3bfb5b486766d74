// Shares an object: a link that expires, the permanent address of a public object, and upload links for guests.
import { useState } from "preact/hooks";
import { type ObjectAddress, presignRead, savedAs } from "../../clients/object.ts";
import { snapshotAt } from "../../clients/snapshots.ts";
import { Button } from "../../components/button.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { CheckField, SelectField } from "../../components/fields.tsx";
import { formatTime } from "../../data/formats.ts";
import { PRIVATE, usePublicAddress } from "../../data/public-addresses.ts";
import { currentSession, useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
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

/** A link signed by temporary credentials expires with them. */
function TemporaryNotice() {
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
  const { value: url } = usePublicAddress(address);
  return (
    <section class="section">
      <h2>{t("share.public")}</h2>
      {url !== undefined && url !== PRIVATE ? (
        <>
          <p>{t("share.isPublic")}</p>
          <p class="actions">
            <code class="object-break">{url}</code>
            <CopyButton text={url} label={t("share.copyPublic")} />
          </p>
        </>
      ) : url === PRIVATE ? (
        <p>{t("share.isPrivate")}</p>
      ) : null}
    </section>
  );
}
