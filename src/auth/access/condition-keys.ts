// The condition keys of a request, which Condition elements of policies test. A header or parameter provides a key only
// if the operation obeys it; an ignored input counts as not sent.
import { parseAmzDate } from "../../bytes/dates.ts";
import { formatErrorTime, type SigningClaim } from "../sigv4/claim.ts";
import { bucketTags, type AuthorizationRequest } from "./authorization-request.ts";
import type { ConditionKeys } from "../policy/keys.ts";
import type { Principal } from "../identity/principal.ts";
import { copySourceNames } from "../../protocol/objects/copying.ts";
import { lockKeys, readLockHeaders } from "../../protocol/objects/object-lock.ts";
import { NO_INPUTS, obeyedParameter, obeysHeader } from "../../protocol/core/operation-inputs.ts";
import { requestHeader, type S3Request } from "../../protocol/core/s3-request.ts";
import { foldTagKey, type Tag } from "../../protocol/core/tagging.ts";

/** The facts of a request that conditions can test, in addition to the authorization request. */
export interface RequestFacts {
  readonly request: S3Request;
  /** The region of the endpoint. */
  readonly region: string;
  /** Undefined for a request without credentials in its headers or query. */
  readonly claim: SigningClaim | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

type Values = readonly string[] | undefined;

/** The condition keys of an authorization request. */
export function conditionKeysOf(
  principal: Principal,
  authorization: AuthorizationRequest,
  facts: RequestFacts,
): ConditionKeys {
  return (name) => authorization.conditionKeys?.get(name) ?? keyOfRequest(name, principal, authorization, facts);
}

function keyOfRequest(
  name: string,
  principal: Principal,
  authorization: AuthorizationRequest,
  facts: RequestFacts,
): Values {
  const read = KEYS.get(name);
  return read === undefined
    ? keyOfFamily(name, principal, authorization, facts)
    : read(principal, authorization, facts);
}

type Reader = (principal: Principal, authorization: AuthorizationRequest, facts: RequestFacts) => Values;

const PRINCIPAL_TYPES = { federated: "FederatedUser", role: "AssumedRole" };

/** Keys with a fixed name. */
const KEYS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["aws:sourceip", (_p, _a, { request }) => one(request.headers.get("cf-connecting-ip"))],
  ["aws:securetransport", (_p, _a, { request }) => [String(request.isSecure)]],
  ["aws:referer", (_p, _a, { request }) => one(request.headers.get("referer"))],
  ["aws:useragent", (_p, _a, { request }) => one(request.headers.get("user-agent"))],
  ["aws:currenttime", (_p, _a, { now }) => [formatErrorTime(now)]],
  ["aws:epochtime", (_p, _a, { now }) => [String(Math.floor(now / 1000))]],
  ["aws:principalarn", ({ arn, roleArn }) => known(roleArn ?? arn)],
  ["aws:principalaccount", ({ accountId }) => known(accountId)],
  ["aws:principaltype", (principal) => [principalType(principal)]],
  ["aws:userid", ({ userId }) => [userId]],
  ["aws:username", ({ userName }) => one(userName)],
  ["aws:tokenissuetime", ({ session }) => (session === undefined ? undefined : [formatErrorTime(session.issuedAt)])],
  // Only temporary credentials have this key. Cairn issues none with MFA.
  ["aws:multifactorauthpresent", ({ session }) => (session === undefined ? undefined : ["false"])],
  ["aws:principalisawsservice", () => ["false"]],
  ["aws:viaawsservice", () => ["false"]],
  // The client chooses the region in a signature's scope, so that region decides nothing.
  ["aws:requestedregion", (_p, { bucket }, { region }) => [bucket?.region ?? region]],
  ["aws:resourceaccount", (_p, { bucket }) => one(bucket?.ownerId)],
  ["s3:resourceaccount", (_p, { bucket }) => one(bucket?.ownerId)],
  ["s3:prefix", listParameter("prefix")],
  ["s3:delimiter", listParameter("delimiter")],
  ["s3:max-keys", listParameter("max-keys")],
  [
    "s3:versionid",
    (_p, authorization, { request }) => one(authorization.versionId ?? obeyed(authorization, request, "versionId")),
  ],
  ["s3:if-match", (_p, authorization, { request }) => one(obeyedHeader(authorization, request, "if-match"))],
  ["s3:if-none-match", (_p, authorization, { request }) => one(obeyedHeader(authorization, request, "if-none-match"))],
  ["s3:authtype", (_p, _a, { claim }) => (claim === undefined ? undefined : [authType(claim)])],
  ["s3:signatureversion", (_p, _a, { claim }) => (claim === undefined ? undefined : ["AWS4-HMAC-SHA256"])],
  [
    "s3:signatureage",
    (_p, _a, { claim, now }) =>
      claim === undefined ? undefined : [String(now - (parseAmzDate(claim.amzDate) ?? now))],
  ],
  [
    "s3:objectcreationoperation",
    (_p, { actions, createsObject = true }) => (actions[0] === "s3:PutObject" ? [String(createsObject)] : undefined),
  ],
  ["s3:tlsversion", (_p, _a, { request }) => one(request.tlsVersion)],
  [
    "s3:x-amz-copy-source",
    (_p, { inputs = NO_INPUTS }, { request }) =>
      obeysHeader(inputs, "x-amz-copy-source") ? copySourceNames(request) : undefined,
  ],
  ["s3:object-lock-mode", requestedLock("s3:object-lock-mode")],
  ["s3:object-lock-retain-until-date", requestedLock("s3:object-lock-retain-until-date")],
  ["s3:object-lock-remaining-retention-days", requestedLock("s3:object-lock-remaining-retention-days")],
  ["s3:object-lock-legal-hold", requestedLock("s3:object-lock-legal-hold")],
  ["s3:x-amz-content-sha256", (_p, _a, { claim }) => one(claim?.payloadHash)],
]);

