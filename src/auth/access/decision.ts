// Decides authorization requests. An explicit Deny refuses. Then an Allow of the identity's policies, the bucket policy
// or an ACL grants, within the limits of a session. Otherwise the request is refused.
import { effectiveAcl } from "../../protocol/acl/acl-rules.ts";
import { isGranted, type AclPermission } from "../../protocol/acl/acl.ts";
import { readPublicAccessBlock } from "../../protocol/acl/public-access-block.ts";
import { resourceOf, type BucketSubject, type AuthorizationRequest } from "./authorization-request.ts";
import { matchingStatement, mayAllow, type PolicyRequest } from "../policy/evaluate.ts";
import { EvaluationCache } from "../policy/evaluation-cache.ts";
import type { ConditionKeys } from "../policy/keys.ts";
import { policyOf } from "../policy/policy-cache.ts";
import type { Policy, PolicyStatement } from "../policy/policy.ts";
import { isPublicPolicy } from "../policy/public.ts";
import type { Principal } from "../identity/principal.ts";

/** Whether a request is allowed, and why. */
export interface Decision {
  readonly isAllowed: boolean;
  /** What decided, in AWS's words where they exist; never a secret and never a policy's text. */
  readonly reason: string;
}

/** Actions of root that a bucket policy cannot deny, so that a policy cannot lock the account out. */
const POLICY_ACTIONS: ReadonlySet<string> = new Set([
  "s3:GetBucketPolicy",
  "s3:PutBucketPolicy",
  "s3:DeleteBucketPolicy",
]);

/**
 * Decides an authorization request.
 * @param cache results for the same principal in the same HTTP request
 */
export function decide(
  principal: Principal,
  authorization: AuthorizationRequest,
  keys: ConditionKeys,
  cache = new EvaluationCache(),
): Decision {
  const { actions, explicitDenyActions = [] } = authorization;
  const policyRequest: PolicyRequest = { principal, actions, resource: resourceOf(authorization), keys, cache };
  const bucketPolicy = policyOfBucket(authorization.bucket);
  for (const names of [actions, ...explicitDenyActions.map((other) => [other])]) {
    const refusal = denial(principal, bucketPolicy, { ...policyRequest, actions: names });
    if (refusal !== undefined) return refusal;
  }
  return (
    grant(principal, authorization, bucketPolicy, policyRequest) ?? {
      isAllowed: false,
      reason: missingAllow(principal, actions[0] ?? ""),
    }
  );
}

/**
 * Whether the request could be allowed for some key of the bucket or under some condition. If not, it is refused before
 * its body is read.
 */
export function isAllowPossible(
  principal: Principal,
  authorization: AuthorizationRequest,
  keys: ConditionKeys,
  cache = new EvaluationCache(),
): boolean {
  if (principal.kind === "root") return true;
  const policyRequest = { principal, actions: authorization.actions, keys, cache };
  const bucketPolicy = policyOfBucket(authorization.bucket);
  const policies = [
    ...principal.policies.map(({ policy }) => policy),
    ...(bucketPolicy === undefined ? [] : [bucketPolicy]),
  ];
  return (
    policies.some((policy) => mayAllow(policy, policyRequest, resourceOf(authorization))) ||
    isGrantedByAcl(principal, authorization)
  );
}

/** Whether a policy explicitly denies the request. */
export function isExplicitlyDenied(
  principal: Principal,
  authorization: AuthorizationRequest,
  keys: ConditionKeys,
  cache = new EvaluationCache(),
): boolean {
  const policyRequest: PolicyRequest = {
    principal,
    actions: authorization.actions,
    resource: resourceOf(authorization),
    keys,
    cache,
  };
  return denial(principal, policyOfBucket(authorization.bucket), policyRequest) !== undefined;
}

function denial(
  principal: Principal,
  bucketPolicy: Policy | undefined,
  policyRequest: PolicyRequest,
): Decision | undefined {
  for (const { name, policy } of principal.policies) {
    const statement = matchingStatement(policy, "Deny", policyRequest);
    if (statement !== undefined)
      return denied(`with an explicit deny in an identity-based policy (${name})`, statement);
  }
  const session = principal.session?.policy;
  const ofSession = session === undefined ? undefined : matchingStatement(session, "Deny", policyRequest);
  if (ofSession !== undefined) return denied("with an explicit deny in a session policy", ofSession);
  if (bucketPolicy === undefined || isExemptFromBucketDeny(principal, policyRequest)) return undefined;
  const ofBucket = matchingStatement(bucketPolicy, "Deny", policyRequest);
  return ofBucket === undefined ? undefined : denied("with an explicit deny in a resource-based policy", ofBucket);
}

/**
 * Root may always repair a bucket policy, directly or through GetSessionToken. A role or a federated user of root may
 * not.
 */
function isExemptFromBucketDeny({ kind, session }: Principal, { actions }: PolicyRequest): boolean {
  return (
    kind === "root" &&
    (session === undefined || session.kind === "session") &&
    actions.some((action) => POLICY_ACTIONS.has(action))
  );
}

