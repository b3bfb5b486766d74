// Turns versions on and off.
import { useState } from "preact/hooks";
import { getVersioning, putVersioning } from "../../clients/buckets.ts";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { Skeleton } from "../../components/placeholders.tsx";
import { useConnection } from "../../data/session.ts";
import { showToast } from "../../data/toasts.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import type { SettingsTabProps } from "./tabs.ts";

export function VersioningTab({ bucket }: SettingsTabProps) {
  const connection = useConnection();
  const state = useLoad(() => getVersioning(connection, bucket), [bucket]);
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const change = async (status: "Enabled" | "Suspended"): Promise<void> => {
    setBusy(true);
    setFailure(undefined);
    try {
      await putVersioning(connection, bucket, status);
      state.replace(status);
      showToast(t(status === "Enabled" ? "versioning.turnedOn" : "versioning.suspended"));
    } catch (thrown) {
      setFailure(thrown);
    }
    setBusy(false);
  };
  const { value: versioning } = state;
  return (
    <section class="section setting">
      <h2>{t("settings.versioning")}</h2>
      {state.failure === undefined ? null : <ErrorPanel failure={state.failure} onRetry={state.reload} />}
      {versioning === undefined ? (
        state.isLoading && <Skeleton lines={2} />
      ) : (
        <>
          <p>{t(`versioning.${versioning}`)}</p>
          {failure === undefined ? null : <ErrorPanel failure={failure} />}
          <p class="actions">
            {versioning === "Enabled" ? (
              <Button isBusy={isBusy} onClick={() => void change("Suspended")}>
                {t("versioning.suspend")}
              </Button>
            ) : (
              <Button kind="primary" isBusy={isBusy} onClick={() => void change("Enabled")}>
                {t("versioning.turnOn")}
              </Button>
            )}
          </p>
        </>
      )}
    </section>
  );
}
