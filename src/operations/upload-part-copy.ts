// UploadPartCopy: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
// Moves no bytes: the part references the source's blobs and lists the byte ranges that it uses. The bytes are copied only
// when a customer's key encrypts the source or the upload, or when the source's bucket is in another database.
import { keysOfUpload } from "../auth/access/object-keys.ts";
import { formatIsoDate } from "../bytes/dates.ts";
import { timeOrderedId } from "../bytes/random-id.ts";
import { element, type XmlElement } from "../bytes/xml.ts";
import type { Context } from "../contract/context.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { requireReadableSource, SOURCE_ACTIONS } from "../uploads/rights.ts";
import { lockRecord } from "../protocol/objects/object-lock-configuration.ts";
import { recoveryMetadata } from "../protocol/objects/recovery-metadata.ts";
import { checksumElement, DEFAULT_ALGORITHM } from "../protocol/core/checksums.ts";
import { identityOfRange } from "../protocol/objects/copied-part.ts";
import { checkSourceConditions, namesOfSource, readCopyRange, readCopySource } from "../protocol/objects/copying.ts";
import {
  checkReadKey,
  encryptionHeaders,
  readSourceKey,
  type CustomerKey,
} from "../protocol/objects/customer-encryption.ts";
import { quoteEtag } from "../protocol/core/etag.ts";
import { PART_MAX_BYTES } from "../protocol/objects/multipart.ts";
import { NO_RENAME, joinInputs, COPY_SOURCE, CUSTOMER_KEY } from "../protocol/core/operation-inputs.ts";
import type { ByteRange } from "../protocol/core/range.ts";
import { S3Error, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import type { ObjectPart } from "../protocol/objects/object-reading.ts";
import { shownVersionId } from "../protocol/objects/stored-object.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { copyRange, unlessMissing } from "../state/reads/byte-copy.ts";
import { isSmallBlobId } from "../state/blobs/small-blobs.ts";
import { lookUpSource, type SourceVersion } from "../state/reads/copy-sources.ts";
import { lookUpBoth, type Database, type Statement } from "../state/d1/database.ts";
import { addReference } from "../state/metadata/blob-references.ts";
import { lookUpRange } from "../state/metadata/manifest-reads.ts";
import { cutSlices } from "../state/reads/object-bytes.ts";
import { unavailable } from "../state/commit/commit.ts";
import { guardOrigin } from "../uploads/copy-content.ts";
import { checkPartUpload, readPartInput, type PartInput, storedPartChecksum } from "../uploads/part-input.ts";
import { commitPart } from "../state/writes/part-commit.ts";
import type { Part, PartSlice } from "../state/metadata/parts.ts";
import { lookUpUpload, type Upload } from "../state/metadata/uploads.ts";

const MAX_ATTEMPTS = 3;

/**
 * The most slices that a part's row lists, which may take 2 MB. 5 GiB of an object with parts of 5 MiB are 1025 slices.
 * Only repeated copies of small ranges have more, and their bytes are copied into one blob.
 */
const MAX_SHARED_SLICES = 2000;

export const uploadPartCopy = defineOperation({
  name: "UploadPartCopy",
  actions: ["s3:PutObject"],
  route: { method: "PUT", level: "object", query: ["uploadId"], header: "x-amz-copy-source" },
  furtherActions: SOURCE_ACTIONS,
  createsObject: false,
  inputs: joinInputs(COPY_SOURCE, CUSTOMER_KEY, NO_RENAME, {
    query: ["partNumber"],
    headers: ["x-amz-copy-source-range"],
  }),

  read: async (request, settings) => ({
    ...(await readPartInput(request, settings)),
    source: readCopySource(request),
    sourceKey: await readSourceKey(request, settings.customerKeysOverHttp),
  }),

  lookUp: ({ bucketName, key, uploadId, source }) =>
    lookUpBoth(lookUpUpload(bucketName, key, uploadId), lookUpSource(source)),
  conditionKeys: (input, { upload, source }) =>
    new Map([...keysOfUpload(upload), ["s3:x-amz-copy-source", namesOfSource(input.source.bucketName, source.key)]]),

  async run(context, input, facts) {
    const { source } = input;
    const { bucket } = facts;
    const upload = await checkPartUpload(bucket, facts.upload, input);
    const database = context.databaseOf(source.bucketName);
    let found = facts.source;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const original = requireReadableSource(context, source, found, false);
      const range = await checkRange(context, input, original);
      const from = { original, range, sourceKey: input.sourceKey, database };
      const content = await unlessMissing(attempt === MAX_ATTEMPTS - 1, async () =>
        partContent(context, bucket, from, upload, input),
      );
      const guards = guardOrigin(context, database, original);
      const part =
        content === "source changed"
          ? content
          : await commitCopiedPart(context, bucket, upload, guards, content, input.customerKey);
      if (part !== "source changed") return { part, original };
      found = (await database.look(lookUpSource({ ...source, key: found.key, literalKey: undefined }))).source;
    }
    throw new S3Error("ServiceUnavailable");
  },

  write: ({ part, original }, { customerKey }): S3Response => ({
    status: 200,
    headers: {
      ...(original.isInVersionedBucket ? { "x-amz-copy-source-version-id": shownVersionId(original) } : {}),
      ...encryptionHeaders(customerKey),
    },
    body: element(
      "CopyPartResult",
      [
        element("LastModified", formatIsoDate(part.modifiedAt)),
        element("ETag", quoteEtag(part.etag)),
        checksumOf(part),
      ],
      { xmlns: S3_NAMESPACE },
    ),
  }),
});

