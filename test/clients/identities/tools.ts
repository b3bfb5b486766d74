// What the checks of identities share: calls whose JSON is looked into, and credentials in the environment.
import { at } from "../at.ts";
import type { AwsCliTools } from "../aws-cli/tools.ts";

/** The environment variables of credentials. */
export type Variables = Readonly<Record<string, string>>;

/** Runs a command that answers JSON, with other credentials where some are given. */
export async function ask(tools: AwsCliTools, variables: Variables, ...command: readonly string[]): Promise<unknown> {
  const text = await tools.awsWith(variables, ...command, "--output", "json");
  const value: unknown = text.trim() === "" ? null : JSON.parse(text);
  return value;
}

/** The variables of credentials as `create-access-key` or STS answers them. */
export function variablesOf(credentials: unknown): Variables {
  const token = at(credentials, "SessionToken");
  return {
    AWS_ACCESS_KEY_ID: String(at(credentials, "AccessKeyId")),
    AWS_SECRET_ACCESS_KEY: String(at(credentials, "SecretAccessKey")),
    ...(typeof token === "string" ? { AWS_SESSION_TOKEN: token } : {}),
  };
}

/** A policy that allows actions on resources, as text. */
export function allow(actions: readonly string[], ...resources: readonly string[]): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: actions, Resource: resources }],
  });
}
