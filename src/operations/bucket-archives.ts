// GetBucketArchive and GetObjectsArchive, operations of Cairn's own (docs/archives.md), stream a ZIP or tar of the objects
// with a prefix, or of a list of objects and versions. Each member is authorized like a GetObject of its own.
import { fromBase64 } from "../bytes/hex-base64.ts";
import { lengthOf, type ArchiveMember, type Segment } from "../bytes/archives/archive-segments.ts";
import { tarSegments } from "../bytes/archives/tar-segments.ts";
import { successorOf, utf8Length } from "../bytes/text.ts";
import { zipSegments } from "../bytes/archives/zip-segments.ts";
import type { Context } from "../contract/context.ts";
import { defineOperation, type Operation, type S3Response } from "../contract/operation.ts";
import { areAclsEnabled } from "../protocol/acl/object-ownership.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { refuseContradictions } from "../protocol/core/contradictions.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { quoteEtag } from "../protocol/core/etag.ts";
import { CUSTOMER_KEY, DOCUMENT, joinInputs, RESPONSE_OVERRIDES } from "../protocol/core/operation-inputs.ts";
import { resolveRange } from "../protocol/core/range.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { archiveNames } from "../protocol/objects/archive-names.ts";
import {
  archiveEtag,
  archiveHeaders,
  archiveName,
  isSameArchive,
  LIST_MAX_BYTES,
  NAMES_MAX_BYTES,
  parseArchiveList,
  readArchiveRequest,
  refuseListingParameters,
  type ArchiveFormat,
  type ArchiveRequest,
} from "../protocol/objects/archive-request.ts";
import { isNotModified } from "../protocol/objects/conditions.ts";
import { refuseAnonymousOverrides } from "../protocol/objects/object-reading.ts";
import { lookUpBucket, type Bucket } from "../state/metadata/buckets.ts";
import {
  lookUpListed,
  lookUpPrefix,
  readSlices,
  withAttributes,
  withoutAttributes,
  type ArchivedVersion,
  type ListedVersion,
  type SlicesByManifest,
} from "../state/reads/archive-members.ts";
import { contentOpener } from "../state/reads/archive-contents.ts";
import { openArchive } from "../state/reads/archive-stream.ts";

/** The members that one statement looks up. An archive of no more is of one moment. */
const PAGE_KEYS = 10_000;

const ARCHIVE_ACTION = "s3:GetBucketArchive";
const MARKER_MESSAGE = "A delete marker has no content that an archive could contain.";

/** One key cannot be that of all members. */
const ANSWER = joinInputs(RESPONSE_OVERRIDES, { refuses: CUSTOMER_KEY.headers ?? [] });
const CONDITIONS = { headers: ["if-match", "if-none-match"] };
const RANGES = { headers: ["range", "if-range"] };

export const bucketArchives: readonly Operation[] = (["zip", "tar"] as const).flatMap((format) => [
  archiveOfPrefix("GET", format),
  archiveOfPrefix("HEAD", format),
  archiveOfList(format),
]);

function archiveOfPrefix(method: "GET" | "HEAD", format: ArchiveFormat): Operation {
  return defineOperation({
    name: "GetBucketArchive",
    actions: ["s3:ListBucket"],
    explicitDenyActions: [ARCHIVE_ACTION],
    furtherActions: [{ action: "s3:GetObject", when: "for each object" }],
    route: { method, level: "bucket", query: [format] },
    inputs: joinInputs(ANSWER, CONDITIONS, format === "tar" ? RANGES : {}, { query: ["prefix"] }),

    read: (request) => ({
      ...readArchiveRequest(request, format),
      bucketName: addressedBucket(request.address),
      prefix: request.query.get("prefix") ?? "",
    }),

    lookUp: ({ bucketName }) => lookUpBucket(bucketName),

    async run(context, input, { bucket }) {
      refuseListingParameters(context.request, true);
      refuseAnonymousOverrides(input, context.principal.kind === "anonymous");
      const members = await membersWithPrefix(context, bucket, input.prefix);
      return answer(context, format, input, archiveName(bucket.name, input.prefix), members);
    },

    write: (response) => response,
  });
}

