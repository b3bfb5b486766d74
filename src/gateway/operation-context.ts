// Builds the context of an operation that is about to run: its connections, its principal and the origin of its events.
import type { Access } from "../auth/access/access.ts";
import type { Principal } from "../auth/identity/principal.ts";
import type { SigningClaim } from "../auth/sigv4/claim.ts";
import type { Context } from "../contract/context.ts";
import type { Implementation } from "../contract/operation.ts";
import type { EventOrigin } from "../protocol/buckets/event-record.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { SpeculativeRead } from "../state/reads/speculative-read.ts";
import type { VerifiedAuthentication } from "./authenticate-request.ts";
import { lookUpCredentials } from "./credentials.ts";
import { deliverAfterWork } from "./event-delivery.ts";
import type { RequestLookup } from "./look-up.ts";
import type { RequestScope } from "./request-scope.ts";

interface AuthorizedRequest {
  readonly name: string;
  readonly implementation: Implementation;
  readonly claim: SigningClaim | undefined;
  readonly verified: VerifiedAuthentication;
  readonly found: RequestLookup;
  readonly bucket: Bucket | undefined;
  readonly access: Access;
  readonly accessOf: (requester: Principal) => Access;
  readonly speculative: SpeculativeRead | undefined;
}

export function operationContext(request: S3Request, scope: RequestScope, authorized: AuthorizedRequest): Context {
  const { settings, connections, rates, now } = scope;
  const { name, implementation, claim, verified, found, bucket, access, accessOf, speculative } = authorized;
  const { principal } = verified;
  const origin = originOf(name, principal, request, scope);
  const bucketName = bucketNameOf(request);
  const database = bucketName === undefined ? connections.database : found.databaseOf(bucketName);
  return {
    ...connections,
    database,
    databaseOf: (other) => found.databaseOf(other),
    coordinators: connections.coordinators.of(database).from(origin),
    origin,
    request,
    inputs: implementation.inputs,
    principal,
    access,
    settings,
    now,
    identify: async (credentials, verify) => {
      const requester = await identify(request, scope, credentials, verify);
      origin.principalId = requester.userId;
      return { principal: requester, access: accessOf(requester) };
    },
    openBody: verified.open,
    openBodyOfAnySize() {
      const body = verified.openAny();
      return body.length === undefined ? { ...body, stream: rates.measureBody(body.stream) } : body;
    },
    openEdgeCache: () => scope.openEdgeCache(),
    deliverEvents: () => deliverAfterWork(request, bucket, scope, database),
    waitUntil: (work) => scope.waitUntil(work),
    caller: callerOf(claim),
    speculative,
  };
}

/** The access key id of a request; empty for an anonymous one. */
export function callerOf(claim: SigningClaim | undefined): string {
  return claim?.accessKeyId ?? "";
}

/** The name of the addressed bucket, if the request addresses one. */
export function bucketNameOf({ address }: S3Request): string | undefined {
  return address.level === "service" ? undefined : address.bucket;
}

/** Identifies the requester of a form, who is unknown until the form's signature is verified. */
async function identify(
  request: S3Request,
  scope: RequestScope,
  ...[credentials, verify]: Parameters<Context["identify"]>
): Promise<Principal> {
  const { settings, connections, log, rates, now } = scope;
  log.setPrincipal(undefined);
  const lookup = await lookUpCredentials(credentials, settings, now);
  const resolved = await lookup.resolve(await connections.database.read(lookup.statements));
  await verify(resolved.secretAccessKey);
  rates.admitPrincipal(request, resolved.principal, resolved.parentAccessKeyId);
  scope.lastUse = resolved.lastUse;
  scope.accessKeyId = resolved.parentAccessKeyId;
  log.setPrincipal(resolved.principal);
  return resolved.principal;
}

/** The origin of a request's events. A form's requester replaces the principal once it is identified. */
function originOf(
  operation: string,
  { userId: principalId }: Principal,
  { headers }: S3Request,
  { requestId, hostId }: RequestScope,
): EventOrigin & { principalId: string } {
  return { operation, principalId, sourceIp: headers.get("cf-connecting-ip") ?? "", requestId, hostId };
}
