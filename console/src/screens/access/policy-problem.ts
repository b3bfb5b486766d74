// Checks a user's or session's policy as far as that is possible without the server, which decides.
import { t } from "../../i18n/language.ts";

/** A sentence; undefined if nothing is wrong. */
export function policyProblem(text: string): string | undefined {
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch (error) {
    return t("userPolicy.notJson", { reason: error instanceof Error ? error.message : "" });
  }
  const statements: unknown[] = [Reflect.get(Object(policy), "Statement") ?? []].flat();
  if (statements.length === 0) return t("userPolicy.noStatement");
  for (const [index, statement] of statements.entries()) {
    const has = (...names: readonly string[]): boolean => names.some((name) => Object.hasOwn(Object(statement), name));
    const number = index + 1;
    if (!has("Effect")) return t("userPolicy.lacks", { number, element: "Effect" });
    if (!has("Action", "NotAction")) return t("userPolicy.lacks", { number, element: "Action" });
    if (!has("Resource", "NotResource")) return t("userPolicy.lacks", { number, element: "Resource" });
    if (has("Principal", "NotPrincipal")) return t("userPolicy.principal", { number });
  }
  return undefined;
}