function archiveOfList(format: ArchiveFormat): Operation {
  return defineOperation({
    name: "GetObjectsArchive",
    actions: ["s3:GetObject"],
    authorizes: "run",
    furtherActions: [{ action: "s3:GetObjectVersion", when: "instead, for each key with a version id" }],
    route: { method: "POST", level: "bucket", query: [format] },
    inputs: joinInputs(ANSWER, DOCUMENT),

    read: (request) => ({
      ...readArchiveRequest(request, format),
      bucketName: addressedBucket(request.address),
    }),

    lookUp: ({ bucketName }) => lookUpBucket(bucketName),

    async run(context, input, { bucket }) {
      const { access } = context;
      const on = { bucket, bucketName: bucket.name };
      // Where lists are enabled, each object's own may grant access.
      if (!areAclsEnabled(bucket.configurations.ownership)) {
        const object = { tags: [], acl: undefined };
        access.requirePossibleAllow({ ...on, object, actions: ["s3:GetObject", "s3:GetObjectVersion"] });
      }
      access.requireNotDenied({ ...on, actions: [ARCHIVE_ACTION] });
      const document = await readDocument(context.request, context.openBody(), LIST_MAX_BYTES);
      const members = await listedMembers(context, bucket, parseArchiveList(document));
      refuseListingParameters(context.request, false);
      refuseAnonymousOverrides(input, context.principal.kind === "anonymous");
      await refuseContradictions(context.request, context.inputs);
      return answer(context, format, input, bucket.name, members);
    },

    write: (response) => response,
  });
}

async function membersWithPrefix(context: Context, bucket: Bucket, prefix: string): Promise<ArchivedVersion[]> {
  const { archiveMaxReads } = context.settings;
  const members: ArchivedVersion[] = [];
  for (let from = prefix; ;) {
    const limit = Math.min(PAGE_KEYS, archiveMaxReads + 1 - members.length);
    const page = await context.database.look(lookUpPrefix(bucket.id, { prefix, from, limit }));
    for await (const version of withAttributes(context.database, bucket.id, page)) {
      authorizeMember(context, bucket, version, undefined);
      members.push(withoutAttributes(version));
    }
    const last = page.at(-1);
    if (members.length > archiveMaxReads) throw tooManyReads(archiveMaxReads);
    if (last === undefined || page.length < limit) return members;
    from = successorOf(last.key);
  }
}

async function listedMembers(
  context: Context,
  bucket: Bucket,
  listed: readonly ListedVersion[],
): Promise<ArchivedVersion[]> {
  if (listed.length > context.settings.archiveMaxReads) throw tooManyReads(context.settings.archiveMaxReads);
  const found = await context.database.look(lookUpListed(bucket.id, listed));
  const members: ArchivedVersion[] = [];
  for await (const version of withAttributes(context.database, bucket.id, found)) {
    const { key, versionId } = listed[members.length] ?? { key: "", versionId: undefined };
    const object = version === "delete marker" ? undefined : version;
    authorizeMember(context, bucket, object ?? { key }, versionId);
    if (object !== undefined) members.push(withoutAttributes(object));
    else if (versionId === undefined) throw new S3Error("NoSuchKey", { Key: key });
    else if (version === undefined) throw new S3Error("NoSuchVersion", { Key: key, VersionId: versionId });
    else throw new S3Error("InvalidRequest", { Key: key }, MARKER_MESSAGE);
  }
  return members;
}

/**
 * Requires what a GetObject of the member requires.
 * @throws S3Error AccessDenied {Key}, InvalidRequest {Key} for a member that a customer's key encrypts
 */
