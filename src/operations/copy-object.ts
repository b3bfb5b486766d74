// CopyObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
// Moves no bytes: the new version references the source's blobs. The bytes are copied only when a customer's key encrypts
// the source or the copy, when the source's bucket is in another database, or for another checksum of a multipart object.
import { ownerOf } from "../auth/identity/principal.ts";
import { formatIsoDate } from "../bytes/dates.ts";
import { element } from "../bytes/xml.ts";
import type { Context } from "../contract/context.ts";
import { committedObject } from "../uploads/completed-object.ts";
import { ANNOTATION_ACTIONS, copiedAnnotations } from "../uploads/copied-annotations.ts";
import { copyContent, hasChecksum, type CopyContent } from "../uploads/copy-content.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { requireReadableSource, SOURCE_ACTIONS, UPLOAD_ACTIONS } from "../uploads/rights.ts";
import { checkUpload, readUploadHeaders, type CheckedUpload, type UploadHeaders } from "../uploads/upload-input.ts";
import { addressedObject } from "../protocol/core/addressing.ts";
import { checksumElement, readChecksumAlgorithm, type ChecksumAlgorithm } from "../protocol/core/checksums.ts";
import { readWriteConditions, type WriteConditions } from "../protocol/objects/conditions.ts";
import {
  ANNOTATION_DIRECTIVE,
  checkSourceConditions,
  namesOfSource,
  readAnnotationDirective,
  readCopySource,
  readDirective,
  type CopySource,
} from "../protocol/objects/copying.ts";
import {
  checkReadKey,
  encryptionHeaders,
  readSourceKey,
  type CustomerKey,
} from "../protocol/objects/customer-encryption.ts";
import { quoteEtag } from "../protocol/core/etag.ts";
import { expirationHeader } from "../protocol/lifecycle/lifecycle-times.ts";
import { copiedMetadata, redirectLocationOf, type ObjectMetadata } from "../protocol/objects/object-metadata.ts";
import { joinInputs, NEW_OBJECT, NO_RENAME, COPY_SOURCE, WRITE_CONDITIONS } from "../protocol/core/operation-inputs.ts";
import { S3Error, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { requestHeader } from "../protocol/core/s3-request.ts";
import { storedChecksum } from "../protocol/objects/sealed-checksums.ts";
import { shownVersionId } from "../protocol/objects/stored-object.ts";
import { requestTagKeys, type Tag } from "../protocol/core/tagging.ts";
import { versionHeaders } from "../protocol/objects/upload-headers.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { lookUpAnnotatedKeys } from "../state/metadata/annotation-copies.ts";
import { requireProof, storeProof } from "../state/metadata/completion-proofs.ts";
import { unlessMissing } from "../state/reads/byte-copy.ts";
import {
  lookUpCopyWithin,
  lookUpSource,
  type CopyFacts,
  type SourceFacts,
  type SourceVersion,
} from "../state/reads/copy-sources.ts";
import { lookUpBoth, type Lookup, type Statement } from "../state/d1/database.ts";
import { lookUpHeads, NO_HEAD, type KeyHead } from "../state/commit/heads.ts";

// More concurrent changes of the source than this within one copy mean contention.
const MAX_ATTEMPTS = 3;

export const copyObject = defineOperation({
  name: "CopyObject",
  actions: ["s3:PutObject"],
  route: { method: "PUT", level: "object", header: "x-amz-copy-source" },
  furtherActions: [
    ...SOURCE_ACTIONS,
    {
      action: "s3:GetObjectTagging",
      when: "on the source, to copy its tags (`s3:GetObjectVersionTagging` for a version)",
    },
    ...ANNOTATION_ACTIONS,
    ...UPLOAD_ACTIONS,
  ],
  inputs: joinInputs(NEW_OBJECT, COPY_SOURCE, WRITE_CONDITIONS, NO_RENAME, {
    query: [ANNOTATION_DIRECTIVE],
    headers: ["x-amz-checksum-algorithm", ANNOTATION_DIRECTIVE, "x-amz-metadata-directive", "x-amz-tagging-directive"],
  }),

  async read(request, settings): Promise<CopyInput> {
    const { bucket, key } = addressedObject(request.address);
    return {
      bucketName: bucket,
      key,
      source: readCopySource(request),
      metadataDirective: readDirective(request, "x-amz-metadata-directive"),
      taggingDirective: readDirective(request, "x-amz-tagging-directive"),
      annotationDirective: readAnnotationDirective(request),
      ...(await readUploadHeaders(request, settings)),
      namesStorageClass: requestHeader(request, "x-amz-storage-class") !== undefined,
      conditions: readWriteConditions(request),
      namesEncryption: requestHeader(request, "x-amz-server-side-encryption") !== undefined,
      sourceKey: await readSourceKey(request, settings.customerKeysOverHttp),
      checksumAlgorithm: readChecksumAlgorithm(request),
    };
  },

  lookUp: ({ bucketName, key, source }): Lookup<CopyFacts> => {
    const { literalKey } = source;
    const isCurrent = source.versionId === undefined && source.snapshot === undefined;
    if (source.bucketName === bucketName && isCurrent && literalKey === undefined) {
      return lookUpCopyWithin(bucketName, source.key, key);
    }
    const keys = [source.key, ...(literalKey === undefined ? [] : [literalKey])];
    return lookUpBoth(
      lookUpBoth(lookUpHeads(bucketName, [key]), lookUpSource(source)),
      lookUpAnnotatedKeys(source.bucketName, keys),
    );
  },
  conditionKeys: (input, { source }) =>
    new Map([
      ...requestTagKeys(tagsOfCopy(input, source.object?.tags ?? [])),
      ["s3:x-amz-copy-source", namesOfSource(input.source.bucketName, source.key)],
    ]),

  async run(context, input, { bucket, heads, source: firstFound, isAnnotated }) {
    const head = heads.get(input.key) ?? NO_HEAD;
    const database = context.databaseOf(input.source.bucketName);
    let found = firstFound;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const copy = await checkCopy(context, bucket, head, input, found);
      const from = { original: copy.original, sourceKey: input.sourceKey, database };
      const target = { key: input.key, observedHead: head, checksumAlgorithm: input.checksumAlgorithm };
      const { versionId, snapshot } = input.source;
      const isVersion = versionId !== undefined || snapshot !== undefined;
      // A key that had no annotations may have them by now.
      const mayHaveAnnotations = input.annotationDirective === "COPY" && (isAnnotated || attempt > 0);
      const hasCustomerKey = copy.encryption !== undefined;
      const annotations = mayHaveAnnotations
        ? await copiedAnnotations(
            context,
            { database, original: copy.original, facts: found, isVersion },
            { bucket, key: input.key, hasCustomerKey },
          )
        : [];
      const bytes = await unlessMissing(attempt === MAX_ATTEMPTS - 1, async () =>
        copyContent(context, bucket, from, { ...copy, ...target }),
      );
      const outcome =
        bytes === "source changed" ? bytes : await commitCopy(context, bucket, head, input, copy, bytes, annotations);
      if (outcome !== "source changed") return outcome;
      const { source } = input;
      found = (await database.look(lookUpSource({ ...source, key: found.key, literalKey: undefined }))).source;
    }
    throw new S3Error("ServiceUnavailable");
  },

  write: ({ outcome, object, original, isSourceVersioned, expiration }, { customerKey }): S3Response => {
    const { checksum } = object;
    return {
      status: 200,
      headers: {
        ...versionHeaders(outcome.versionId, outcome.isNullVersion),
        ...expiration,
        ...(isSourceVersioned ? { "x-amz-copy-source-version-id": shownVersionId(original) } : {}),
        ...encryptionHeaders(customerKey),
      },
      body: element(
        "CopyObjectResult",
        [
          element("LastModified", formatIsoDate(outcome.modifiedAt)),
          element("ETag", quoteEtag(object.etag)),
          checksum === undefined ? undefined : element(checksumElement(checksum.algorithm), checksum.value),
          checksum === undefined ? undefined : element("ChecksumType", checksum.type),
        ],
        { xmlns: S3_NAMESPACE },
      ),
    };
  },
});

