// PutObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
import { storeNewObject } from "../uploads/new-object.ts";
import { storeUnsized } from "../uploads/unsized-upload.ts";
import { defineOperation } from "../contract/operation.ts";
import { checkUpload, readUploadHeaders } from "../uploads/upload-input.ts";
import { requireLockDigest } from "../uploads/object-lock-rights.ts";
import { UPLOAD_ACTIONS } from "../uploads/rights.ts";
import { addressedObject } from "../protocol/core/addressing.ts";
import { checksumHeaders, readChecksums } from "../protocol/core/checksums.ts";
import { readWriteConditions } from "../protocol/objects/conditions.ts";
import { encryptionHeaders } from "../protocol/objects/customer-encryption.ts";
import { quoteEtag } from "../protocol/core/etag.ts";
import {
  joinInputs,
  NEW_OBJECT,
  NO_COPY,
  NO_RENAME,
  DIGESTS,
  WRITE_CONDITIONS,
} from "../protocol/core/operation-inputs.ts";
import { invalidArgument } from "../protocol/core/s3-error.ts";
import { requestTagKeys } from "../protocol/core/tagging.ts";
import { lookUpHeads, NO_HEAD } from "../state/commit/heads.ts";

export const putObject = defineOperation({
  name: "PutObject",
  actions: ["s3:PutObject"],
  route: { method: "PUT", level: "object" },
  furtherActions: UPLOAD_ACTIONS,
  inputs: joinInputs(NEW_OBJECT, DIGESTS, WRITE_CONDITIONS, NO_COPY, NO_RENAME, { body: "object" }),

  async read(request, settings) {
    const { bucket, key } = addressedObject(request.address);
    const partNumber = request.query.get("partNumber");
    if (partNumber !== undefined) {
      throw invalidArgument(
        "partNumber",
        partNumber,
        "This operation does not accept a partNumber without an uploadId",
      );
    }
    return {
      bucketName: bucket,
      key,
      ...(await readUploadHeaders(request, settings)),
      conditions: readWriteConditions(request),
    };
  },

  conditionKeys: ({ tags }) => requestTagKeys(tags),
  lookUp: ({ bucketName, key }) => lookUpHeads(bucketName, [key]),

  async run(context, input, { bucket, heads }) {
    const { key, metadata, tags, storageClass, conditions } = input;
    const head = heads.get(key) ?? NO_HEAD;
    const checked = await checkUpload(context, bucket, { ...input, head });
    const body = context.openBodyOfAnySize();
    const announced = readChecksums(context.request, body.trailerNames);
    requireLockDigest(input.lock, announced);
    const object = { key, observedHead: head, conditions, metadata, tags, storageClass, ...checked };
    return body.length === undefined
      ? storeUnsized(context, bucket, object, body, announced)
      : storeNewObject(context, bucket, object, body, announced);
  },

  write: ({ etag, checksum, version, expiration }, { customerKey }) => ({
    status: 200,
    headers: {
      etag: quoteEtag(etag),
      ...version,
      ...expiration,
      ...checksumHeaders(checksum),
      ...encryptionHeaders(customerKey),
    },
  }),
});