/** Keys that end in a variable part, such as a tag's key or a header's name. */
function keyOfFamily(
  name: string,
  { tags }: Principal,
  authorization: AuthorizationRequest,
  { request }: RequestFacts,
): Values {
  const { bucket, object } = authorization;
  const slash = name.indexOf("/");
  if (slash < 0)
    return name.startsWith("s3:x-amz-")
      ? one(obeyedHeader(authorization, request, name.slice("s3:".length)))
      : undefined;
  const member = name.slice(slash + 1);
  switch (name.slice(0, slash)) {
    case "aws:principaltag":
      return valueOfTag(
        Array.from(tags, ([key, value]) => ({ key, value })),
        member,
      );
    case "s3:existingobjecttag":
      return valueOfTag(object?.tags ?? [], member);
    case "s3:buckettag":
    case "aws:resourcetag":
      return valueOfTag(bucketTags(bucket), member);
    default:
      return undefined;
  }
}

/** A key of the lock that an upload's headers request. The headers are well-formed once an operation has read them. */
function requestedLock(name: string): Reader {
  return (_principal, { inputs = NO_INPUTS }, { request, now }) =>
    obeysHeader(inputs, "x-amz-object-lock-mode")
      ? lockKeys(readLockHeaders(request, 0), now).find(([key]) => key === name)?.[1]
      : undefined;
}

/** A parameter of a listing; requests on one key do not have it. */
function listParameter(name: string): Reader {
  return (_principal, authorization, { request }) =>
    authorization.key === undefined && authorization.bucketName !== undefined
      ? one(obeyed(authorization, request, name))
      : undefined;
}

function obeyed(
  { inputs = NO_INPUTS }: AuthorizationRequest,
  request: S3Request,
  parameter: string,
): string | undefined {
  return obeyedParameter(inputs, request, parameter);
}

function obeyedHeader(
  { inputs = NO_INPUTS }: AuthorizationRequest,
  request: S3Request,
  name: string,
): string | undefined {
  return obeysHeader(inputs, name) ? requestHeader(request, name) : undefined;
}

/** Condition keys are case-insensitive, and so are the tag keys in them. */
function valueOfTag(tags: readonly Tag[], lowerCaseKey: string): Values {
  return some(tags.filter(({ key }) => foldTagKey(key) === lowerCaseKey).map(({ value }) => value));
}

function principalType({ kind, session }: Principal): string {
  if (kind === "anonymous") return "Anonymous";
  if (session !== undefined && session.kind !== "session") return PRINCIPAL_TYPES[session.kind];
  return kind === "root" ? "Account" : "User";
}

function authType({ form }: SigningClaim): string {
  return { header: "REST-HEADER", query: "REST-QUERY-STRING", post: "POST" }[form];
}

function one(value: string | null | undefined): Values {
  return value === null || value === undefined ? undefined : [value];
}

function known(value: string): Values {
  return value === "" ? undefined : [value];
}

function some(values: readonly string[]): Values {
  return values.length === 0 ? undefined : values;
}