interface CopyInput extends UploadHeaders {
  readonly bucketName: string;
  readonly key: string;
  readonly source: CopySource;
  readonly metadataDirective: "COPY" | "REPLACE";
  readonly taggingDirective: "COPY" | "REPLACE";
  readonly annotationDirective: "COPY" | "EXCLUDE";
  readonly namesStorageClass: boolean;
  readonly conditions: WriteConditions;
  readonly namesEncryption: boolean;
  readonly sourceKey: CustomerKey | undefined;
  /** The algorithm of the copy's checksum; undefined: the source's. */
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
}

/** A checked copy: the version that it copies and the properties of the new one. */
interface CheckedCopy extends CheckedUpload {
  readonly original: SourceVersion;
  readonly metadata: ObjectMetadata;
  readonly tags: readonly Tag[];
}

/** Checks the rights and conditions of the source, then of the destination. */
async function checkCopy(
  context: Context,
  bucket: Bucket,
  head: KeyHead,
  input: CopyInput,
  found: SourceFacts,
): Promise<CheckedCopy> {
  const { key, acl, conditions, customerKey, lock } = input;
  const original = requireReadableSource(context, input.source, found, input.taggingDirective === "COPY");
  await checkReadKey(original.encryption, input.sourceKey);
  checkSourceConditions(context.request, original, context.now);
  const tags = tagsOfCopy(input, original.tags);
  const checked = await checkUpload(context, bucket, { key, tags, acl, customerKey, lock, conditions, head });
  refuseUnchangedCopy(bucket, input, original, checked);
  const metadata = input.metadataDirective === "COPY" ? copiedMetadata(original, input.metadata) : input.metadata;
  return { original, metadata, tags, ...checked };
}