function authorizeMember(
  { access }: Context,
  bucket: Bucket,
  version: ArchivedVersion | { readonly key: string },
  versionId: string | undefined,
): void {
  const { key } = version;
  const object = "tags" in version ? version : undefined;
  try {
    access.requireAllowed({
      actions: [versionId === undefined ? "s3:GetObject" : "s3:GetObjectVersion"],
      bucket,
      bucketName: bucket.name,
      key,
      versionId,
      object,
      isMissing: object === undefined,
    });
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    throw new S3Error(error.code, { ...error.fields, Key: key }, error.message, error.headers);
  }
  if (object?.encryption === undefined) return;
  const message = "The object was stored using a customer-provided key, so an archive cannot contain it.";
  throw new S3Error("InvalidRequest", { Key: key }, message);
}

async function answer(
  context: Context,
  format: ArchiveFormat,
  request: ArchiveRequest,
  name: string,
  versions: readonly ArchivedVersion[],
): Promise<S3Response> {
  const slices = await slicesOf(context, versions);
  const members = membersOf(versions);
  const segments = (): Iterable<Segment> => (format === "zip" ? zipSegments(members) : tarSegments(members));
  const size = lengthOf(segments());
  const identities = members.map((member, index) => {
    const { blobId, manifestId } = versions[index] ?? {};
    return [member.name, member.size, Math.floor(member.modifiedAt / 1000), member.crc32, blobId ?? manifestId];
  });
  const etag = await archiveEtag(format, identities);
  const notModified = isNotModified(
    { ...request.conditions, ifModifiedSince: undefined, ifUnmodifiedSince: undefined },
    etag,
    0,
    context.now,
  );
  if (notModified) return { status: 304, headers: { etag: quoteEtag(etag) } };
  const range = isSameArchive(request.ifRange, etag) ? resolveRange(request.range, size) : undefined;
  const headers = archiveHeaders(format, request, { name, etag, size }, range);
  if (context.request.method === "HEAD") return { status: range === undefined ? 200 : 206, headers };
  const body = openArchive(
    segments(),
    range ?? { offset: 0, length: size },
    contentOpener({ ...context, verifyReads: context.settings.verifyReads }, versions, slices),
    (error) => {
      console.error(JSON.stringify({ level: "error", message: `an archive broke off: ${error.message}` }));
    },
  );
  return { status: range === undefined ? 200 : 206, headers, body };
}

/** @throws S3Error InvalidRequest for more reads of blobs, or longer names, than an archive may have */
async function slicesOf(
  { database, settings: { archiveMaxReads } }: Context,
  versions: readonly ArchivedVersion[],
): Promise<SlicesByManifest> {
  const ids = versions.flatMap(({ manifestId, size }) => (manifestId === undefined || size === 0 ? [] : [manifestId]));
  const slices = await readSlices(database, Array.from(new Set(ids)), archiveMaxReads);
  if (slices === undefined) throw tooManyReads(archiveMaxReads);
  let [reads, nameBytes] = [0, 0];
  for (const { key, manifestId = "" } of versions) {
    reads += slices.get(manifestId)?.length ?? 1;
    nameBytes += utf8Length(key);
  }
  if (reads > archiveMaxReads) throw tooManyReads(archiveMaxReads);
  if (nameBytes > NAMES_MAX_BYTES) {
    throw new S3Error(
      "InvalidRequest",
      {},
      `The keys of an archive's objects may have ${NAMES_MAX_BYTES} bytes in all.`,
    );
  }
  return slices;
}

function tooManyReads(limit: number): S3Error {
  const message = `An archive may contain ${limit} objects, and each part of a multipart object counts as one. Request several archives.`;
  return new S3Error("InvalidRequest", { MaxReadsAllowed: limit }, message);
}

function membersOf(versions: readonly ArchivedVersion[]): ArchiveMember[] {
  const names = archiveNames(versions);
  return versions.map(({ size, modifiedAt, checksum }, index) => {
    // The checksum of a composite is not that of the content.
    const isCrc = checksum?.algorithm === "CRC32" && checksum.type === "FULL_OBJECT";
    const crc = isCrc ? fromBase64(checksum.value) : undefined;
    const crc32 = crc?.length === 4 ? new DataView(crc.buffer, crc.byteOffset).getUint32(0) : undefined;
    return { name: names[index] ?? "", size, modifiedAt, crc32: size === 0 ? 0 : crc32 };
  });
}
