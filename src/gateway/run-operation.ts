// Runs the operation of a request: authenticates, looks everything up in one round trip, authorises, executes. Rejects
// requests before it reads their bodies.
import { Access } from "../auth/access/access.ts";
import type { Principal } from "../auth/identity/principal.ts";
import type { Implementation, ResumedOperation, S3Response } from "../contract/operation.ts";
import { refuseContradictions } from "../protocol/core/contradictions.ts";
import { readExpectedOwner } from "../protocol/core/expected-owner.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { requestHeader, type S3Request } from "../protocol/core/s3-request.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { authenticateRequest } from "./authenticate-request.ts";
import { deliverAfterCommit, mayHaveEvents } from "./event-delivery.ts";
import { lookUpRequest } from "./look-up.ts";
import { bucketNameOf, callerOf, operationContext } from "./operation-context.ts";
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
  try {
    return await runAuthorized(request, scope, onBucket);
  } finally {
    // The answer has taken what was read beside the lookups, or the request may not have it.
    scope.speculation?.then((read) => read?.discard()).catch(() => undefined);
  }
}

async function runAuthorized(
  request: S3Request,
  scope: RequestScope,
  onBucket: (bucket: Bucket | undefined) => void,
): Promise<S3Response> {
  const { plan, claim, verified, found } = await authenticateAndLookUp(request, scope);
  const { principal } = verified;
  if (plan.prepared === undefined) {
    throw plan.isNotImplemented && principal.kind === "anonymous" ? new S3Error("AccessDenied") : plan.error;
  }
  const facts = { request, claim, now: scope.now, region: scope.settings.region };
  const accessOf = (requester: Principal): Access =>
    new Access(requester, facts, (explanation) => scope.log.setDenial(explanation));
  const access = accessOf(principal);
  const resumed = plan.prepared.resume(found.results);
  const { bucket } = resumed;
  scope.bucket = bucket;
  onBucket(bucket);
  await authorize(request, scope, { ...plan, resumed, access, principal });

  const speculative = await scope.speculation;
  const known = { claim, verified, found, bucket, speculative };
  const context = operationContext(request, scope, { ...plan, ...known, access, accessOf });
  try {
    const answer = await resumed.execute(context);
    if (mayHaveEvents(request, bucket)) scope.waitUntil(deliverAfterCommit(scope, context.database));
    return answer;
  } catch (error) {
    // A copy's source may be in another bucket, so the operation itself masks a missing source.
    if (!(error instanceof S3Error) || bucket === undefined || isCopy(request)) throw error;
    const { address } = request;
    throw access.maskNotFound(error, bucket, address.level === "object" ? address.key : "");
  }
}

/** Verifies the signature, and looks up everything that the operation needs in the same round trip. @throws S3Error */
async function authenticateAndLookUp(request: S3Request, scope: RequestScope) {
  const { settings, connections, log, rates } = scope;
  const authentication = await authenticateRequest(request, settings, scope.now);
  const { claim, statements } = authentication;
  // A form without an Authorization header is signed in its body, so it counts as anonymous until that is read.
  if (claim === undefined) await rates.admitAddress(request);
  // A signature that needs no lookup is verified before any other work.
  const verifiedEarly = statements.length === 0 ? await authentication.verify([]) : undefined;
  const plan = await planOperation(request, settings, log);
  const lookingUp = lookUpRequest(connections, statements, plan.prepared, bucketNameOf(request));
  scope.speculation = plan.prepared?.speculate?.({
    blobs: connections.blobs,
    caller: callerOf(claim),
    isVerified: async () => verifiedEarly !== undefined || authentication.isOfRecentKey(),
    settings,
    now: scope.now,
    openEdgeCache: () => scope.openEdgeCache(),
    waitUntil: (work) => scope.waitUntil(work),
  });
  const found = await lookingUp;
  const verified = verifiedEarly ?? (await authentication.verify(found.identityResults));
  scope.lastUse = verified.lastUse;
  scope.accessKeyId = verified.credentials?.parentAccessKeyId;
  log.setPrincipal(verified.principal);
  log.endStage("lookUp");
  rates.admitPrincipal(request, verified.principal, scope.accessKeyId);
  return { plan, claim, verified, found };
}

interface PlannedRequest {
  readonly implementation: Implementation;
  readonly resumed: ResumedOperation;
  readonly access: Access;
  readonly principal: Principal;
}

/** Checks permissions and rates before the operation runs. @throws S3Error */
async function authorize(
  request: S3Request,
  { rates, log }: RequestScope,
  { implementation, resumed, access, principal }: PlannedRequest,
): Promise<void> {
  const { address } = request;
  const { bucket } = resumed;
  if (implementation.needsBucket && bucket === undefined && address.level !== "service") {
    throw new S3Error("NoSuchBucket", { BucketName: address.bucket });
  }
  if (implementation.authorizes !== "run") {
    access.requireAllowed(authorizationRequestOf(request, implementation, resumed));
  }
  checkExpectedOwner(request, bucket);
  if (implementation.authorizes === "dispatch") await refuseContradictions(request, implementation.inputs);
  // After authorization: a request that is denied anyway does not use up the rate of those who may use the bucket.
  if (bucket !== undefined) rates.admitToBucket(request, bucket, principal.kind === "anonymous");
  rates.chargeBody(request);
  log.endStage("authorize");
}

function isCopy(request: S3Request): boolean {
  return request.method === "PUT" && requestHeader(request, "x-amz-copy-source") !== undefined;
}

/** @throws S3Error InvalidBucketOwnerAWSAccountID, AccessDenied where another account owns the bucket */
function checkExpectedOwner(request: S3Request, bucket: Bucket | undefined): void {
  const expected = readExpectedOwner(request, "x-amz-expected-bucket-owner");
  if (expected !== undefined && bucket !== undefined && bucket.ownerId !== expected) throw new S3Error("AccessDenied");
}
