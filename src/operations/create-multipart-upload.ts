// CreateMultipartUpload: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
import { ownerOf } from "../auth/identity/principal.ts";
import { timeOrderedId } from "../bytes/random-id.ts";
import { element } from "../bytes/xml.ts";
import { admitUploadAcl } from "../uploads/acl-input.ts";
import { defineOperation, type S3Response } from "../contract/operation.ts";
import { requireUploadRights, UPLOAD_ACTIONS } from "../uploads/rights.ts";
import { readAclHeaders } from "../protocol/acl/acl-headers.ts";
import { addressedObject } from "../protocol/core/addressing.ts";
import { admitCustomerKey } from "../protocol/buckets/bucket-encryption.ts";
import { encryptionHeaders, readCustomerKey } from "../protocol/objects/customer-encryption.ts";
import { readUploadChecksum } from "../protocol/objects/multipart-checksums.ts";
import { readMetadata } from "../protocol/objects/object-metadata.ts";
import { joinInputs, NEW_OBJECT } from "../protocol/core/operation-inputs.ts";
import { S3Error, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { requestHeader } from "../protocol/core/s3-request.ts";
import { parseTaggingHeader, requestTagKeys } from "../protocol/core/tagging.ts";
import { readStorageClass, refuseUnsupportedHeaders } from "../protocol/objects/upload-headers.ts";
import { lookUpHeads, NO_HEAD } from "../state/commit/heads.ts";
import { beginUpload } from "../state/metadata/uploads.ts";

export const createMultipartUpload = defineOperation({
  name: "CreateMultipartUpload",
  actions: ["s3:PutObject"],
  route: { method: "POST", level: "object", query: ["uploads"] },
  furtherActions: UPLOAD_ACTIONS.filter(({ action }) => action !== "s3:GetObject"),
  createsObject: false,
  inputs: joinInputs(NEW_OBJECT, { headers: ["x-amz-checksum-algorithm", "x-amz-checksum-type"] }),

  async read(request, { accountId, customerKeysOverHttp }) {
    const { bucket, key } = addressedObject(request.address);
    refuseUnsupportedHeaders(request);
    return {
      bucketName: bucket,
      key,
      metadata: readMetadata(request),
      tags: parseTaggingHeader(requestHeader(request, "x-amz-tagging")),
      storageClass: readStorageClass(request),
      acl: readAclHeaders(request, accountId, "object"),
      ...readUploadChecksum(request),
      customerKey: await readCustomerKey(request, customerKeysOverHttp),
    };
  },

  conditionKeys: ({ tags }) => requestTagKeys(tags),
  lookUp: ({ bucketName, key }) => lookUpHeads(bucketName, [key]),

  async run(context, input, { bucket, heads }) {
    const { bucketName, key, metadata, tags, storageClass, checksumAlgorithm, checksumType } = input;
    requireUploadRights(context, bucket, key, { tags, conditions: {}, current: undefined });
    const encryption = await admitCustomerKey(bucket.configurations.encryption, input.customerKey);
    const uploadId = timeOrderedId(context.now);
    const upload = {
      ...metadata,
      key,
      uploadId,
      initiatedAt: context.now,
      initialHead: (heads.get(key) ?? NO_HEAD).versionId,
      ownerId: ownerOf(context.principal),
      tags,
      acl: admitUploadAcl(context, bucket, key, input.acl),
      encryption: encryption?.recognition,
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
