// Who a request comes from.
import type { Policy } from "../policy/policy.ts";

/** The holder of a set of credentials, or nobody in particular. */
export interface Principal {
  readonly kind: "anonymous" | "root" | "user";
  /** The 12-digit account; of nobody: the account is not known and this is empty. */
  readonly accountId: string;
  /** As policies name it, session and all; of nobody: empty. */
  readonly arn: string;
  /** The user's ARN, or root's, for whom a session acts; of nobody: empty. */
  readonly ownerArn: string;
  /** The ARN of the role that a session assumed; undefined for all others. */
  readonly roleArn: string | undefined;
  /** `aws:userid`. */
  readonly userId: string;
  /** The user's own id, whichever session acts for it; undefined for root and nobody. */
  readonly creatorId: string | undefined;
  /** `aws:username`, of a session the name of the user it acts for; undefined for root and nobody. */
  readonly userName: string | undefined;
  readonly accessKeyId: string | undefined;
  /** What the user's own policies say. */
  readonly policies: readonly NamedPolicy[];
  readonly tags: ReadonlyMap<string, string>;
  readonly session: Session | undefined;
}

/** A policy and what it is called in explanations. */
export interface NamedPolicy {
  readonly name: string;
  readonly policy: Policy;
}

/** What temporary credentials add: a bound on what their holder may do. */
export interface Session {
  readonly kind: "session" | "federated" | "role";
  readonly name: string;
  /** Whether its holder may call IAM, policies permitting: not where a session that may not began it. */
  readonly mayCallIam?: boolean;
  /** Narrows what the holder may do; undefined leaves it, but for a federated session, which then may do nothing. */
  readonly policy: Policy | undefined;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
}

/** Who a request without credentials comes from. */
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

/** The account itself. */
export function rootPrincipal(accountId: string, accessKeyId: string): Principal {
  const arn = `arn:aws:iam::${accountId}:root`;
  return { ...ANONYMOUS, kind: "root", accountId, arn, ownerArn: arn, userId: accountId, accessKeyId };
}

/** The owner that what a principal creates belongs to. */
export function ownerOf(principal: Principal): string {
  return principal.kind === "anonymous" ? "anonymous" : principal.accountId;
}