/** The version and range that a part copies. */
interface RangeSource {
  readonly original: SourceVersion;
  readonly range: ByteRange;
  readonly sourceKey: CustomerKey | undefined;
  /** The database of the source's bucket. */
  readonly database: Database;
}

/** A part without a commit, and the statements that reference its blobs; none for a blob of its own. */
interface PartContent {
  readonly part: Part;
  readonly statements: readonly Statement[];
}

/** Returns the range to copy, after checking the source's key and conditions. @throws S3Error EntityTooLarge */
async function checkRange(
  { request, now }: Context,
  { sourceKey }: Pick<RangeSource, "sourceKey">,
  original: SourceVersion,
): Promise<ByteRange> {
  await checkReadKey(original.encryption, sourceKey);
  checkSourceConditions(request, original, now);
  const range = readCopyRange(request, original.size) ?? { offset: 0, length: original.size };
  if (range.length <= PART_MAX_BYTES) return range;
  throw new S3Error("EntityTooLarge", { ProposedSize: range.length, MaxSizeAllowed: PART_MAX_BYTES });
}

/** References the source's blobs if possible; otherwise copies the bytes. */
async function partContent(
  context: Context,
  bucket: Bucket,
  from: RangeSource,
  upload: Upload,
  { partNumber, customerKey }: Pick<PartInput, "partNumber" | "customerKey">,
): Promise<PartContent> {
  const { original, range, database } = from;
  const isEncrypted = original.encryption !== undefined || upload.encryption !== undefined;
  // References do not cross databases.
  const isShareable = !isEncrypted && database === context.database;
  const shared = isShareable ? await share(database, original, range, upload) : undefined;
  const { content, statements } =
    shared ?? (await duplicate(context, bucket, from, { upload, partNumber, customerKey }));
  return { part: { partNumber, size: range.length, modifiedAt: context.now, ...content }, statements };
}

