// Builds the principals of users and of sessions.
import { digest } from "../../bytes/digest.ts";
import { toHex } from "../../bytes/hex-base64.ts";
import { utf8 } from "../../bytes/text.ts";
import { assumedRoleArn, federatedArn, roleArn, userArn } from "./identity-arns.ts";
import { ID_PREFIXES } from "./new-credentials.ts";
import { ANONYMOUS, type NamedPolicy, type Principal } from "./principal.ts";
import type { Policy } from "../policy/policy.ts";
import type { SessionFacts } from "./session-token.ts";

/** The fields of a user that determine its principal. */
export interface UserFacts {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly tags: readonly (readonly [key: string, value: string])[];
  readonly policies: readonly NamedPolicy[];
}

/** The principal of a user's access key. */
export function userPrincipal(accountId: string, accessKeyId: string, user: UserFacts): Principal {
  const arn = userArn(accountId, user.path, user.name);
  return {
    ...ANONYMOUS,
    kind: "user",
    accountId,
    arn,
    ownerArn: arn,
    userId: user.id,
    creatorId: user.id,
    userName: user.name,
    accessKeyId,
    policies: user.policies,
    tags: new Map(user.tags),
  };
}

/** The principal of a session that a user or root started. */
export async function sessionPrincipal(
  owner: Principal,
  accessKeyId: string,
  { kind, name, role = "", mayCallIam = kind === "role", issuedAt }: SessionFacts,
  policy: Policy | undefined,
): Promise<Principal> {
  const { accountId } = owner;
  const session = { kind, name, mayCallIam, policy, issuedAt };
  const principal = { ...owner, accessKeyId, session };
  if (kind === "federated") {
    return { ...principal, arn: federatedArn(accountId, name), userId: federatedUserId(accountId, name) };
  }
  if (kind === "role") {
    const userId = await assumedRoleId(accountId, role, name);
    return { ...principal, arn: assumedRoleArn(accountId, role, name), roleArn: roleArn(accountId, role), userId };
  }
  return principal;
}

/** `aws:userid` of a federated session. */
export function federatedUserId(accountId: string, name: string): string {
  return `${accountId}:${name}`;
}

/** `aws:userid` of a role session. Roles are not stored, so the role's id is a hash of its name. */
export async function assumedRoleId(accountId: string, role: string, name: string): Promise<string> {
  const hash = toHex(await digest("SHA-256", utf8(`${accountId} ${role}`)));
  return `${ID_PREFIXES.role}${hash.slice(0, 16).toUpperCase()}:${name}`;
}
