// Collects the settings that the served Worker gets as bindings.
import { SETTINGS } from "../../src/config/settings.ts";
import { isMisnamedDeletion } from "../../src/config/setting-problems.ts";
import { readDevVars } from "../project/credentials.ts";

/**
 * The settings in [vars], `.dev.vars` and the environment; later ones win. From the environment it takes only names in
 * SETTINGS, so that no other variable reaches the Worker, and misspelt names of deletion settings, so that they are
 * reported.
 */
export function givenSettings(
  vars: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>>,
  root: string,
): Record<string, string> {
  const devVars = readDevVars(root);
  // Local users want to see what a request costs, but no log line for each. A call for a body costs nothing here, and in the
  // store every body is found by a rebuild at once.
  const given: Record<string, string> = {
    SERVER_TIMING: "true",
    LOG_REQUESTS: "false",
    INLINE_MAX_BYTES: "0",
    ...vars,
  };
  for (const name of Object.keys(SETTINGS)) {
    const value = environment[name] || devVars[name];
    if (value) given[name] = value;
  }
  for (const [name, value] of Object.entries({ ...devVars, ...environment })) {
    if (value !== undefined && isMisnamedDeletion(name)) given[name] = value;
  }
  return given;
}
