// UploadPartCopy: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
// Moves no bytes: the part holds what the source holds, and remembers which bytes of it are its own. But where a
// customer's key encrypts either of them, the bytes are copied.
import { keysOfUpload } from "../auth/access/object-keys.ts";
import { formatIsoDate } from "../bytes/dates.ts";
import { digest } from "../bytes/digest.ts";
import { toHex } from "../bytes/hex-base64.ts";
import { timeOrderedId } from "../bytes/random-id.ts";
import { utf8 } from "../bytes/text.ts";
import { element, type XmlElement } from "../bytes/xml.ts";
import type { Context } from "../contract/context.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { requireReadableSource, SOURCE_ACTIONS } from "../uploads/rights.ts";
import { recoveryMetadata } from "../protocol/objects/recovery-metadata.ts";
import { checksumElement, DEFAULT_ALGORITHM } from "../protocol/core/checksums.ts";
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
import { shownVersionId } from "../protocol/objects/stored-object.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { copyRange } from "../state/reads/byte-copy.ts";
import { guardSource, lookUpSource, type SourceVersion } from "../state/reads/copy-sources.ts";
import { lookUpBoth, type Database, type Statement } from "../state/d1/database.ts";
import { addReference } from "../state/metadata/blob-references.ts";
import { lookUpSlices } from "../state/metadata/manifest-reads.ts";
import { cutSlices } from "../state/reads/object-bytes.ts";
import { unavailable } from "../state/commit/commit.ts";
import { checkPartUpload, readPartInput } from "../uploads/part-input.ts";
import { commitPart } from "../state/writes/part-commit.ts";
import type { Part, PartSlice } from "../state/metadata/parts.ts";
import { lookUpUpload, type Upload } from "../state/metadata/uploads.ts";

const SOURCE_TURNS = 3;

/**
 * A part lists its pieces in its row, which may have 2 MB. 5 GiB of an object whose parts have 5 MiB are 1025 pieces; only
 * copies of copies, made of ever smaller pieces, have more, and their bytes are put together in a blob again.
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
    const { source, uploadId, partNumber, sourceKey, customerKey } = input;
    const { bucket } = facts;
    const upload = await checkPartUpload(bucket, facts.upload, input);
    let found = facts.source;
    for (let turn = 0; turn < SOURCE_TURNS; turn += 1) {
      const original = requireReadableSource(context, source, found, false);
      await checkReadKey(original.encryption, sourceKey);
      checkSourceConditions(context.request, original, context.now);
      const range = readCopyRange(context.request, original.size) ?? { offset: 0, length: original.size };
      if (range.length > PART_MAX_BYTES) {
        throw new S3Error("EntityTooLarge", { ProposedSize: range.length, MaxSizeAllowed: PART_MAX_BYTES });
      }
      const isEncrypted = original.encryption !== undefined || upload.encryption !== undefined;
      const shared = isEncrypted ? undefined : await share(context.database, original, range, upload);
      const { content, statements } =
        shared ??
        (await duplicate(context, bucket, { original, sourceKey, range }, { upload, partNumber, customerKey }));
      const part: Part = { partNumber, size: range.length, modifiedAt: context.now, ...content };
      const guards = [guardSource(original), ...statements];
      const outcome = await commitPart(context.database, bucket, upload, part, guards);
      if (outcome === "applied") return { part, original };
      // Refused for certain, a blob of the part's own is nobody's.
      const isDefinite = outcome !== "unknown";
      if (isDefinite && statements.length === 0) context.waitUntil(context.blobs.delete([part.referenceId]));
      if (outcome === "upload gone") throw new S3Error("NoSuchUpload", { UploadId: uploadId });
      if (outcome !== "source changed") throw new S3Error(unavailable(outcome));
      found = (await context.database.look(lookUpSource({ ...source, key: found.key, literalKey: undefined }))).source;
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

/** The bytes of a part: what its row says of them, and what makes them its own in the commit's batch. */
interface PartContent {
  readonly content: Omit<Part, "partNumber" | "size" | "modifiedAt">;
  readonly statements: readonly Statement[];
}

