// Runs the operation of a request: authenticates, looks everything up in one round trip, authorises, executes. Rejects
// requests before it reads their bodies.
import { Access } from "../auth/access/access.ts";
import type { Principal } from "../auth/identity/principal.ts";
import type { Context } from "../contract/context.ts";
import type { S3Response } from "../contract/operation.ts";
import { refuseContradictions } from "../protocol/core/contradictions.ts";
import type { EventOrigin } from "../protocol/buckets/event-record.ts";
import { readExpectedOwner } from "../protocol/core/expected-owner.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { requestHeader, type S3Request } from "../protocol/core/s3-request.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { authenticateRequest } from "./authenticate-request.ts";
import { lookUpCredentials } from "./credentials.ts";
import { deliverAfterCommit, mayHaveEvents } from "./event-delivery.ts";
import { lookUpRequest } from "./look-up.ts";
import { authorizationRequestOf, planOperation } from "./plan-operation.ts";
import type { RequestScope } from "./request-scope.ts";

/**
 * @param onBucket receives the bucket as soon as it is looked up
 * @throws S3Error
 */
export async function runOperation(
  request: S3Request,
  scope: RequestScope,
  onBucket: (bucket: Bucket | undefined) => void,
): Promise<S3Response> {
  const { settings, connections, log, now, rates } = scope;
  const authentication = await authenticateRequest(request, settings, now);
  const { statements } = authentication;
  // A form without an Authorization header is signed in its body, so it counts as anonymous until that is read.
  if (authentication.claim === undefined) await rates.admitAddress(request);
  // A signature that needs no lookup is verified before any other work.
  const verifiedEarly = statements.length === 0 ? await authentication.verify([]) : undefined;
  const plan = await planOperation(request, settings, log);
  const { address } = request;
  const addressed = address.level === "service" ? undefined : address.bucket;
  const found = await lookUpRequest(connections, statements, plan.prepared, addressed);
  const verified = verifiedEarly ?? (await authentication.verify(found.identityResults));
  const { principal } = verified;
  scope.lastUse = verified.lastUse;
  scope.accessKeyId = verified.credentials?.parentAccessKeyId;
  log.setPrincipal(principal);
  log.endStage("lookUp");
  rates.admitPrincipal(request, principal, scope.accessKeyId);

  const facts = { request, claim: authentication.claim, now, region: settings.region };
  const accessOf = (requester: Principal): Access =>
    new Access(requester, facts, (explanation) => log.setDenial(explanation));
  const access = accessOf(principal);
  if (plan.prepared === undefined) {
    throw plan.isNotImplemented && principal.kind === "anonymous" ? new S3Error("AccessDenied") : plan.error;
  }
  const { implementation } = plan;
  const resumed = plan.prepared.resume(found.results);
  const { bucket } = resumed;
  scope.bucket = bucket;
  onBucket(bucket);
  if (implementation.needsBucket && bucket === undefined && address.level !== "service") {
    throw new S3Error("NoSuchBucket", { BucketName: address.bucket });
  }
  if (implementation.authorizes !== "run")
    access.requireAllowed(authorizationRequestOf(request, implementation, resumed));
  checkExpectedOwner(request, bucket);
  if (implementation.authorizes === "dispatch") await refuseContradictions(request, implementation.inputs);
  // After authorization: a request that is denied anyway does not use up the rate of those who may use the bucket.
  if (bucket !== undefined) rates.admitToBucket(request, bucket, principal.kind === "anonymous");
  rates.chargeBody(request);
  log.endStage("authorize");

  const origin = originOf(plan.name, principal, request, scope);
  const database = addressed === undefined ? connections.database : found.databaseOf(addressed);
  const context: Context = {
    ...connections,
    database,
    databaseOf: (bucketName) => found.databaseOf(bucketName),
    coordinators: connections.coordinators.of(database).from(origin),
    origin,
    request,
    inputs: implementation.inputs,
    principal,
    access,
    settings,
    now,
    async identify(credentials, verify) {
      // The requester of a form is unknown until the form's signature is verified.
      log.setPrincipal(undefined);
      const lookup = await lookUpCredentials(credentials, settings, now);
      const resolved = await lookup.resolve(await connections.database.read(lookup.statements));
      await verify(resolved.secretAccessKey);
      rates.admitPrincipal(request, resolved.principal, resolved.parentAccessKeyId);
      scope.lastUse = resolved.lastUse;
      scope.accessKeyId = resolved.parentAccessKeyId;
      log.setPrincipal(resolved.principal);
      origin.principalId = resolved.principal.userId;
      return { principal: resolved.principal, access: accessOf(resolved.principal) };
    },
    openBody: verified.open,
    openBodyOfAnySize() {
      const body = verified.openAny();
      return body.length === undefined ? { ...body, stream: rates.measureBody(body.stream) } : body;
    },
    openEdgeCache: () => scope.openEdgeCache(),
    waitUntil: (work) => scope.waitUntil(work),
  };
  try {
    const answer = await resumed.execute(context);
    if (mayHaveEvents(request, bucket)) scope.waitUntil(deliverAfterCommit(scope, database));
    return answer;
  } catch (error) {
    // A copy's source may be in another bucket, so the operation itself masks a missing source.
    if (!(error instanceof S3Error) || bucket === undefined || isCopy(request)) throw error;
    throw access.maskNotFound(error, bucket, address.level === "object" ? address.key : "");
  }
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

function isCopy(request: S3Request): boolean {
  return request.method === "PUT" && requestHeader(request, "x-amz-copy-source") !== undefined;
}

/** @throws S3Error InvalidBucketOwnerAWSAccountID, AccessDenied where another account owns the bucket */
function checkExpectedOwner(request: S3Request, bucket: Bucket | undefined): void {
  const expected = readExpectedOwner(request, "x-amz-expected-bucket-owner");
  if (expected !== undefined && bucket !== undefined && bucket.ownerId !== expected) throw new S3Error("AccessDenied");
}
