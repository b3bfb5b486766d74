// Answers with an object: conditions, ranges and headers for browsers and players.
import { randomDigits } from "../bytes/random-id.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { parseQuery } from "../protocol/core/query.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import { MULTIPART_BOUNDARY_DIGITS, withSeveralRanges } from "../protocol/objects/multi-range.ts";
import { planObjectRead, readObjectRead, type ObjectReadInput } from "../protocol/objects/object-reading.ts";
import type { StoredObject } from "../protocol/objects/stored-object.ts";
import { knowingSmallBlobs } from "../state/blobs/small-blob-store.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { Slice } from "../state/metadata/manifests.ts";
import { openBytes, type ReadConnections } from "../state/reads/open-bytes.ts";
import { openRanges } from "../state/reads/open-ranges.ts";
import type { DeliveryContext } from "./delivery-context.ts";
import type { SiteAnswer } from "./site-answer.ts";

/** Response headers that an object sets on a delivery host, in addition to user metadata. */
const SERVED: ReadonlySet<string> = new Set([
  "accept-ranges",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-range",
  "content-type",
  "etag",
  "expires",
  "last-modified",
]);

/** Bytes that everyone may read come from the cache and fill it; requests cannot change that. */
const PUBLIC = { cacheUse: "fill", customerKey: undefined } as const;

/** An object to answer with. */
export interface ServedObject {
  readonly bucket: Bucket;
  readonly object: StoredObject;
  readonly slices: readonly Slice[];
  /** The status of an error document, which is served whole and without conditions. */
  readonly errorStatus?: number;
}

/**
 * Answers with an object.
 * @returns undefined if its blob is missing, so that the caller reads the metadata again
 * @throws S3Error PreconditionFailed, InvalidRange, InvalidRequest for an object that a customer's key encrypts
 */
export async function serveObject(context: DeliveryContext, served: ServedObject): Promise<SiteAnswer | undefined> {
  const { bucket, object, slices, errorStatus } = served;
  if (object.encryption !== undefined) throw new S3Error("InvalidRequest");
  const input = readInput(context, bucket, object, errorStatus !== undefined);
  const whole = planObjectRead(input, object, {
    isVersioned: false,
    parts: [],
    encryption: {},
    lock: {},
    lifecycle: null,
    now: context.now,
  });
  const plan = withSeveralRanges(whole, input, object, () => randomDigits(MULTIPART_BOUNDARY_DIGITS));
  const headers = servedHeaders(plan.headers, object, context);
  if (errorStatus !== undefined) {
    // An error must not stay in caches for as long as its document may.
    headers["cache-control"] = "no-cache";
    delete headers["expires"];
  }
  const status = errorStatus ?? plan.status;
  const { range, multipart } = plan;
  if (plan.status === 304 || context.method === "HEAD" || (range?.length ?? object.size) === 0) {
    return { status, headers };
  }
  const connections = connectionsOf(context);
  const open = async (one: typeof range) => openBytes(connections, PUBLIC, object, slices, one);
  const opened = await (multipart === undefined ? open(range) : openRanges(multipart, open));
  return opened && { status, headers: { ...headers, "x-cache": opened.cache }, body: opened.body };
}

/** Small blobs are cached like others, so that visits with cached facts find them without D1. */
function connectionsOf(context: DeliveryContext): ReadConnections {
  return { ...context, blobs: knowingSmallBlobs(context.blobs, context.smallBlobs) };
}

/** The request as a read of the object. */
function readInput(
  { method, headers, rawPath, origin }: DeliveryContext,
  bucket: Bucket,
  { key }: StoredObject,
  isErrorDocument: boolean,
): ObjectReadInput {
  const request: S3Request = {
    method,
    address: { level: "object", bucket: bucket.name, key },
    rawPath,
    query: parseQuery(""),
    headers: isErrorDocument ? new Headers() : headers,
    isSecure: origin.protocol === "https",
    clientAcceptEncoding: undefined,
    tlsVersion: undefined,
    body: null,
  };
  // Compression would break the offsets of a range, and otherwise does no harm here.
  return { ...readObjectRead(request), acceptsCompression: !isErrorDocument && headers.has("range") };
}

function servedHeaders(
  planned: Readonly<Record<string, string>>,
  object: StoredObject,
  { settings }: DeliveryContext,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(planned)) {
    if (SERVED.has(name) || name.startsWith("x-amz-meta-")) headers[name] = value;
  }
  const hasOwn = "cache-control" in object.systemMetadata || "expires" in object.systemMetadata;
  if (!hasOwn) {
    const seconds = Math.floor(settings.deliveryCacheMs / 1000);
    const transform = headers["cache-control"] === undefined ? "" : `, ${headers["cache-control"]}`;
    headers["cache-control"] = `max-age=0, s-maxage=${seconds}, stale-while-revalidate=${seconds}${transform}`;
  }
  return headers;
}
