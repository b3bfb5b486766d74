// The way of a request: addressed, matched, authenticated, looked up, authorised, run, rendered. Whatever is wrong is
// thrown as S3Error on the way and rendered at the end; a request is refused before its body is read.
import { Access, type Demand } from "../auth/access.ts";
import { readClaim, verifyClaim } from "../auth/authenticate.ts";
import { openBody } from "../auth/incoming-body.ts";
import { ANONYMOUS, rootPrincipal, type Principal } from "../auth/principal.ts";
import { randomDigits } from "../bytes/random-id.ts";
import type { Context } from "../contract/context.ts";
import type { Operation, ResumedOperation, S3Response } from "../contract/operation.ts";
import { readSettings, type Settings } from "../contract/settings.ts";
import { checkBucketName } from "../protocol/bucket-name.ts";
import { readExpectedOwner } from "../protocol/expected-owner.ts";
import type { IncomingBody } from "../protocol/incoming-body.ts";
import { S3Error } from "../protocol/s3-error.ts";
import type { S3Request } from "../protocol/s3-request.ts";
import type { Bucket } from "../state/buckets.ts";
import { Coordinators } from "../state/coordinators.ts";
import { Counts } from "../state/counts.ts";
import type { Database } from "../state/database.ts";
import { metadataShard } from "../state/metadata-shards.ts";
import { R2BlobStore } from "../state/r2-blob-store.ts";
import { answerPreflight, headersForOrigin } from "./cors.ts";
import { matchOperation } from "./match.ts";
import { OPERATIONS } from "./operation-table.ts";
import { receive } from "./receive.ts";
import { renderError, renderResponse } from "./render.ts";

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
  const surroundings: Surroundings = { env, execution, settings, counts, seen: {} };
  let request: S3Request | undefined;
  let response: Response;
  try {
    request = receive(incoming, settings);
    response = renderResponse(await answer(request, surroundings), facts());
  } catch (error) {
    if (!(error instanceof S3Error)) logFailure(requestId, error);
    response = renderError(error, request?.rawPath ?? "", facts());
  }
  if (request !== undefined && request.headers.has("origin")) await shareWithOrigin(response, request, surroundings);
  return response;
}

/** Adds what a browser must be told before it lets a page of another origin read the answer. */
async function shareWithOrigin(response: Response, request: S3Request, surroundings: Surroundings): Promise<void> {
  const { env, counts, seen } = surroundings;
  const headers = await headersForOrigin(request, seen.bucket?.cors, () => databaseOf(request, env, counts));
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
}

function databaseOf({ address }: S3Request, env: Env, counts: Counts): Database {
  return metadataShard(env, address.level === "service" ? "" : address.bucket, counts);
}

interface Surroundings {
  readonly env: Env;
  readonly execution: ExecutionContext;
  readonly settings: Settings;
  readonly counts: Counts;
  /** What became known on the way. */
  readonly seen: { bucket?: Bucket | undefined };
}

async function answer(request: S3Request, surroundings: Surroundings): Promise<S3Response> {
  const { env, execution, settings, counts, seen } = surroundings;
  const now = Date.now();
  const database = databaseOf(request, env, counts);
  // Browsers send preflights by themselves, unsigned.
  if (request.method === "OPTIONS") return answerPreflight(request, database);
  const { principal, open } = await authenticate(request, settings, now);
  const { address } = request;
  if (address.level !== "service") checkBucketName(address.bucket);
  const operation = matchOperation(OPERATIONS, request);
  const { implementation } = operation;
  const access = new Access(principal);
  if (implementation === undefined) throw notImplementedError(operation, principal);

  const prepared = await implementation.prepare(request, settings);
  const resumed = prepared.resume(await database.batch(prepared.statements));
  const { bucket } = resumed;
  seen.bucket = bucket;
  if (implementation.needsBucket && bucket === undefined && address.level !== "service") {
    throw new S3Error("NoSuchBucket", { BucketName: address.bucket });
  }
  access.require(demandOf(request, implementation, resumed));
  checkExpectedOwner(request, bucket);

  const context: Context = {
    request,
    principal,
    access,
    settings,
    now,
    database,
    blobs: new R2BlobStore(env.BLOBS, counts),
    coordinators: new Coordinators(env.COORDINATORS, settings.coordinatorShards, counts),
    openBody: open,
    waitUntil: (work) => execution.waitUntil(work),
  };
  return resumed.execute(context);
}

interface Authenticated {
  readonly principal: Principal;
  readonly open: Context["openBody"];
}

async function authenticate(request: S3Request, settings: Settings, now: number): Promise<Authenticated> {
  const claim = readClaim(request, now);
  if (claim === undefined) {
    const payloadHash = request.headers.get("x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD";
    return { principal: ANONYMOUS, open: () => openBody(request, payloadHash, undefined) };
  }
  const { root, accountId } = settings;
  if (root === undefined || claim.accessKeyId !== root.accessKeyId) {
    throw new S3Error("InvalidAccessKeyId", { AWSAccessKeyId: claim.accessKeyId });
  }
  // Nobody is given session tokens, so whoever brings one did not get it here.
  if (claim.sessionToken !== undefined) throw new S3Error("InvalidToken");
  const verified = await verifyClaim(request, claim, root.secretAccessKey);
  const open = (): IncomingBody => openBody(request, claim.payloadHash, verified);
  // An operation that takes no body does not open it, but a signature over an envelope without a body is refused.
  if (request.body === null) open();
  return { principal: rootPrincipal(accountId, root.accessKeyId), open };
}

/** What an operation's own action is asked for on. */
function demandOf(
  { address, query }: S3Request,
  { actions, versionActions }: NonNullable<Operation["implementation"]>,
  { bucket, subject }: ResumedOperation,
): Demand {
  return {
    actions: query.has("versionId") ? (versionActions ?? actions) : actions,
    bucket,
    bucketName: address.level === "service" ? undefined : address.bucket,
    key: address.level === "object" ? address.key : undefined,
    object: subject,
  };
}

function notImplementedError({ name }: Operation, principal: Principal): S3Error {
  if (principal.kind === "anonymous") return new S3Error("AccessDenied");
  return new S3Error("NotImplemented", { Operation: name }, `${name} is not implemented.`);
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
