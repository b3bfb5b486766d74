// The principal of a request: the identity that it is authorised as.
import type { Policy } from "../policy/policy.ts";

/** The identity that a request is authorised as. */
export interface Principal {
  readonly kind: "anonymous" | "root" | "user";
  /** The 12-digit account id; empty for anonymous requests. */
  readonly accountId: string;
  /** The ARN in policies, with the session's name; empty for anonymous requests. */
  readonly arn: string;
  /** The ARN of the user or root, also in their sessions; empty for anonymous requests. */
  readonly ownerArn: string;
  /** The ARN of the role that a session assumed; undefined for other principals. */
  readonly roleArn: string | undefined;
  /** `aws:userid`. */
  readonly userId: string;
  /** The user's id, also in its sessions; undefined for root and anonymous requests. */
  readonly creatorId: string | undefined;
  /** `aws:username`, also in the user's sessions; undefined for root and anonymous requests. */
  readonly userName: string | undefined;
  readonly accessKeyId: string | undefined;
  /** The user's identity-based policies. */
  readonly policies: readonly NamedPolicy[];
  readonly tags: ReadonlyMap<string, string>;
  readonly session: Session | undefined;
}

/** A policy and its name in explanations. */
export interface NamedPolicy {
  readonly name: string;
  readonly policy: Policy;
}

/** A session of temporary credentials, and its limits. */
export interface Session {
  readonly kind: "session" | "federated" | "role";
  readonly name: string;
  /** Whether the session may call IAM, if policies allow it. False if its parent session may not. */
  readonly mayCallIam?: boolean;
  /** The session policy, which narrows the session's rights. Without one, a federated session has no rights. */
  readonly policy: Policy | undefined;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
}

/** The principal of a request without credentials. */
export const ANONYMOUS: Principal = {
  kind: "anonymous",
  accountId: "",
  arn: "",
  ownerArn: "",
  roleArn: undefined,
  userId: "anonymous",
  creatorId: undefined,
  userName: undefined,
  accessKeyId: undefined,
  policies: [],
  tags: new Map(),
  session: undefined,
};

/** The principal of the account's root credentials. */
export function rootPrincipal(accountId: string, accessKeyId: string): Principal {
  const arn = `arn:aws:iam::${accountId}:root`;
  return { ...ANONYMOUS, kind: "root", accountId, arn, ownerArn: arn, userId: accountId, accessKeyId };
}

/** The owner id of resources that a principal creates. */
export function ownerOf(principal: Principal): string {
  return principal.kind === "anonymous" ? "anonymous" : principal.accountId;
}
