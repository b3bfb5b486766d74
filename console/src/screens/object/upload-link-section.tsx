// Makes a link with which a guest uploads below a prefix, without signing in.
import { useState } from "preact/hooks";
import { makeUploadLink, writeUploadLink } from "../../clients/upload-links.ts";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { SelectField, TextField } from "../../components/fields.tsx";
import { formatTime } from "../../data/formats.ts";
import { hrefOf } from "../../data/router.ts";
import { currentSession, useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { t } from "../../i18n/language.ts";
import { LINK_TIMES, SharedLink, timeOptions } from "./shared-link.tsx";

const MIB = 1024 * 1024;
/** The most that S3 takes in one request. */
const MOST_MIB = 5 * 1024;

export function UploadLinkSection({ bucket, folder }: { readonly bucket: string; readonly folder: string }) {
  const connection = useConnection();
  const change = useChange();
  const [prefix, setPrefix] = useState(folder);
  const [megabytes, setMegabytes] = useState("100");
  const [time, setTime] = useState<string>(String(LINK_TIMES[3]));
  const [link, setLink] = useState<{ readonly url: string; readonly until: number }>();
  const isValid = Number(megabytes) >= 1 && Number(megabytes) <= MOST_MIB;
  const sessionEnd = currentSession()?.expiresAt ?? Number.POSITIVE_INFINITY;
  const make = (): void =>
    void change.run(async () => {
      const until = Math.min(connection.now() + Number(time) * 1000, sessionEnd);
      const limits = { bucket, prefix, mostBytes: Math.floor(Number(megabytes) * MIB), until };
      const { credentials, region } = connection;
      const made = await makeUploadLink({ credentials, region, now: connection.now() }, limits);
      const place = hrefOf(["drop"], { link: writeUploadLink(made) });
      setLink({ url: `${connection.publicEndpoint}/_/console/${place}`, until });
    });
  return (
    <section class="section">
      <h2>{t("share.upload")}</h2>
      <p class="hint">{t("share.uploadLead")}</p>
      <div class="object-grid">
        <TextField label={t("share.prefix")} hint={t("share.prefixHint")} value={prefix} onChange={setPrefix} />
        <TextField
          label={t("share.size")}
          type="number"
          min={1}
          max={MOST_MIB}
          value={megabytes}
          onChange={setMegabytes}
        />
        <SelectField label={t("share.validFor")} value={time} options={timeOptions()} onChange={setTime} />
      </div>
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} />}
      <p>
        <Button icon="upload" isBusy={change.isBusy} isDisabled={!isValid} onClick={make}>
          {t("share.makeUpload")}
        </Button>
      </p>
      {link === undefined ? null : (
        <SharedLink
          url={link.url}
          label={t("share.upload")}
          note={t("share.until", { time: formatTime(link.until) })}
        />
      )}
    </section>
  );
}
