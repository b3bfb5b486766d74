// Answers with an object: conditions, ranges and headers for browsers and players.
import { randomDigits } from "../bytes/random-id.ts";
import { PieceReader } from "../bytes/streams.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { parseQuery } from "../protocol/core/query.ts";
import type { ByteRange } from "../protocol/core/range.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import { multipartRanges, resolveRanges, type MultipartRanges } from "../protocol/objects/multi-range.ts";
import { isSameAs, planObjectRead, readObjectRead, type ObjectReadInput } from "../protocol/objects/object-reading.ts";
import type { StoredObject } from "../protocol/objects/stored-object.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { Slice } from "../state/metadata/manifests.ts";
import { openBytes } from "../state/reads/open-bytes.ts";
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

const BOUNDARY_DIGITS = 32;

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
  const plan = planObjectRead(input, object, {
    isVersioned: false,
    parts: [],
    encryption: {},
    lock: {},
    lifecycle: null,
    now: context.now,
  });
  const headers = servedHeaders(plan.headers, object, context);
  if (errorStatus !== undefined) {
    // An error must not stay in caches for as long as its document may.
    headers["cache-control"] = "no-cache";
    delete headers["expires"];
  }
  const status = errorStatus ?? plan.status;
  if (plan.status === 304) return { status, headers };
  const ranges = plan.status === 200 && errorStatus === undefined ? severalRanges(input, object) : undefined;
  if (ranges !== undefined && ranges.length > 1) return serveRanges(context, served, headers, ranges);
  const [only] = ranges ?? [];
  const range = only ?? plan.range;
  if (only !== undefined) {
    headers["content-range"] = `bytes ${only.offset}-${only.offset + only.length - 1}/${object.size}`;
    headers["content-length"] = String(only.length);
  }
  const isBodyless = context.method === "HEAD" || (range?.length ?? object.size) === 0;
  const opened = isBodyless ? undefined : await openBytes(context, PUBLIC, object, slices, range);
  if (!isBodyless && opened === undefined) return undefined;
  if (opened !== undefined) headers["x-cache"] = opened.cache;
  return { status: only === undefined ? status : 206, headers, body: opened?.body };
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

/** @throws S3Error InvalidRange */
function severalRanges(input: ObjectReadInput, object: StoredObject): readonly ByteRange[] | undefined {
  if (input.ifRange !== undefined && !isSameAs(input.ifRange, object)) return undefined;
  return resolveRanges(input.range, object.size);
}

async function serveRanges(
  context: DeliveryContext,
  { object, slices }: ServedObject,
  headers: Record<string, string>,
  ranges: readonly ByteRange[],
): Promise<SiteAnswer | undefined> {
  const type = headers["content-type"] ?? "application/octet-stream";
  const multipart = multipartRanges(ranges, object.size, type, randomDigits(BOUNDARY_DIGITS));
  const answer = {
    status: 206,
    headers: { ...headers, "content-type": multipart.contentType, "content-length": String(multipart.length) },
  };
  if (context.method === "HEAD") return answer;
  const open = async (range: ByteRange | undefined) =>
    range === undefined ? undefined : (await openBytes(context, PUBLIC, object, slices, range))?.body;
  const first = await open(multipart.parts[0]?.range);
  if (first === undefined) return undefined;
  const { readable, writable } = new FixedLengthStream(multipart.length);
  // A failure aborts the response stream, which is how the client learns of it.
  sendRanges(multipart, first, open, writable).catch(() => undefined);
  return { ...answer, body: readable };
}

async function sendRanges(
  { parts, end }: MultipartRanges,
  first: ReadableStream<Uint8Array>,
  open: (range: ByteRange) => Promise<ReadableStream<Uint8Array> | undefined>,
  writable: WritableStream<Uint8Array>,
): Promise<void> {
  const writer = writable.getWriter();
  try {
    let opened: ReadableStream<Uint8Array> | undefined = first;
    for (const { head, range } of parts) {
      const body: ReadableStream<Uint8Array> | undefined = opened ?? (await open(range));
      opened = undefined;
      if (body === undefined) throw new Error("a blob of the object is missing");
      await writer.write(head);
      const reader = new PieceReader(body, range.length);
      for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) await writer.write(piece);
    }
    await writer.write(end);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    throw error;
  }
}
