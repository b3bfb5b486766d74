// Enables and suspends versioning, and sets the default retention in a bucket with Object Lock.
import { getVersioning, putVersioning } from "../../clients/buckets.ts";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { LockSection } from "./lock-section.tsx";
import { SettingSection } from "./setting-section.tsx";
import type { SettingsTabProps } from "./tabs.ts";

export function VersioningTab({ bucket }: SettingsTabProps) {
  const connection = useConnection();
  const loaded = useLoad(() => getVersioning(connection, bucket), [bucket]);
  const change = useChange();
  const put = (status: "Enabled" | "Suspended"): void => {
    void change.run(
      async () => {
        await putVersioning(connection, bucket, status);
        loaded.replace(status);
      },
      t(status === "Enabled" ? "versioning.turnedOn" : "versioning.suspended"),
    );
  };
  return (
    <>
      <SettingSection title={t("settings.versioning")} loaded={loaded}>
        {(versioning) => (
          <>
            <p>{t(`versioning.${versioning}`)}</p>
            {change.failure === undefined ? null : <ErrorPanel failure={change.failure} />}
            <p class="actions">
              {versioning === "Enabled" ? (
                <Button isBusy={change.isBusy} onClick={() => put("Suspended")}>
                  {t("versioning.suspend")}
                </Button>
              ) : (
                <Button kind="primary" isBusy={change.isBusy} onClick={() => put("Enabled")}>
                  {t("versioning.turnOn")}
                </Button>
              )}
            </p>
          </>
        )}
      </SettingSection>
      <LockSection bucket={bucket} />
    </>
  );
}
