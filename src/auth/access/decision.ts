// The decision: an explicit deny refuses whatever else says; then an allow of the holder's own policies, of the bucket's
// policy or of an access control list grants, within what a session is bound to; else the answer is no.
import { effectiveAcl } from "../../protocol/acl/acl-rules.ts";
import { isGranted, type AclPermission } from "../../protocol/acl/acl.ts";
import { readPublicAccessBlock } from "../../protocol/acl/public-access-block.ts";
import { resourceOf, type BucketSubject, type AuthorizationRequest } from "./authorization-request.ts";
import { matchingStatement, mayAllow, type PolicyQuestion } from "../policy/evaluate.ts";
import { EvaluationCache } from "../policy/evaluation-cache.ts";
import type { ConditionKeys } from "../policy/keys.ts";
import { policyOf } from "../policy/policy-cache.ts";
import type { Policy, PolicyStatement } from "../policy/policy.ts";
import { isPublicPolicy } from "../policy/public.ts";
import type { Principal } from "../identity/principal.ts";

/** Whether a demand is granted, and by what. */
export interface Decision {
  readonly isAllowed: boolean;
  /** What decided, in AWS's words where it has some; never a secret, never a policy's text. */
  readonly reason: string;
}

/** What the owner of a bucket may do to its policy whatever the policy says, so that nobody locks the account out. */
const POLICY_ACTIONS: ReadonlySet<string> = new Set([
  "s3:GetBucketPolicy",
  "s3:PutBucketPolicy",
  "s3:DeleteBucketPolicy",
]);

/**
 * Decides on a demand of a principal.
 * @param memory of the principal's demands in the same request
 */
export function decide(
  principal: Principal,
  authorization: AuthorizationRequest,
  keys: ConditionKeys,
  memory = new EvaluationCache(),
): Decision {
  const { actions, explicitDenyActions = [] } = authorization;
  const question: PolicyQuestion = { principal, actions, resource: resourceOf(authorization), keys, memory };
  const bucketPolicy = policyOfBucket(authorization.bucket);
  for (const asked of [actions, ...explicitDenyActions.map((other) => [other])]) {
    const refusal = denial(principal, bucketPolicy, { ...question, actions: asked });
    if (refusal !== undefined) return refusal;
  }
  return (
    grant(principal, authorization, bucketPolicy, question) ?? {
      isAllowed: false,
      reason: missingAllow(principal, actions[0] ?? ""),
    }
  );
}

/**
 * Whether anything may be granted of what is asked for, on some key of the bucket or under some condition. What may not
 * is refused before a body is read that says which keys are meant.
 */
export function isPossible(
  principal: Principal,
  authorization: AuthorizationRequest,
  keys: ConditionKeys,
  memory = new EvaluationCache(),
): boolean {
  if (principal.kind === "root") return true;
  const question = { principal, actions: authorization.actions, keys, memory };
  const bucketPolicy = policyOfBucket(authorization.bucket);
  const policies = [
    ...principal.policies.map(({ policy }) => policy),
    ...(bucketPolicy === undefined ? [] : [bucketPolicy]),
  ];
  return (
    policies.some((policy) => mayAllow(policy, question, resourceOf(authorization))) ||
    isGrantedByAcl(principal, authorization)
  );
}

/** Whether a demand is refused expressly, so that nothing else could grant it. */
export function isDenied(
  principal: Principal,
  authorization: AuthorizationRequest,
  keys: ConditionKeys,
  memory = new EvaluationCache(),
): boolean {
  const question: PolicyQuestion = {
    principal,
    actions: authorization.actions,
    resource: resourceOf(authorization),
    keys,
    memory,
  };
  return denial(principal, policyOfBucket(authorization.bucket), question) !== undefined;
}

function denial(
  principal: Principal,
  bucketPolicy: Policy | undefined,
  question: PolicyQuestion,
): Decision | undefined {
  for (const { name, policy } of principal.policies) {
    const statement = matchingStatement(policy, "Deny", question);
    if (statement !== undefined)
      return denied(`with an explicit deny in an identity-based policy (${name})`, statement);
  }
  const session = principal.session?.policy;
  const ofSession = session === undefined ? undefined : matchingStatement(session, "Deny", question);
  if (ofSession !== undefined) return denied("with an explicit deny in a session policy", ofSession);
  if (bucketPolicy === undefined || isKeptFromLockout(principal, question)) return undefined;
  const ofBucket = matchingStatement(bucketPolicy, "Deny", question);
  return ofBucket === undefined ? undefined : denied("with an explicit deny in a resource-based policy", ofBucket);
}

/** Root may always mend a bucket's policy, itself or by GetSessionToken; a role or a federated user that it lends its rights may not. */
function isKeptFromLockout({ kind, session }: Principal, { actions }: PolicyQuestion): boolean {
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
  question: PolicyQuestion,
): Decision | undefined {
  const byBucket = bucketPolicy === undefined ? undefined : matchingStatement(bucketPolicy, "Allow", question);
  const isOpen = byBucket !== undefined && !rejectsAnonymous(principal, authorization.bucket, bucketPolicy);
  // A bucket that names a session itself, and not just whom it acts for, is not bound by the session's policy.
  const { arn, ownerArn } = principal;
  if (isOpen && arn !== ownerArn && byBucket.principal?.arns.includes(arn) === true) {
    return allowed("resource-based policy", byBucket);
  }
  if (!isWithinSession(principal, question)) {
    return { isAllowed: false, reason: `because no session policy allows the ${question.actions[0] ?? ""} action` };
  }
  if (principal.kind === "root") return { isAllowed: true, reason: "root" };
  for (const { name, policy } of principal.policies) {
    const statement = matchingStatement(policy, "Allow", question);
    if (statement !== undefined) return allowed(`identity-based policy (${name})`, statement);
  }
  if (isOpen) return allowed("resource-based policy", byBucket);
  if (isGrantedByAcl(principal, authorization)) return { isAllowed: true, reason: "access control list" };
  return isFirstPolicy(principal, authorization, question)
    ? { isAllowed: true, reason: "owner of the bucket" }
    : undefined;
}

/** What a session may do at most. */
function isWithinSession({ session }: Principal, question: PolicyQuestion): boolean {
  if (session === undefined) return true;
  if (session.policy === undefined) return session.kind !== "federated";
  return matchingStatement(session.policy, "Allow", question) !== undefined;
}

/** RestrictPublicBuckets: what a public policy allows is for the account of the bucket alone. */
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
  // An object that is not there has no list of its own. The right to list the bucket is the right to be told so.
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
 * The user who made a bucket may give it its first policy, and so grant itself the rest: as long as its own policies let
 * it make the bucket. What is left of them is all that such a user has.
 */
function isFirstPolicy(
  principal: Principal,
  { actions, bucket }: AuthorizationRequest,
  question: PolicyQuestion,
): boolean {
  const { creatorId, policies } = principal;
  if (creatorId === undefined || bucket === undefined || bucket.creatorId !== creatorId) return false;
  if (actions[0] !== "s3:PutBucketPolicy" || bucket.configurations.policy !== null) return false;
  const keys: ConditionKeys = (name) => (name === "s3:locationconstraint" ? [bucket.region] : question.keys(name));
  const creation = { ...question, actions: ["s3:CreateBucket"], keys };
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