function grant(
  principal: Principal,
  authorization: AuthorizationRequest,
  bucketPolicy: Policy | undefined,
  policyRequest: PolicyRequest,
): Decision | undefined {
  const byBucket = bucketPolicy === undefined ? undefined : matchingStatement(bucketPolicy, "Allow", policyRequest);
  const isOpen = byBucket !== undefined && !rejectsAnonymous(principal, authorization.bucket, bucketPolicy);
  // A bucket policy that names the session itself, not only its owner, grants despite the session policy.
  const { arn, ownerArn } = principal;
  if (isOpen && arn !== ownerArn && byBucket.principal?.arns.includes(arn) === true) {
    return allowed("resource-based policy", byBucket);
  }
  if (!isWithinSession(principal, policyRequest)) {
    return {
      isAllowed: false,
      reason: `because no session policy allows the ${policyRequest.actions[0] ?? ""} action`,
    };
  }
  if (principal.kind === "root") return { isAllowed: true, reason: "root" };
  for (const { name, policy } of principal.policies) {
    const statement = matchingStatement(policy, "Allow", policyRequest);
    if (statement !== undefined) return allowed(`identity-based policy (${name})`, statement);
  }
  if (isOpen) return allowed("resource-based policy", byBucket);
  if (isGrantedByAcl(principal, authorization)) return { isAllowed: true, reason: "access control list" };
  return mayPutFirstPolicy(principal, authorization, policyRequest)
    ? { isAllowed: true, reason: "owner of the bucket" }
    : undefined;
}

/** Whether the session's limits allow the request. */
function isWithinSession({ session }: Principal, policyRequest: PolicyRequest): boolean {
  if (session === undefined) return true;
  if (session.policy === undefined) return session.kind !== "federated";
  return matchingStatement(session.policy, "Allow", policyRequest) !== undefined;
}

/** RestrictPublicBuckets: a public policy grants access only to the bucket's account. */
function rejectsAnonymous({ kind }: Principal, bucket: BucketSubject | undefined, policy: Policy | undefined): boolean {
  if (kind !== "anonymous" || policy === undefined) return false;
  const { RestrictPublicBuckets: isRestricted } = readPublicAccessBlock(
    bucket?.configurations.public_access_block ?? null,
  );
  return isRestricted && isPublicPolicy(policy);
}

type Granted = Exclude<AclPermission, "FULL_CONTROL">;

const BUCKET_ACL_ACTIONS: ReadonlyMap<string, Granted> = new Map([
  ["s3:ListBucket", "READ"],
  ["s3:ListBucketVersions", "READ"],
  ["s3:ListBucketMultipartUploads", "READ"],
  ["s3:PutObject", "WRITE"],
  ["s3:DeleteObject", "WRITE"],
  ["s3:GetBucketAcl", "READ_ACP"],
  ["s3:PutBucketAcl", "WRITE_ACP"],
]);

const OBJECT_ACL_ACTIONS: ReadonlyMap<string, Granted> = new Map([
  ["s3:GetObject", "READ"],
  ["s3:GetObjectVersion", "READ"],
  ["s3:GetObjectAcl", "READ_ACP"],
  ["s3:GetObjectVersionAcl", "READ_ACP"],
  ["s3:PutObjectAcl", "WRITE_ACP"],
  ["s3:PutObjectVersionAcl", "WRITE_ACP"],
]);

function isGrantedByAcl(
  { kind, accountId }: Principal,
  { actions, bucket, object, isMissing }: AuthorizationRequest,
): boolean {
  if (bucket === undefined) return false;
  const requestPrincipal = { isAnonymous: kind === "anonymous", accountId };
  const { acl, public_access_block: block } = bucket.configurations;
  const { IgnorePublicAcls: isPublicIgnored } = readPublicAccessBlock(block);
  const [action = ""] = actions;
  const onObject = OBJECT_ACL_ACTIONS.get(action);
  // A missing object has no ACL. The permission to list the bucket decides whether the caller learns that it is
  // missing.
  if (onObject === "READ" && isMissing === true) {
    return isGranted(effectiveAcl(acl, bucket), requestPrincipal, "READ", isPublicIgnored);
  }
  if (onObject !== undefined) {
    return (
      object !== undefined && isGranted(effectiveAcl(object.acl, bucket), requestPrincipal, onObject, isPublicIgnored)
    );
  }
  const onBucket = BUCKET_ACL_ACTIONS.get(action);
  return onBucket !== undefined && isGranted(effectiveAcl(acl, bucket), requestPrincipal, onBucket, isPublicIgnored);
}

/**
 * The user who created a bucket may put its first policy, and so grant itself access, while its own policies allow
 * CreateBucket.
 */
function mayPutFirstPolicy(
  principal: Principal,
  { actions, bucket }: AuthorizationRequest,
  policyRequest: PolicyRequest,
): boolean {
  const { creatorId, policies } = principal;
  if (creatorId === undefined || bucket === undefined || bucket.creatorId !== creatorId) return false;
  if (actions[0] !== "s3:PutBucketPolicy" || bucket.configurations.policy !== null) return false;
  const keys: ConditionKeys = (name) => (name === "s3:locationconstraint" ? [bucket.region] : policyRequest.keys(name));
  const creation = { ...policyRequest, actions: ["s3:CreateBucket"], keys };
  if (denial(principal, undefined, creation) !== undefined) return false;
  return policies.some(({ policy }) => matchingStatement(policy, "Allow", creation) !== undefined);
}

function policyOfBucket(bucket: BucketSubject | undefined): Policy | undefined {
  const text = bucket?.configurations.policy ?? null;
  if (bucket === undefined || text === null) return undefined;
  return policyOf(text, { of: "bucket", bucketName: bucket.name, accountId: bucket.ownerId });
}

function missingAllow({ kind }: Principal, action: string): string {
  const policies = kind === "anonymous" ? "resource-based" : "identity-based";
  return `because no ${policies} policy allows the ${action} action`;
}

function denied(how: string, statement: PolicyStatement): Decision {
  return { isAllowed: false, reason: how + statementName(statement) };
}

function allowed(by: string, statement: PolicyStatement): Decision {
  return { isAllowed: true, reason: by + statementName(statement) };
}

function statementName({ sid }: PolicyStatement): string {
  return sid === undefined ? "" : ` (statement ${sid})`;
}
