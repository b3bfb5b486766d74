// Calls of STS.
import type { Connection, Credentials } from "./connection.ts";
import { callQueryApi } from "./query-api.ts";
import { textOf } from "./xml.ts";

export interface CallerIdentity {
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
}

export async function getCallerIdentity(connection: Connection): Promise<CallerIdentity> {
  const result = await callQueryApi(connection, "sts", "GetCallerIdentity");
  return { account: textOf(result, "Account"), arn: textOf(result, "Arn"), userId: textOf(result, "UserId") };
}

export interface TemporaryCredentials extends Credentials {
  readonly sessionToken: string;
  /** When they expire, in ms. */
  readonly expiresAt: number;
}

/**
 * Temporary credentials that may do what both the caller and a policy allow; without a policy, only what the rules of
 * buckets allow to them.
 */
export async function getFederationToken(
  connection: Connection,
  name: string,
  policy: string | undefined,
  seconds: number,
): Promise<TemporaryCredentials> {
  const parameters = { Name: name, Policy: policy, DurationSeconds: String(seconds) };
  return credentialsIn(await callQueryApi(connection, "sts", "GetFederationToken", parameters));
}

/** Temporary credentials that may do what the caller may, except calls of IAM. */
export async function getSessionToken(connection: Connection, seconds: number): Promise<TemporaryCredentials> {
  return credentialsIn(await callQueryApi(connection, "sts", "GetSessionToken", { DurationSeconds: String(seconds) }));
}

/**
 * Temporary credentials of a role, with the caller's rights, within a policy if there is one. Cairn stores no roles: any
 * name is one that the caller's policies allow to assume.
 */
export async function assumeRole(
  connection: Connection,
  roleArn: string,
  sessionName: string,
  policy: string | undefined,
  seconds: number,
): Promise<TemporaryCredentials> {
  return credentialsIn(
    await callQueryApi(connection, "sts", "AssumeRole", {
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      Policy: policy,
      DurationSeconds: String(seconds),
    }),
  );
}

function credentialsIn(result: Element): TemporaryCredentials {
  return {
    accessKeyId: textOf(result, "Credentials", "AccessKeyId"),
    secretAccessKey: textOf(result, "Credentials", "SecretAccessKey"),
    sessionToken: textOf(result, "Credentials", "SessionToken"),
    expiresAt: Date.parse(textOf(result, "Credentials", "Expiration")),
  };
}
