// The bucket policy: an editor, and a probe of permissions.
import { deleteConfiguration, getConfiguration, putConfiguration } from "../../clients/configurations.ts";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { checkJson, DocumentForm } from "./document-form.tsx";
import { policyExamples } from "./policy-examples.ts";
import { PolicyProbe } from "./policy-probe.tsx";
import { SettingSection } from "./setting-section.tsx";
import type { SettingsTabProps } from "./tabs.ts";

export function PolicyTab({ bucket }: SettingsTabProps) {
  const connection = useConnection();
  const change = useChange();
  const loaded = useLoad(
    async () => ({ text: indented(await getConfiguration(connection, bucket, "policy")) }),
    [bucket],
  );
  return (
    <>
      <SettingSection title={t("settings.policy")} lead={t("policy.lead")} loaded={loaded} lines={13}>
        {({ text }) => (
          <DocumentForm
            key={text}
            label={t("policy.document")}
            stored={text}
            change={change}
            check={checkPolicy}
            examples={policyExamples(bucket)}
            onSave={(policy) =>
              void change.run(async () => {
                await putConfiguration(connection, bucket, "policy", policy);
                loaded.replace({ text: policy });
              }, t("policy.saved"))
            }
            onRemove={() =>
              void change.run(async () => {
                await deleteConfiguration(connection, bucket, "policy");
                loaded.replace({ text: undefined });
              }, t("policy.removed"))
            }
          />
        )}
      </SettingSection>
      <PolicyProbe bucket={bucket} />
    </>
  );
}

/** The server stores the text unchanged, and other clients send it in one line. */
function indented(policy: string | undefined): string | undefined {
  if (policy === undefined || policy.includes("\n")) return policy;
  try {
    return JSON.stringify(JSON.parse(policy), undefined, 2);
  } catch {
    return policy;
  }
}

/** The errors that can be found without the server, which decides. */
function checkPolicy(text: string): string | undefined {
  const problem = checkJson(text);
  if (problem !== undefined) return problem;
  const policy: unknown = JSON.parse(text);
  const statements: unknown[] = [Reflect.get(Object(policy), "Statement")].flat();
  for (const [index, statement] of statements.entries()) {
    const has = (...names: readonly string[]): boolean => names.some((name) => Object.hasOwn(Object(statement), name));
    const number = index + 1;
    if (!has("Effect")) return t("policy.lacks", { number, element: "Effect" });
    if (!has("Principal", "NotPrincipal")) return t("policy.lacks", { number, element: "Principal" });
    if (!has("Action", "NotAction")) return t("policy.lacks", { number, element: "Action" });
    if (!has("Resource", "NotResource")) return t("policy.lacks", { number, element: "Resource" });
  }
  return undefined;
}
