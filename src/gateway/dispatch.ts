// The way of a request: addressed, matched, authenticated, looked up, authorised, run, rendered. Whatever is wrong is
// thrown as S3Error on the way and rendered at the end; a request is refused before its body is read.
import { Access } from "../auth/access/access.ts";
import type { AuthorizationRequest } from "../auth/access/authorization-request.ts";
import type { Principal } from "../auth/identity/principal.ts";
import { randomDigits } from "../bytes/random-id.ts";
import type { Context } from "../contract/context.ts";
import type { Implementation, PreparedOperation, ResumedOperation, S3Response } from "../contract/operation.ts";
import { readSettings, type Settings } from "../config/settings.ts";
import { addressedSnapshot } from "../protocol/core/addressing.ts";
import { checkBucketName } from "../protocol/core/bucket-name.ts";
import { refuseContradictions } from "../protocol/core/contradictions.ts";
import { readExpectedOwner } from "../protocol/core/expected-owner.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { requestHeader, type S3Request } from "../protocol/core/s3-request.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { Coordinators } from "../state/writes/coordinators.ts";
import { Counts } from "../state/d1/counts.ts";
import type { Database, Statement } from "../state/d1/database.ts";
import { metadataShard } from "../state/d1/metadata-shards.ts";
import { isTransientError } from "../state/d1/transient-errors.ts";
import { R2BlobStore } from "../state/blobs/r2-blob-store.ts";
import { answerPreflight, headersForOrigin } from "./cors.ts";
import { lookUpCredentials } from "./credentials.ts";
import { matchOperation } from "./match.ts";
import { OPERATIONS } from "./operation-table.ts";
import { answerQueryApi, queryServiceOf } from "./query-api.ts";
import { receive } from "./receive.ts";
import { answerHeaders, renderError, renderResponse } from "./render.ts";
import { RequestLog } from "./request-log.ts";
import { authenticationOf } from "./signer.ts";

const REQUEST_ID_DIGITS = 16;
const HOST_ID_DIGITS = 64;

/** Answers a request. Never rejects. */
export async function dispatch(incoming: Request, env: Env, execution: ExecutionContext): Promise<Response> {
  const requestId = randomDigits(REQUEST_ID_DIGITS).toUpperCase();
  const hostId = randomDigits(HOST_ID_DIGITS);
  const settings = readSettings(env);
  const counts = new Counts();
  const facts = () => ({
    method: incoming.method,
    requestId,
    hostId,
    counts: settings.serverTiming ? counts.snapshot() : undefined,
  });
  const log = new RequestLog();
  const scope: RequestScope = { env, execution, settings, counts, log, seen: {} };
  let request: S3Request | undefined;
  let response: Response;
  try {
    request = receive(incoming, settings);
    const service = queryServiceOf(request);
    response =
      service === undefined
        ? renderResponse(await answer(request, scope), facts())
        : await answerQueryApi(service, request, {
            settings,
            database: metadataShard(env, "", counts),
            requestId,
            log,
            headers: () => answerHeaders({}, facts()),
            onUse: (lastUse) => {
              scope.seen.lastUse = lastUse;
            },
            onFailure: (error) => logFailure(requestId, error),
          });
  } catch (error) {
    if (!(error instanceof S3Error)) logFailure(requestId, error);
    const told = isTransientError(error) ? new S3Error("SlowDown") : error;
    log.fails(told instanceof S3Error ? told.code : "InternalError");
    response = renderError(told, request?.rawPath ?? "", facts());
  }
  if (request !== undefined && request.headers.has("origin")) await shareWithOrigin(response, request, scope);
  if (settings.logRequests)
    log.write({ requestId, request, method: incoming.method, response, counts: counts.snapshot() });
  recordUse(scope);
  return response;
}

/** Records the use of credentials, once nobody waits for the answer any more. */
function recordUse({ env, execution, counts, seen }: RequestScope): void {
  if (seen.lastUse !== undefined) execution.waitUntil(metadataShard(env, "", counts).batch([seen.lastUse]));
}

/** Adds what a browser must be told before it lets a page of another origin read the answer. */
async function shareWithOrigin(response: Response, request: S3Request, scope: RequestScope): Promise<void> {
  const { env, counts, seen } = scope;
  const headers = await headersForOrigin(request, seen.bucket?.cors, () => databaseOf(request, env, counts));
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
}

function databaseOf({ address }: S3Request, env: Env, counts: Counts): Database {
  return metadataShard(env, address.level === "service" ? "" : address.bucket, counts);
}

interface RequestScope {
  readonly env: Env;
  readonly execution: ExecutionContext;
  readonly settings: Settings;
  readonly counts: Counts;
  readonly log: RequestLog;
  /** What became known on the way. */
  readonly seen: { bucket?: Bucket | undefined; lastUse?: Statement | undefined };
}

