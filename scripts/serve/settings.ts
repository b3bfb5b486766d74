// Collects the settings that the served Worker gets as bindings, from the places where a person may give them.
import { isMisnamedDeletion, SETTINGS } from "../../src/config/settings.ts";
import { readDevVars } from "../project/credentials.ts";

/**
 * The settings given in [vars], `.dev.vars` and the environment, the later over the earlier. Only names in SETTINGS are
 * taken from the environment, so that nothing else of the person's shell reaches the Worker; and those that almost are, so
 * that they are noticed.
 */
export function givenSettings(
  vars: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>>,
  root: string,
): Record<string, string> {
  const devVars = readDevVars(root);
  // What a request costs is the first question of whoever runs it locally; a line for each is not wanted on a terminal.
  const given: Record<string, string> = { SERVER_TIMING: "true", LOG_REQUESTS: "false", ...vars };
  for (const name of Object.keys(SETTINGS)) {
    const value = environment[name] || devVars[name];
    if (value) given[name] = value;
  }
  for (const [name, value] of Object.entries({ ...devVars, ...environment })) {
    if (value !== undefined && isMisnamedDeletion(name)) given[name] = value;
  }
  return given;
}
