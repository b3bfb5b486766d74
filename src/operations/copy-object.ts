// CopyObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
// Moves no bytes, whatever the size: the new version holds what the source holds.
import { ownerOf } from "../auth/principal.ts";
import { formatIsoDate } from "../bytes/dates.ts";
import { element } from "../bytes/xml.ts";
import { admitUploadAcl } from "../contract/acl-input.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { requireReadableSource, requireUploadRights } from "../contract/rights.ts";
import { readAclHeaders } from "../protocol/acl-headers.ts";
import { addressedObject } from "../protocol/addressing.ts";
import { checksumElement } from "../protocol/checksums.ts";
import { readWriteConditions, refuseWrite } from "../protocol/conditions.ts";
import { checkSourceConditions, readCopySource, readDirective } from "../protocol/copying.ts";
import { quoteEtag } from "../protocol/etag.ts";
import { readMetadata } from "../protocol/object-metadata.ts";
import { S3Error, S3_NAMESPACE } from "../protocol/s3-error.ts";
import { requestHeader } from "../protocol/s3-request.ts";
import { shownVersionId } from "../protocol/stored-object.ts";
import { parseTaggingHeader } from "../protocol/tagging.ts";
import { readStorageClass, refuseUnsupportedHeaders, versionHeaders } from "../protocol/upload-headers.ts";
import { lookUpBoth } from "../state/database.ts";
import { lookUpHeads, NO_HEAD } from "../state/heads.ts";
import { guardSource, lookUpSource } from "../state/copy-sources.ts";
import { holdToo } from "../state/holdings.ts";

// A source that changes as often as this under one copy is being fought over.
const SOURCE_TURNS = 3;

export const copyObject = defineOperation({
  name: "CopyObject",
  actions: ["s3:PutObject"],
  route: { method: "PUT", level: "object", header: "x-amz-copy-source" },

  read(request, { accountId }) {
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
    };
  },

  lookUp: ({ bucketName, key, source }) => lookUpBoth(lookUpHeads(bucketName, [key]), lookUpSource(source)),

  async run(context, input, facts) {
    const { key, source, conditions } = input;
    const { bucket, heads } = facts;
    const seen = heads.get(key) ?? NO_HEAD;
    const acl = admitUploadAcl(context, bucket, key, input.acl);
    let found = facts.source;
    for (let turn = 0; turn < SOURCE_TURNS; turn += 1) {
      const original = requireReadableSource(context, source, found, input.taggingDirective === "COPY");
      const tags = input.taggingDirective === "COPY" ? original.tags : input.tags;
      requireUploadRights(context, bucket, key, { tags, conditions });
      checkSourceConditions(context.request, original, context.now);
      const refusal = refuseWrite(conditions, key, seen.current, seen.current);
      if (refusal !== undefined) throw new S3Error(refusal.code, refusal.fields);
      const isItself =
        source.bucketName === bucket.name &&
        source.key === key &&
        source.versionId === undefined &&
        source.snapshot === undefined;
      if (isItself && input.metadataDirective === "COPY" && input.storageClass === undefined) {
        throw new S3Error(
          "InvalidRequest",
          {},
          "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        );
      }
      const { contentType, systemMetadata, userMetadata } =
        input.metadataDirective === "COPY" ? original : input.metadata;
      const object = {
        contentType,
        systemMetadata,
        userMetadata,
        size: original.size,
        etag: original.etag,
        ownerId: ownerOf(context.principal),
        blobId: original.blobId,
        manifestId: original.manifestId,
        storageClass: input.storageClass ?? "STANDARD",
        checksum: original.checksum,
        tags,
        acl,
        encryption: undefined,
      };
      const outcome = await context.coordinators.put(bucket, {
        key,
        seen,
        conditions,
        object,
        newBlobIds: [],
        before: [guardSource(original), holdToo(original.holdingId)],
      });
      if (outcome.isDone) return { outcome, object, original, isSourceVersioned: original.isInVersionedBucket };
      if (outcome.reason !== "source changed") throw new S3Error(outcome.refusal.code, outcome.refusal.fields);
      found = (await context.database.look(lookUpSource(source))).source;
    }
    throw new S3Error("ServiceUnavailable");
  },

  write: ({ outcome, object, original, isSourceVersioned }): S3Response => {
    const { checksum } = object;
    return {
      status: 200,
      headers: {
        ...versionHeaders(outcome.versionId, outcome.isNullVersion),
        ...(isSourceVersioned ? { "x-amz-copy-source-version-id": shownVersionId(original) } : {}),
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