async function answer(request: S3Request, scope: RequestScope): Promise<S3Response> {
  const { env, execution, settings, counts, log, seen } = scope;
  const now = Date.now();
  const database = databaseOf(request, env, counts);
  // Browsers send preflights by themselves, unsigned.
  if (request.method === "OPTIONS") {
    log.asks("Preflight");
    return answerPreflight(request, database);
  }
  const signer = await authenticationOf(request, settings, now);
  // A signature that can be verified without a look at the database is verified before anything else is done.
  const atOnce = signer.statements.length === 0 ? await signer.verify([]) : undefined;
  const plan = await planFor(request, settings, log);
  const results = await database.batch([...signer.statements, ...(plan.prepared?.statements ?? [])]);
  const { principal, open, lastUse } = atOnce ?? (await signer.verify(results.slice(0, signer.statements.length)));
  seen.lastUse = lastUse;
  log.isBy(principal);
  log.ends("lookUp");

  const facts = { request, claim: signer.claim, now, region: settings.region };
  const accessOf = (somebody: Principal): Access =>
    new Access(somebody, facts, (explanation) => log.isDenied(explanation));
  const access = accessOf(principal);
  if (plan.prepared === undefined) {
    // What cannot be done is not told to strangers.
    throw plan.isUnbuilt && principal.kind === "anonymous" ? new S3Error("AccessDenied") : plan.error;
  }
  const resumed = plan.prepared.resume(results.slice(signer.statements.length));
  const { address } = request;
  const { bucket } = resumed;
  seen.bucket = bucket;
  const { implementation } = plan;
  if (implementation.needsBucket && bucket === undefined && address.level !== "service") {
    throw new S3Error("NoSuchBucket", { BucketName: address.bucket });
  }
  if (implementation.authorizes !== "run") access.require(authorizationRequestOf(request, implementation, resumed));
  checkExpectedOwner(request, bucket);
  if (implementation.authorizes === "dispatch") await refuseContradictions(request, implementation.inputs);
  log.ends("authorize");

  const context: Context = {
    request,
    inputs: implementation.inputs,
    principal,
    access,
    settings,
    now,
    database,
    blobs: new R2BlobStore(env.BLOBS, counts),
    coordinators: new Coordinators(env.COORDINATORS, settings.coordinatorShards, counts),
    async identify(credentials, verify) {
      // A form that names credentials is nobody's until its signature proves that it has them.
      log.isBy(undefined);
      const lookup = await lookUpCredentials(credentials, settings, now);
      const holder = await lookup.resolve(await database.batch(lookup.statements));
      await verify(holder.secretAccessKey);
      seen.lastUse = holder.lastUse;
      log.isBy(holder.principal);
      return { principal: holder.principal, access: accessOf(holder.principal) };
    },
    openBody: open,
    waitUntil: (work) => execution.waitUntil(work),
  };
  try {
    return await resumed.execute(context);
  } catch (error) {
    // A copy's source may be in another bucket: what is said of it, the operation decides.
    if (!(error instanceof S3Error) || bucket === undefined || isCopy(request)) throw error;
    throw access.maskNotFound(error, bucket, address.level === "object" ? address.key : "");
  }
}

/** What is to be done for a request, or why nothing can be: not said before it is known who asks. */
type Plan =
  | { readonly prepared: PreparedOperation; readonly implementation: Implementation }
  | { readonly prepared: undefined; readonly error: unknown; readonly isUnbuilt: boolean };

async function planFor(request: S3Request, settings: Settings, log: RequestLog): Promise<Plan> {
  try {
    const { address } = request;
    if (address.level !== "service") checkBucketName(address.bucket);
    const { name, implementation } = matchOperation(OPERATIONS, request);
    log.asks(name);
    if (implementation === undefined) {
      const error = new S3Error("NotImplemented", { Operation: name }, `${name} is not implemented.`);
      return { prepared: undefined, error, isUnbuilt: true };
    }
    return { prepared: await implementation.prepare(request, settings), implementation };
  } catch (error) {
    return { prepared: undefined, error, isUnbuilt: false };
  }
}

/** What an operation's own actions are asked for on. */
function authorizationRequestOf(
  { address, query }: S3Request,
  { actions, versionActions, alsoDeniedBy, inputs, createsObject }: Implementation,
  { bucket, subject, isMissing, conditionKeys }: ResumedOperation,
): AuthorizationRequest {
  return {
    actions: query.has("versionId") || addressedSnapshot(address) !== undefined ? (versionActions ?? actions) : actions,
    alsoDeniedBy,
    bucket,
    bucketName: address.level === "service" ? undefined : address.bucket,
    key: address.level === "object" ? address.key : undefined,
    object: subject,
    isMissing,
    inputs,
    createsObject,
    conditionKeys,
  };
}

function isCopy(request: S3Request): boolean {
  return request.method === "PUT" && requestHeader(request, "x-amz-copy-source") !== undefined;
}

/** @throws S3Error InvalidBucketOwnerAWSAccountID, AccessDenied where the bucket is not the expected account's */
function checkExpectedOwner(request: S3Request, bucket: Bucket | undefined): void {
  const expected = readExpectedOwner(request, "x-amz-expected-bucket-owner");
  if (expected !== undefined && bucket !== undefined && bucket.ownerId !== expected) throw new S3Error("AccessDenied");
}

/** An unexpected failure's log line: what it was, and the request id that the client was told; no header, no key. */
function logFailure(requestId: string, error: unknown): void {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  console.error(JSON.stringify({ level: "error", requestId, name, message }));
}
