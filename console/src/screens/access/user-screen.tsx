// One user: access keys, policies, limits and usage.
import { ServiceError } from "../../clients/failures.ts";
import { requireUser } from "../../clients/iam.ts";
import { LinkButton } from "../../components/button.tsx";
import { EmptyState } from "../../components/placeholders.tsx";
import { Page } from "../../components/page.tsx";
import { hrefOf } from "../../data/router.ts";
import { paramOf, type ScreenProps } from "../../data/screen.ts";
import { useConnection } from "../../data/session.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { KeysSection } from "./keys-section.tsx";
import { LimitsSection } from "./limits-section.tsx";
import { PoliciesSection } from "./policies-section.tsx";
import { UsageSection } from "./usage-section.tsx";
import "./access.css";

export function UserScreen(props: ScreenProps) {
  const user = paramOf(props, "user");
  const connection = useConnection();
  const { failure } = useLoad(() => requireUser(connection, user), [user]);
  // Someone who may not GetUser may still see a section.
  const isMissing = failure instanceof ServiceError && failure.code === "NoSuchEntity";
  return (
    <Page title={user} crumbs={[{ label: t("users.title"), href: hrefOf(["users"]) }]}>
      {isMissing ? (
        <EmptyState
          title={t("users.missing", { user })}
          actions={<LinkButton href={hrefOf(["users"])}>{t("users.showAll")}</LinkButton>}
        >
          <p>{t("users.missingText")}</p>
        </EmptyState>
      ) : (
        <>
          <KeysSection user={user} />
          <PoliciesSection user={user} />
          <LimitsSection user={user} />
          <UsageSection user={user} />
        </>
      )}
    </Page>
  );
}
