// The settings of a bucket, in tabs. Each tab is loaded when it is first shown.
import { BucketPage } from "../../components/bucket-page.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { Skeleton } from "../../components/placeholders.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { hrefOf } from "../../data/router.ts";
import { paramOf, type ScreenProps } from "../../data/screen.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { SETTINGS_TABS } from "./tabs.ts";
import "./settings.css";

export function SettingsScreen(props: ScreenProps) {
  const bucket = paramOf(props, "bucket");
  const wanted = props.params["tab"];
  const tab = SETTINGS_TABS.find(({ id }) => id === wanted) ?? SETTINGS_TABS[0];
  const loaded = useLoad(async () => ({ Shown: await tab?.load() }), [tab?.id]);
  const Shown = loaded.value?.Shown;
  const tabs = SETTINGS_TABS.map(({ id, title }) => ({
    id,
    label: t(title),
    href: hrefOf(["buckets", bucket, "settings", id]),
  }));
  return (
    <BucketPage bucket={bucket} section="settings">
      <Tabs label={t("bucket.settings")} tabs={tabs} current={tab?.id ?? ""} />
      {loaded.failure === undefined ? null : <ErrorPanel failure={loaded.failure} onRetry={() => location.reload()} />}
      {Shown === undefined ? <Skeleton lines={6} /> : <Shown key={tab?.id} bucket={bucket} />}
    </BucketPage>
  );
}
