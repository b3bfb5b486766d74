// One user: access keys, policies, limits and usage.
import { Page } from "../../components/page.tsx";
import { hrefOf } from "../../data/router.ts";
import { paramOf, type ScreenProps } from "../../data/screen.ts";
import { t } from "../../i18n/language.ts";
import { KeysSection } from "./keys-section.tsx";
import { LimitsSection } from "./limits-section.tsx";
import { PoliciesSection } from "./policies-section.tsx";
import { UsageSection } from "./usage-section.tsx";
import "./access.css";

export function UserScreen(props: ScreenProps) {
  const user = paramOf(props, "user");
  return (
    <Page title={user} crumbs={[{ label: t("users.title"), href: hrefOf(["users"]) }]}>
      <KeysSection user={user} />
      <PoliciesSection user={user} />
      <LimitsSection user={user} />
      <UsageSection user={user} />
    </Page>
  );
}
