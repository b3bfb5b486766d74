// CopyObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
// Moves no bytes, whatever the size: the new version holds what the source holds. But where a customer's key encrypts
// either of them, the bytes are copied.
import { ownerOf } from "../auth/identity/principal.ts";
import { formatIsoDate } from "../bytes/dates.ts";
import { timeOrderedId } from "../bytes/random-id.ts";
import { element } from "../bytes/xml.ts";
import { admitUploadAcl } from "../uploads/acl-input.ts";
import type { Context } from "../contract/context.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { requireReadableSource, requireUploadRights, SOURCE_ACTIONS, UPLOAD_ACTIONS } from "../uploads/rights.ts";
import { readAclHeaders } from "../protocol/acl/acl-headers.ts";
import { addressedObject } from "../protocol/core/addressing.ts";
import { recoveryMetadata } from "../protocol/objects/recovery-metadata.ts";
import { admitCustomerKey } from "../protocol/buckets/bucket-encryption.ts";
import { checksumElement, DEFAULT_ALGORITHM, type ObjectChecksum } from "../protocol/core/checksums.ts";
import { readWriteConditions, refuseWrite, type WriteRefusal } from "../protocol/objects/conditions.ts";
import { checkSourceConditions, namesOfSource, readCopySource, readDirective } from "../protocol/objects/copying.ts";
import {
  checkReadKey,
  encryptionHeaders,
  readCustomerKey,
  readSourceKey,
  type CustomerKey,
  type NewEncryption,
} from "../protocol/objects/customer-encryption.ts";
import { quoteEtag } from "../protocol/core/etag.ts";
import { expirationHeader } from "../protocol/lifecycle/lifecycle-times.ts";
import { readMetadata, type ObjectMetadata } from "../protocol/objects/object-metadata.ts";
import { joinInputs, NEW_OBJECT, NO_RENAME, COPY_SOURCE, WRITE_CONDITIONS } from "../protocol/core/operation-inputs.ts";
import { S3Error, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { requestHeader } from "../protocol/core/s3-request.ts";
import { shownVersionId } from "../protocol/objects/stored-object.ts";
import { parseTaggingHeader, type Tag, requestTagKeys } from "../protocol/core/tagging.ts";
import { readStorageClass, refuseUnsupportedHeaders, versionHeaders } from "../protocol/objects/upload-headers.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { copyBytes } from "../state/reads/byte-copy.ts";
import { requireProof, storeProof } from "../state/metadata/completion-proofs.ts";
import { guardSource, lookUpSource, type SourceVersion } from "../state/reads/copy-sources.ts";
import { lookUpBoth, type Statement } from "../state/d1/database.ts";
import { lookUpHeads, NO_HEAD, type KeyHead } from "../state/commit/heads.ts";
import { addReference } from "../state/metadata/blob-references.ts";
import { insertManifest, type Manifest } from "../state/metadata/manifests.ts";

// A source that changes as often as this under one copy is being fought over.
const SOURCE_TURNS = 3;

export const copyObject = defineOperation({
  name: "CopyObject",
  actions: ["s3:PutObject"],
  route: { method: "PUT", level: "object", header: "x-amz-copy-source" },
  furtherActions: [
    ...SOURCE_ACTIONS,
    {
      action: "s3:GetObjectTagging",
      when: "on the source (of a version s3:GetObjectVersionTagging), to copy its tags",
    },
    ...UPLOAD_ACTIONS,
  ],
  inputs: joinInputs(NEW_OBJECT, COPY_SOURCE, WRITE_CONDITIONS, NO_RENAME, {
    headers: ["x-amz-metadata-directive", "x-amz-tagging-directive"],
  }),

  async read(request, { accountId, customerKeysOverHttp }) {
    const { bucket, key } = addressedObject(request.address);
    refuseUnsupportedHeaders(request);
    const storageClass = requestHeader(request, "x-amz-storage-class");
    return {
      bucketName: bucket,
      key,
      source: readCopySource(request),
      metadataDirective: readDirective(request, "x-amz-metadata-directive"),
      taggingDirective: readDirective(request, "x-amz-tagging-directive"),
      metadata: readMetadata(request),
      tags: parseTaggingHeader(requestHeader(request, "x-amz-tagging")),
      storageClass: storageClass === undefined ? undefined : readStorageClass(request),
      acl: readAclHeaders(request, accountId, "object"),
      conditions: readWriteConditions(request),
      namesEncryption: requestHeader(request, "x-amz-server-side-encryption") !== undefined,
      sourceKey: await readSourceKey(request, customerKeysOverHttp),
      customerKey: await readCustomerKey(request, customerKeysOverHttp),
    };
  },

  lookUp: ({ bucketName, key, source }) => lookUpBoth(lookUpHeads(bucketName, [key]), lookUpSource(source)),
  conditionKeys: (input, { source }) =>
    new Map([
      ...requestTagKeys(tagsOfCopy(input, source.object?.tags ?? [])),
      ["s3:x-amz-copy-source", namesOfSource(input.source.bucketName, source.key)],
    ]),

  async run(context, input, facts) {
    const { key, source, conditions } = input;
    const { bucket, heads } = facts;
    const seen = heads.get(key) ?? NO_HEAD;
    const acl = admitUploadAcl(context, bucket, key, input.acl);
    const encryption = await admitCustomerKey(bucket.configurations.encryption, input.customerKey);
    let found = facts.source;
    for (let turn = 0; turn < SOURCE_TURNS; turn += 1) {
      const original = requireReadableSource(context, source, found, input.taggingDirective === "COPY");
      const tags = tagsOfCopy(input, original.tags);
      requireUploadRights(context, bucket, key, { tags, conditions, current: seen.subject });
      await checkReadKey(original.encryption, input.sourceKey);
      checkSourceConditions(context.request, original, context.now);
      const refusal = refuseWrite(conditions, key, seen.current, seen.current);
      if (refusal !== undefined) throw refusedWrite(context, bucket, key, refusal);
      const isItself =
        source.bucketName === bucket.name &&
        original.key === key &&
        source.versionId === undefined &&
        source.snapshot === undefined;
      const isReencrypted = input.namesEncryption || encryption !== undefined || original.encryption !== undefined;
      if (isItself && input.metadataDirective === "COPY" && input.storageClass === undefined && !isReencrypted) {
        throw new S3Error(
          "InvalidRequest",
          {},
          "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        );
      }
      const { contentType, systemMetadata, userMetadata } =
        input.metadataDirective === "COPY" ? original : input.metadata;
      const metadata = { contentType, systemMetadata, userMetadata };
      const { content, newBlobIds, statements, manifest } =
        original.encryption === undefined && encryption === undefined
          ? share(original)
          : await duplicate(context, bucket, original, input.sourceKey, { key, seen, metadata, tags, encryption });
      const object = {
        ...metadata,
        ...content,
        ownerId: ownerOf(context.principal),
        storageClass: input.storageClass ?? "STANDARD",
        tags,
        acl,
        encryption: encryption?.recognition,
      };
      const outcome = await context.coordinators.put(bucket, {
        key,
        seen,
        conditions,
        object,
        newBlobIds,
        before: [guardSource(original), ...statements],
      });
      if (outcome.isDone) {
        const { versionId, isNullVersion, modifiedAt } = outcome;
        if (manifest !== undefined && versionId !== undefined) {
          const committed = { ...object, key, versionId, isNullVersion, modifiedAt };
          await requireProof(storeProof(context.blobs, bucket, { object: committed, ...manifest }, seen));
        }
        const made = { key, size: object.size, tags, modifiedAt: outcome.modifiedAt };
        const expiration = expirationHeader(bucket.configurations.lifecycle, made);
        return { outcome, object, original, isSourceVersioned: original.isInVersionedBucket, expiration };
      }
      // Only a definite refusal leaves the blobs certain to be nobody's.
      if (outcome.isDefinite && newBlobIds.length > 0) context.waitUntil(context.blobs.delete(newBlobIds));
      if (outcome.reason !== "source changed") throw refusedWrite(context, bucket, key, outcome.refusal);
      found = (await context.database.look(lookUpSource({ ...source, key: found.key, literalKey: undefined }))).source;
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

/** The tags that a copy sets: its source's, unless the request replaces them. */
function tagsOfCopy(
  { taggingDirective, tags }: { readonly taggingDirective: "COPY" | "REPLACE"; readonly tags: readonly Tag[] },
  ofSource: readonly Tag[],
): readonly Tag[] {
  return taggingDirective === "COPY" ? ofSource : tags;
}

/** What is said of the destination; of a key that is not there, only what the caller may know. */
function refusedWrite({ access }: Context, bucket: Bucket, key: string, { code, fields }: WriteRefusal): S3Error {
  return access.maskNotFound(new S3Error(code, fields), bucket, key);
}

/** The bytes of a copy: what its row says of them, and what makes them its own in the commit's batch. */
interface CopyContent {
  readonly content: {
    readonly size: number;
    readonly etag: string;
    readonly checksum: ObjectChecksum | undefined;
    readonly blobId: string | undefined;
    readonly manifestId: string | undefined;
  };
  readonly newBlobIds: readonly string[];
  readonly statements: readonly Statement[];
  /** Of bytes that were copied into several blobs. */
  readonly manifest: Manifest | undefined;
}

function share({ size, etag, checksum, blobId, manifestId, referenceId }: SourceVersion): CopyContent {
  return {
    content: { size, etag, checksum, blobId, manifestId },
    newBlobIds: [],
    statements: [addReference(referenceId)],
    manifest: undefined,
  };
}

/** What the copy's blobs are born as. */
interface Copy {
  readonly key: string;
  readonly seen: KeyHead;
  readonly metadata: ObjectMetadata;
  readonly tags: readonly Tag[];
  readonly encryption: NewEncryption | undefined;
}

async function duplicate(
  { database, blobs, now }: Context,
  bucket: Bucket,
  original: SourceVersion,
  sourceKey: CustomerKey | undefined,
  { key, seen, metadata, tags, encryption }: Copy,
): Promise<CopyContent> {
  const copyId = timeOrderedId(now);
  const born = {
    bucketId: bucket.id,
    bucketName: bucket.name,
    key,
    seen,
    metadata,
    tags,
    encryption: encryption?.recognition,
  };
  const source = { database, blobs, object: original, key: sourceKey };
  const copied = await copyBytes(
    source,
    `${bucket.id}/${copyId}`,
    (partNumber) => ({
      blobId: `${bucket.id}/${timeOrderedId(now)}`,
      // Of several, each is found by the manifest, as a part of an upload would be.
      recoveryMetadata: recoveryMetadata(
        partNumber === undefined ? born : { ...born, role: "slice", uploadId: copyId, partNumber },
      ),
      customerKey: encryption?.key,
    }),
    original.checksum?.algorithm ?? DEFAULT_ALGORITHM,
  );
  const { size, etag, checksum, blobId, manifest } = copied;
  return {
    content: { size, etag, checksum, blobId, manifestId: manifest?.manifestId },
    newBlobIds: copied.blobIds,
    statements: manifest === undefined ? [] : insertManifest(manifest),
    manifest,
  };
}
