// Answers a GET or HEAD of an object that a bucket lacks from the bucket's upstream, and imports what a GET asks for. The
// response never waits for the import.
import { mayImport } from "../config/upstreams.ts";
import type { Context } from "../contract/context.ts";
import type { S3Response } from "../contract/operation.ts";
import { upstreamFromText } from "../protocol/buckets/upstream-configuration.ts";
import { UPSTREAM_HEADER } from "../protocol/objects/upstream-use.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { checkReadKey, type CustomerKey } from "../protocol/objects/customer-encryption.ts";
import { planObjectRead, type ObjectReadInput, type ObjectReadPlan } from "../protocol/objects/object-reading.ts";
import type { StoredObject } from "../protocol/objects/stored-object.ts";
import type { Tag } from "../protocol/core/tagging.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { VersionFacts } from "../state/metadata/objects.ts";
import { importBeside, importLater } from "./imports-of-reads.ts";
import { openRemote, shareBytes } from "./remote-bytes.ts";
import { readRemote, readTags, type RemoteObject } from "./remote-object.ts";
import { askUpstream, unavailable, type UpstreamPlace } from "./upstream-requests.ts";

type ReadInput = ObjectReadInput & { readonly customerKey: CustomerKey | undefined };
type Facts = Pick<VersionFacts, "object" | "deleteMarker" | "wasDeleted"> & { readonly bucket: Bucket };

/**
 * @returns undefined if the bucket has the object, had it, or has no upstream that has it
 * @throws S3Error AccessDenied, ServiceUnavailable, SlowDown, and what the conditions and the range of a read cause
 */
export async function readMissing(context: Context, input: ReadInput, facts: Facts): Promise<S3Response | undefined> {
  const { bucket } = facts;
  // Buckets without an upstream pay for this comparison alone.
  const configuration = upstreamFromText(bucket.configurations.upstream);
  if (configuration === undefined || !mayBeUpstream(context, input, facts)) return undefined;
  const upstream = context.settings.upstreams.get(configuration.source);
  if (upstream === undefined || !mayImport(upstream, bucket.name))
    throw unavailable("the setting declares it no longer");
  const place = { upstream, configuration };
  const { key } = input;
  const answer = await askUpstream(place, {
    method: isHead(input) ? "HEAD" : "GET",
    key,
    headers: { "x-amz-checksum-mode": "ENABLED" },
  });
  if (answer === undefined) return undefined;
  try {
    return await answerWith(context, input, bucket, place, answer);
  } finally {
    // Without an effect once the body has a reader.
    if (answer.body?.locked !== true) answer.body?.cancel().catch(() => undefined);
  }
}

/** Whether the upstream is asked for the headers first: the bytes of a part are those of an object of known length. */
function isHead({ method, range, partNumber }: ReadInput): boolean {
  return method === "HEAD" || range !== undefined || partNumber !== undefined;
}

/** Whether an upstream may have what a request reads, and the principal may read it. */
function mayBeUpstream(
  context: Context,
  input: ReadInput,
  { object, deleteMarker, wasDeleted, bucket }: Facts,
): boolean {
  if (object !== undefined || deleteMarker !== undefined || wasDeleted === true) return false;
  if (input.versionId !== undefined || input.snapshot !== undefined || !input.asksUpstream) return false;
  // Dispatch has authorized the request for a missing object, which a list of the bucket's suffices for.
  return mayRead(context, bucket, input.key, []);
}

function mayRead({ access, inputs }: Context, bucket: Bucket, key: string, tags: readonly Tag[]): boolean {
  const object = { tags, acl: undefined };
  return access.allows({ actions: ["s3:GetObject"], bucket, bucketName: bucket.name, key, object, inputs });
}

async function answerWith(
  context: Context,
  input: ReadInput,
  bucket: Bucket,
  place: UpstreamPlace,
  answer: Response,
): Promise<S3Response> {
  const { key, customerKey } = input;
  const { headers: remoteHeaders } = answer;
  const read = readRemote(remoteHeaders, context.now);
  if (read === undefined || answer.status !== 200) throw unavailable("the answer is not an S3 object");
  const remote = { ...read, tags: await readTags(place, key, remoteHeaders) };
  if (!mayRead(context, bucket, key, remote.tags)) throw new S3Error("AccessDenied");
  await checkReadKey(undefined, customerKey);
  const plan = planObjectRead(input, objectOf(remote, key, bucket), {
    isVersioned: false,
    parts: [],
    encryption: {},
    lock: {},
    lifecycle: bucket.configurations.lifecycle,
    now: context.now,
  });
  const response = { status: plan.status, headers: { ...plan.headers, [UPSTREAM_HEADER]: "served" } };
  if (input.method === "HEAD" || plan.status === 304) return response;
  const opened = isHead(input) ? undefined : answer.body;
  return { ...response, body: await bytesOf(context, { bucket, key, place, remote }, plan, opened) };
}

interface Found {
  readonly bucket: Bucket;
  readonly key: string;
  readonly place: UpstreamPlace;
  readonly remote: RemoteObject;
}

/** @param opened the bytes of the whole object, if the answer has them */
async function bytesOf(
  context: Context,
  found: Found,
  { range }: ObjectReadPlan,
  opened: ReadableStream<Uint8Array> | null | undefined,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const { place, key, remote } = found;
  const length = range?.length ?? remote.size;
  const isWhole = range === undefined;
  if (length === 0) {
    if (isWhole) await importBeside(context, found, () => Promise.resolve());
    return undefined;
  }
  const source = isWhole && opened != null ? opened : await openRemote(place, key, remote, range);
  const shared = shareBytes(source, length);
  if (isWhole && (await importBeside(context, found, shared.deliver))) return shared.body;
  if (!isWhole) importLater(context, found);
  context.waitUntil(shared.deliver(() => Promise.resolve()).catch(() => undefined));
  return shared.body;
}

/** The object as reads plan it. */
function objectOf({ metadata, ...remote }: RemoteObject, key: string, { ownerId }: Bucket): StoredObject {
  const { size, etag, modifiedAt, checksum, tags } = remote;
  return {
    ...metadata,
    key,
    versionId: "",
    isNullVersion: true,
    size,
    etag,
    modifiedAt,
    checksum,
    tags,
    ownerId,
    blobId: undefined,
    manifestId: undefined,
    storageClass: "STANDARD",
    acl: undefined,
    encryption: undefined,
    retention: undefined,
    legalHold: undefined,
  };
}
