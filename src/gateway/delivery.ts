// Answers requests to delivery hosts: GET, HEAD and preflights. Public objects are answered from what this location knows
// (src/delivery); presigned URLs and versions run S3's own operation on every request.
import { Access } from "../auth/access/access.ts";
import { ANONYMOUS } from "../auth/identity/principal.ts";
import { isPresigned } from "../auth/sigv4/presigned-query.ts";
import { answerSite } from "../delivery/answer-site.ts";
import type { DeliveryContext, DeliveryReader } from "../delivery/delivery-context.ts";
import { findBucket, readBucket } from "../delivery/bucket-facts.ts";
import { errorPage } from "../delivery/error-page.ts";
import { stalenessHeaders, type SiteAnswer } from "../delivery/site-answer.ts";
import { parseAddress, splitTarget } from "../protocol/core/addressing.ts";
import { corsHeaders } from "../protocol/buckets/cors.ts";
import type { DeliveryTarget } from "../protocol/core/host-names.ts";
import { parseQuery, type Query } from "../protocol/core/query.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import type { ReadableHeaders } from "../protocol/core/sent-headers.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { Counts } from "../state/d1/counts.ts";
import { databaseBindings, Databases } from "../state/d1/databases.ts";
import { isSchemaMismatch } from "../state/d1/schema-errors.ts";
import { LocationCache } from "../state/reads/location-cache.ts";
import { requireDeliveryBindings } from "./bindings.ts";
import { preflightAnswer } from "./cors.ts";
import { answerSigned } from "./delivery-signed.ts";
import { lookUpRequest } from "./look-up.ts";
import { platformFailure } from "./platform-failure.ts";
import { readConnection } from "./read-request.ts";
import { bodyLengthOf, deliveryHeaders } from "./render.ts";
import type { RequestScope } from "./request-scope.ts";
import { schemaMismatchError } from "./schema-mismatch.ts";

const ALLOWED = "GET, HEAD, OPTIONS";

/** Headers of a request that a delivery host ignores: credentials, cookies, and those of S3's API. */
const IGNORED = /^(?:authorization|cookie|cookie2|x-amz-.*)$/;
const CUSTOMER_KEY = /^x-amz-server-side-encryption-customer-/;

/** Answers a request. Never rejects. */
export async function answerDelivery(
  incoming: Request,
  scope: RequestScope,
  target: DeliveryTarget,
): Promise<Response> {
  scope.log.setOperation("Deliver");
  let answer: SiteAnswer;
  try {
    answer = await answerRequest(incoming, scope, target);
  } catch (error) {
    answer = errorPage(await shownError(error, scope), scope.requestId);
  }
  scope.bucket ??= answer.bucket;
  if (answer.errorCode !== undefined) scope.log.setError(answer.errorCode);
  const response = renderSiteAnswer(incoming, scope, answer);
  return scope.rates.chargeAnswer(response, bodyLengthOf(response));
}

async function answerRequest(incoming: Request, scope: RequestScope, target: DeliveryTarget): Promise<SiteAnswer> {
  requireDeliveryBindings(scope.env);
  const { method } = incoming;
  if (method !== "GET" && method !== "HEAD" && method !== "OPTIONS") {
    throw new S3Error("MethodNotAllowed", {}, undefined, { Allow: ALLOWED });
  }
  const { path, query } = splitTarget(incoming.url);
  const address = parseAddress(path, "site");
  const siteKey = address.level === "object" ? address.key : "";
  const context = contextOf(incoming, scope, target, { method, siteKey, path });
  const parsed = method === "OPTIONS" ? undefined : readParameters(query);
  if (parsed !== undefined && isStrict(parsed)) return answerSigned(incoming, scope, context, parsed);
  await scope.rates.admitAddress({ method, headers: context.headers, body: null });
  if (method === "OPTIONS") return answerOptions(incoming, context);
  refuseCustomerKeys(incoming);
  return answerSite(context);
}

/** Sites add parameters of their own, which may be malformed and have no effect. */
function readParameters(raw: string): Query | undefined {
  try {
    return parseQuery(raw);
  } catch (error) {
    if (error instanceof S3Error && !/x-amz-/i.test(raw)) return undefined;
    throw error;
  }
}

/** Whether S3's operation answers: for signatures, versions and overrides, of which none may be cached or ignored. */
function isStrict(query: Query): boolean {
  return (
    isPresigned(query) || query.parameters.some(({ name }) => name === "versionId" || name.startsWith("response-"))
  );
}

/** @throws S3Error InvalidRequest: delivery hosts take no customer-provided keys */
function refuseCustomerKeys({ headers }: Request): void {
  for (const name of headers.keys()) if (CUSTOMER_KEY.test(name)) throw new S3Error("InvalidRequest");
}

