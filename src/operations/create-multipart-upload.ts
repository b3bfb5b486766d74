// CreateMultipartUpload: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
import { ownerOf } from "../auth/identity/principal.ts";
import { timeOrderedId } from "../bytes/random-id.ts";
import { element } from "../bytes/xml.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { checkUpload, readUploadHeaders } from "../uploads/upload-input.ts";
import { UPLOAD_ACTIONS } from "../uploads/rights.ts";
import { addressedObject } from "../protocol/core/addressing.ts";
import { encryptionHeaders } from "../protocol/objects/customer-encryption.ts";
import { readUploadChecksum } from "../protocol/objects/multipart-checksums.ts";
import { joinInputs, NEW_OBJECT } from "../protocol/core/operation-inputs.ts";
import { S3Error, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { requestTagKeys } from "../protocol/core/tagging.ts";
import { lookUpHeads, NO_HEAD } from "../state/commit/heads.ts";
import { beginUpload } from "../state/metadata/uploads.ts";

export const createMultipartUpload = defineOperation({
  name: "CreateMultipartUpload",
  actions: ["s3:PutObject"],
  route: { method: "POST", level: "object", query: ["uploads"] },
  furtherActions: UPLOAD_ACTIONS.filter(({ action }) => action !== "s3:GetObject"),
  createsObject: false,
  inputs: joinInputs(NEW_OBJECT, { headers: ["x-amz-checksum-algorithm", "x-amz-checksum-type"] }),

  async read(request, settings) {
    const { bucket, key } = addressedObject(request.address);
    return {
      bucketName: bucket,
      key,
      ...(await readUploadHeaders(request, settings)),
      ...readUploadChecksum(request),
    };
  },

  conditionKeys: ({ tags }) => requestTagKeys(tags),
  lookUp: ({ bucketName, key }) => lookUpHeads(bucketName, [key]),

  async run(context, input, { bucket, heads }) {
    const { bucketName, key, metadata, tags, storageClass, checksumAlgorithm, checksumType } = input;
    const head = heads.get(key) ?? NO_HEAD;
    const { acl, encryption, lock } = await checkUpload(context, bucket, { ...input, conditions: {}, head });
    const uploadId = timeOrderedId(context.now);
    const upload = {
      ...metadata,
      key,
      uploadId,
      initiatedAt: context.now,
      initialHead: head.versionId,
      ownerId: ownerOf(context.principal),
      tags,
      acl,
      encryption: encryption?.keyVerifier,
      ...lock,
      storageClass,
      checksumAlgorithm,
      checksumType,
    };
    if (!(await beginUpload(context.database, bucket, upload))) {
      throw new S3Error("NoSuchBucket", { BucketName: bucketName });
    }
    return { bucketName, key, uploadId };
  },

  write: ({ bucketName, key, uploadId }, { checksumAlgorithm, checksumType, customerKey }): S3Response => ({
    status: 200,
    headers: {
      ...(checksumAlgorithm === undefined ? {} : { "x-amz-checksum-algorithm": checksumAlgorithm }),
      ...(checksumType === undefined ? {} : { "x-amz-checksum-type": checksumType }),
      ...encryptionHeaders(customerKey),
    },
    body: element(
      "InitiateMultipartUploadResult",
      [element("Bucket", bucketName), element("Key", key), element("UploadId", uploadId)],
      { xmlns: S3_NAMESPACE },
    ),
  }),
});