/** Shares the source's blobs; undefined where the range is in too many pieces for that. */
async function share(
  database: Database,
  original: SourceVersion,
  range: ByteRange,
  upload: Upload,
): Promise<PartContent | undefined> {
  const slices = await slicesOf(database, original, range);
  if (slices.length > MAX_SHARED_SLICES) return undefined;
  const content = {
    referenceId: original.referenceId,
    slices,
    isWholeBlob: original.blobId !== undefined && range.length === original.size,
    ...(await identityOf(original, range, upload)),
  };
  return { content, statements: [addReference(original.referenceId)] };
}

async function duplicate(
  { database, blobs, now }: Context,
  bucket: Bucket,
  from: { readonly original: SourceVersion; readonly sourceKey: CustomerKey | undefined; readonly range: ByteRange },
  to: { readonly upload: Upload; readonly partNumber: number; readonly customerKey: CustomerKey | undefined },
): Promise<PartContent> {
  const { upload, partNumber, customerKey } = to;
  const { key, uploadId, tags, encryption } = upload;
  const born = { bucketId: bucket.id, bucketName: bucket.name, key, uploadId, partNumber, metadata: upload, tags };
  const blobId = `${bucket.id}/${timeOrderedId(now)}`;
  const destination = { blobId, recoveryMetadata: recoveryMetadata({ ...born, encryption }), customerKey, encryption };
  const source = { database, blobs, object: from.original, key: from.sourceKey };
  const kept = upload.checksumAlgorithm ?? DEFAULT_ALGORITHM;
  const { size, etag, checksum } = await copyRange(source, from.range, destination, kept);
  const slices = [{ blobId, offset: 0, length: size }];
  const identity = { etag, checksumAlgorithm: checksum.algorithm, checksum: checksum.value };
  return { content: { referenceId: blobId, slices, isWholeBlob: true, ...identity }, statements: [] };
}

/** The bytes of a range of the source, in the blobs where they are. */
async function slicesOf(database: Database, source: SourceVersion, range: ByteRange): Promise<PartSlice[]> {
  const { blobId, manifestId } = source;
  if (blobId !== undefined || manifestId === undefined) {
    return [{ blobId: blobId ?? source.referenceId, offset: range.offset, length: range.length }];
  }
  const last = range.offset + range.length - 1;
  const slices = await database.look(lookUpSlices(manifestId, { kind: "bytes", first: range.offset, last }));
  return cutSlices(slices, range).map(({ blobId: blob, range: { offset, length } }) => ({
    blobId: blob,
    offset,
    length,
  }));
}

/**
 * A copied part's ETag and checksum: the source's own where the part is all of a source that was uploaded in one
 * piece. Otherwise the bytes would have to be read to know their MD5; the ETag is then as unique as one.
 */
async function identityOf(
  { etag, checksum, size, versionId }: SourceVersion,
  { offset, length }: ByteRange,
  upload: Upload,
): Promise<Pick<Part, "etag" | "checksumAlgorithm" | "checksum">> {
  const isWhole = length === size && !etag.includes("-");
  const text = utf8(`${versionId} ${offset} ${length}`);
  const partEtag = isWhole ? etag : toHex(await digest("SHA-256", text)).slice(0, 32);
  const isKnown = isWhole && checksum?.type === "FULL_OBJECT";
  if (!isKnown || (upload.checksumAlgorithm ?? "CRC64NVME") !== checksum.algorithm) {
    return { etag: partEtag, checksumAlgorithm: undefined, checksum: undefined };
  }
  return { etag: partEtag, checksumAlgorithm: checksum.algorithm, checksum: checksum.value };
}

function checksumOf({ checksumAlgorithm, checksum }: Part): XmlElement | undefined {
  if (checksumAlgorithm === undefined || checksum === undefined) return undefined;
  return element(checksumElement(checksumAlgorithm), checksum);
}