function contextOf(
  incoming: Request,
  scope: RequestScope,
  target: DeliveryTarget,
  { method, siteKey, path }: Pick<DeliveryContext, "method" | "siteKey"> & { readonly path: string },
): DeliveryContext {
  const { settings, connections, env, counts, log, now } = scope;
  const connection = readConnection(incoming, settings);
  const request: S3Request = {
    ...connection,
    method,
    address: {
      level: "object",
      bucket: target.kind === "fixed" ? target.bucketName : target.label,
      key: siteKey,
    },
    rawPath: path,
    query: parseQuery(""),
    headers: new Headers(Array.from(connection.headers).filter(([name]) => !IGNORED.test(name))),
    body: null,
  };
  scope.request = request;
  const facts = { request, claim: undefined, now, region: settings.region };
  const primary = readerOf(connections.databases);
  return {
    target,
    origin: {
      protocol: incoming.url.startsWith("https:") ? "https" : "http",
      host: target.host + portOf(incoming),
    },
    method,
    siteKey,
    rawPath: path,
    headers: request.headers,
    requestId: scope.requestId,
    access: new Access(ANONYMOUS, facts, (reason) => {
      log.setDenial(reason);
    }),
    settings,
    now,
    cache: new LocationCache(settings.edgeCacheNamespace, (work) => {
      scope.waitUntil(work);
    }),
    primary,
    nearest: settings.deliveryReads === "replica" ? readerOf(replicas(env, counts)) : primary,
    blobs: connections.blobs,
    smallBlobs: [],
    openEdgeCache: async () => scope.openEdgeCache(),
    admit(bucket) {
      scope.rates.admitToBucket(request, bucket, true);
    },
    waitUntil: (work) => {
      scope.waitUntil(work);
    },
  };
}

/** Finds the database of each bucket as requests of S3 do. */
function readerOf(databases: Databases): DeliveryReader {
  return {
    async read(bucketName, statements, inFirst = []) {
      const found = await lookUpRequest({ databases }, inFirst, { statements }, bucketName);
      return { results: found.results, ofFirst: found.identityResults };
    },
  };
}

/** The databases' nearest replicas, where the bindings have sessions. */
function replicas(env: Env, counts: Counts): Databases {
  const bindings = databaseBindings(env).map(({ name, d1 }) => ({
    name,
    d1: typeof d1.withSession === "function" ? d1.withSession("first-unconstrained") : d1,
  }));
  return new Databases(bindings, counts);
}

function portOf({ headers }: Request): string {
  return /:\d{1,5}$/.exec(headers.get("host") ?? "")?.[0] ?? "";
}

async function answerOptions(incoming: Request, context: DeliveryContext): Promise<SiteAnswer> {
  const { headers } = incoming;
  if (!headers.has("origin") || !headers.has("access-control-request-method")) {
    return { status: 204, headers: { allow: ALLOWED } };
  }
  const { bucket } = (await findBucket(context)) ?? (await readBucket(context));
  if (bucket === undefined) throw new S3Error("NoSuchBucket");
  return preflightAnswer(bucket.cors, headers);
}

/** The error to show. Logs internal failures. */
async function shownError(error: unknown, scope: RequestScope): Promise<S3Error> {
  if (error instanceof S3Error) return error;
  scope.logFailure(error);
  if (isSchemaMismatch(error)) return schemaMismatchError(scope);
  return platformFailure(error) ?? new S3Error("InternalError");
}

/** Renders an answer with the headers of all answers. */
export function renderSiteAnswer(
  { method, headers: sent }: Request,
  scope: RequestScope,
  answer: SiteAnswer,
): Response {
  const { status, body, bucket } = answer;
  const headers = deliveryHeaders(
    { ...stalenessHeaders(0, 0), ...answer.headers, ...originHeaders(sent, method, bucket) },
    scope.answerFacts(),
  );
  const isBodyless = method === "HEAD" || status === 204 || status === 304 || body === undefined;
  if (isBodyless) {
    // An unread body must be cancelled, or its connection stays open.
    if (body instanceof ReadableStream) body.cancel().catch(() => undefined);
    if (status === 304) headers.delete("content-length");
    return new Response(null, { status, headers });
  }
  // Stored bytes are already encoded, so the runtime must not encode them again for their Content-Encoding.
  const encodeBody = headers.has("content-encoding") ? "manual" : "automatic";
  return new Response(body, { status, headers, encodeBody });
}

/** The headers that let a page of another origin read an answer. With rules, every answer depends on the origin. */
function originHeaders(sent: ReadableHeaders, method: string, bucket: Bucket | undefined): Record<string, string> {
  if (bucket === undefined || bucket.cors.length === 0 || method === "OPTIONS") return {};
  const origin = sent.get("origin");
  const allowed = origin === null ? undefined : corsHeaders(bucket.cors, { origin, method, headers: [] });
  return { vary: "Origin", ...allowed };
}
