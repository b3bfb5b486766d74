// PutObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
import { toHex } from "../bytes/hex-base64.ts";
import { timeOrderedId } from "../bytes/random-id.ts";
import { ownerOf } from "../auth/principal.ts";
import { defineOperation } from "../contract/operation.ts";
import { addressedObject } from "../protocol/addressing.ts";
import { checksumHeaders, readChecksums } from "../protocol/checksums.ts";
import { readWriteConditions, refuseWrite } from "../protocol/conditions.ts";
import { quoteEtag } from "../protocol/etag.ts";
import { birthCertificate, readMetadata } from "../protocol/object-metadata.ts";
import { invalidArgument, S3Error } from "../protocol/s3-error.ts";
import { requestHeader } from "../protocol/s3-request.ts";
import { parseTaggingHeader } from "../protocol/tagging.ts";
import {
  checkAclHeaders,
  readStorageClass,
  refuseUnsupportedHeaders,
  versionHeaders,
} from "../protocol/upload-headers.ts";
import { lookUpHeads, NO_HEAD } from "../state/heads.ts";
import { storeBody } from "../state/store-body.ts";

/** The largest object that a single PUT makes, in bytes. */
export const PUT_MAX_BYTES = 5 * 1024 ** 3;

export const putObject = defineOperation({
  name: "PutObject",
  actions: ["s3:PutObject"],
  route: { method: "PUT", level: "object" },

  read(request) {
    const { bucket, key } = addressedObject(request.address);
    const partNumber = request.query.get("partNumber");
    if (partNumber !== undefined) {
      throw invalidArgument(
        "partNumber",
        partNumber,
        "This operation does not accept a partNumber without an uploadId",
      );
    }
    refuseUnsupportedHeaders(request);
    checkAclHeaders(request);
    return {
      bucketName: bucket,
      key,
      metadata: readMetadata(request),
      tags: parseTaggingHeader(requestHeader(request, "x-amz-tagging")),
      storageClass: readStorageClass(request),
      conditions: readWriteConditions(request),
    };
  },

  lookUp: ({ bucketName, key }) => lookUpHeads(bucketName, [key]),

  async run(context, { key, metadata, tags, storageClass, conditions }, { bucket, heads }) {
    const seen = heads.get(key) ?? NO_HEAD;
    const refusal = refuseWrite(conditions, key, seen.current, seen.current);
    if (refusal !== undefined) throw new S3Error(refusal.code, refusal.fields);

    const body = context.openBody();
    const announced = readChecksums(context.request, body.trailerNames);
    if (body.length > PUT_MAX_BYTES) {
      throw new S3Error("EntityTooLarge", { ProposedSize: body.length, MaxSizeAllowed: PUT_MAX_BYTES });
    }
    const blobId = `${bucket.id}/${timeOrderedId(context.now)}`;
    const destination = { blobId, birthCertificate: birthCertificate(bucket.id, key, metadata) };
    const { size, md5, checksum } = await storeBody(context.blobs, destination, body, announced);

    const etag = toHex(md5);
    const ownerId = ownerOf(context.principal);
    const object = {
      ...metadata,
      size,
      etag,
      ownerId,
      blobId,
      manifestId: undefined,
      storageClass,
      checksum,
      tags,
      acl: undefined,
      encryption: undefined,
    };
    const outcome = await context.coordinators.put(bucket, { key, seen, conditions, object, newBlobIds: [blobId] });
    if (!outcome.isDone) {
      // Only a definite refusal leaves the blob certain to be nobody's.
      if (outcome.isDefinite) context.waitUntil(context.blobs.delete([blobId]));
      throw new S3Error(outcome.refusal.code, outcome.refusal.fields);
    }
    return { etag, checksum, version: versionHeaders(outcome.versionId, outcome.isNullVersion) };
  },

  write: ({ etag, checksum, version }) => ({
    status: 200,
    headers: { etag: quoteEtag(etag), ...version, ...checksumHeaders(checksum) },
  }),
});