/** Commits a part unless its source has changed since the lookup. @throws S3Error NoSuchUpload, ServiceUnavailable */
async function commitCopiedPart(
  context: Context,
  bucket: Bucket,
  upload: Upload,
  guards: readonly Statement[],
  { part, statements }: PartContent,
  customerKey: CustomerKey | undefined,
): Promise<Part | "source changed"> {
  const stored = { ...part, checksum: await storedPartChecksum(upload, customerKey, part.checksum) };
  const outcome = await commitPart(context.database, bucket, upload, stored, [...guards, ...statements]);
  if (outcome === "applied") return part;
  // After a definite refusal no row can reference a blob of the part's own.
  if (outcome !== "unknown" && statements.length === 0) context.waitUntil(context.blobs.delete([part.referenceId]));
  if (outcome === "upload gone") throw new S3Error("NoSuchUpload", { UploadId: upload.uploadId });
  if (outcome !== "source changed") throw new S3Error(unavailable(outcome));
  return outcome;
}

/** The columns of a part's bytes, and the statements that reference its blobs. */
interface StoredContent {
  readonly content: Omit<Part, "partNumber" | "size" | "modifiedAt">;
  readonly statements: readonly Statement[];
}

/** References the source's blobs; undefined when the range has too many slices, or some in a small blob. */
async function share(
  database: Database,
  original: SourceVersion,
  range: ByteRange,
  upload: Upload,
): Promise<StoredContent | undefined> {
  const { slices, parts } = await rangeOf(database, original, range);
  if (slices.length > MAX_SHARED_SLICES) return undefined;
  // A read looks up the row of each small blob, and an object may have more parts than D1 takes queries.
  if (slices.some(({ blobId }) => isSmallBlobId(blobId))) return undefined;
  const content = {
    referenceId: original.referenceId,
    slices,
    isWholeBlob: original.blobId !== undefined && range.length === original.size,
    ...(await identityOfRange(original, range, parts, upload.checksumAlgorithm ?? DEFAULT_ALGORITHM)),
  };
  return { content, statements: [addReference(original.referenceId)] };
}

async function duplicate(
  { blobs, now }: Context,
  bucket: Bucket,
  from: RangeSource,
  to: { readonly upload: Upload; readonly partNumber: number; readonly customerKey: CustomerKey | undefined },
): Promise<StoredContent> {
  const { upload, partNumber, customerKey } = to;
  const { key, uploadId, tags, encryption } = upload;
  const origin = { bucketId: bucket.id, bucketName: bucket.name, key, uploadId, partNumber, metadata: upload, tags };
  const blobId = `${bucket.id}/${timeOrderedId(now)}`;
  const destination = {
    blobId,
    recoveryMetadata: recoveryMetadata({
      ...origin,
      encryption,
      lock: lockRecord(upload, bucket.configurations.object_lock),
    }),
    customerKey,
    encryption,
  };
  const source = { database: from.database, blobs, object: from.original, key: from.sourceKey };
  const algorithm = upload.checksumAlgorithm ?? DEFAULT_ALGORITHM;
  const { size, etag, checksum } = await copyRange(source, from.range, destination, algorithm);
  const slices = [{ blobId, offset: 0, length: size }];
  const identity = { etag, checksumAlgorithm: checksum.algorithm, checksum: checksum.value };
  return { content: { referenceId: blobId, slices, isWholeBlob: true, ...identity }, statements: [] };
}

/** The slices of the source's blobs that make up a range, and the source's parts that lie in it. */
async function rangeOf(
  database: Database,
  { blobId, manifestId, referenceId }: SourceVersion,
  range: ByteRange,
): Promise<{ readonly slices: PartSlice[]; readonly parts: readonly ObjectPart[] }> {
  if (blobId !== undefined || manifestId === undefined) {
    return { slices: [{ blobId: blobId ?? referenceId, offset: range.offset, length: range.length }], parts: [] };
  }
  const { slices, parts } = await database.look(lookUpRange(manifestId, range));
  const cut = cutSlices(slices, range).map(({ blobId: blob, range: { offset, length } }) => ({
    blobId: blob,
    offset,
    length,
  }));
  return { slices: cut, parts };
}

function checksumOf({ checksumAlgorithm, checksum }: Part): XmlElement | undefined {
  if (checksumAlgorithm === undefined || checksum === undefined) return undefined;
  return element(checksumElement(checksumAlgorithm), checksum);
}