/** @throws S3Error InvalidRequest for a copy of an object to itself that changes nothing */
function refuseUnchangedCopy(
  bucket: Bucket,
  { key, source, metadata, metadataDirective, namesStorageClass, namesEncryption, checksumAlgorithm }: CopyInput,
  original: SourceVersion,
  { encryption }: CheckedUpload,
): void {
  const isItself =
    source.bucketName === bucket.name &&
    original.key === key &&
    source.versionId === undefined &&
    source.snapshot === undefined;
  const isReencrypted = namesEncryption || encryption !== undefined || original.encryption !== undefined;
  const isRedirected = redirectLocationOf(metadata) !== undefined;
  if (!hasChecksum(original.checksum, checksumAlgorithm)) return;
  if (!isItself || metadataDirective !== "COPY" || namesStorageClass || isRedirected || isReencrypted) return;
  throw new S3Error(
    "InvalidRequest",
    {},
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

/** Commits a copy unless its source has changed since the lookup. */
async function commitCopy(
  context: Context,
  bucket: Bucket,
  head: KeyHead,
  { key, conditions, storageClass }: CopyInput,
  { original, metadata, tags, acl, encryption, lock }: CheckedCopy,
  { content, newBlobIds, statements, manifest }: CopyContent,
  annotations: readonly Statement[],
) {
  const object = {
    ...metadata,
    ...content,
    ownerId: ownerOf(context.principal),
    storageClass,
    tags,
    acl,
    encryption: encryption?.keyVerifier,
    ...lock,
  };
  const stored = { ...object, checksum: await storedChecksum(object.checksum, encryption) };
  const readKeys = original.bucketId === bucket.id ? [original.key] : [];
  const further = { before: statements, after: annotations, readKeys };
  const change = { key, observedHead: head, conditions, object: stored, newBlobIds, ...further };
  const outcome = await context.coordinators.put(bucket, change);
  if (outcome.isDone) {
    const { versionId, isNullVersion, modifiedAt } = outcome;
    if (manifest !== undefined && versionId !== undefined) {
      const committed = committedObject(stored, bucket, { key, versionId, isNullVersion, modifiedAt });
      await requireProof(storeProof(context.blobs, bucket, { object: committed, ...manifest }, head));
    }
    const made = { key, size: object.size, tags, modifiedAt };
    const expiration = expirationHeader(bucket.configurations.lifecycle, made);
    return { outcome, object, original, isSourceVersioned: original.isInVersionedBucket, expiration };
  }
  // After a definite refusal no row can reference the new blobs.
  if (outcome.isDefinite && newBlobIds.length > 0) context.waitUntil(context.blobs.delete(newBlobIds));
  if (outcome.reason === "source changed") return outcome.reason;
  const { code, fields } = outcome.refusal;
  throw context.access.maskNotFound(new S3Error(code, fields), bucket, key);
}

/** The tags of a copy: the source's, unless the request replaces them. */
function tagsOfCopy(
  { taggingDirective, tags }: { readonly taggingDirective: "COPY" | "REPLACE"; readonly tags: readonly Tag[] },
  ofSource: readonly Tag[],
): readonly Tag[] {
  return taggingDirective === "COPY" ? ofSource : tags;
}
