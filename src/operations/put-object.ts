// PutObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
import { admitUploadAcl } from "../uploads/acl-input.ts";
import { storeNewObject } from "../uploads/new-object.ts";
import { defineOperation } from "../contract/operation.ts";
import { requireUploadRights, UPLOAD_ACTIONS } from "../uploads/rights.ts";
import { readAclHeaders } from "../protocol/acl/acl-headers.ts";
import { addressedObject } from "../protocol/core/addressing.ts";
import { checksumHeaders, readChecksums } from "../protocol/core/checksums.ts";
import { readWriteConditions, refuseWrite } from "../protocol/objects/conditions.ts";
import { admitCustomerKey } from "../protocol/buckets/bucket-encryption.ts";
import { encryptionHeaders, readCustomerKey } from "../protocol/objects/customer-encryption.ts";
import { quoteEtag } from "../protocol/core/etag.ts";
import { readMetadata } from "../protocol/objects/object-metadata.ts";
import {
  joinInputs,
  NEW_OBJECT,
  NO_COPY,
  NO_RENAME,
  DIGESTS,
  WRITE_CONDITIONS,
} from "../protocol/core/operation-inputs.ts";
import { invalidArgument, S3Error } from "../protocol/core/s3-error.ts";
import { requestHeader } from "../protocol/core/s3-request.ts";
import { parseTaggingHeader, requestTagKeys } from "../protocol/core/tagging.ts";
import { readStorageClass, refuseUnsupportedHeaders } from "../protocol/objects/upload-headers.ts";
import { lookUpHeads, NO_HEAD } from "../state/commit/heads.ts";

export const putObject = defineOperation({
  name: "PutObject",
  actions: ["s3:PutObject"],
  route: { method: "PUT", level: "object" },
  furtherActions: UPLOAD_ACTIONS,
  inputs: joinInputs(NEW_OBJECT, DIGESTS, WRITE_CONDITIONS, NO_COPY, NO_RENAME, { body: "object" }),

  async read(request, { accountId, customerKeysOverHttp }) {
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
    return {
      bucketName: bucket,
      key,
      metadata: readMetadata(request),
      tags: parseTaggingHeader(requestHeader(request, "x-amz-tagging")),
      storageClass: readStorageClass(request),
      acl: readAclHeaders(request, accountId, "object"),
      conditions: readWriteConditions(request),
      customerKey: await readCustomerKey(request, customerKeysOverHttp),
    };
  },

  conditionKeys: ({ tags }) => requestTagKeys(tags),
  lookUp: ({ bucketName, key }) => lookUpHeads(bucketName, [key]),

  async run(context, input, { bucket, heads }) {
    const { key, metadata, tags, storageClass, acl: wanted, conditions, customerKey } = input;
    const seen = heads.get(key) ?? NO_HEAD;
    requireUploadRights(context, bucket, key, { tags, conditions, current: seen.subject });
    const acl = admitUploadAcl(context, bucket, key, wanted);
    const refusal = refuseWrite(conditions, key, seen.current, seen.current);
    if (refusal !== undefined) throw new S3Error(refusal.code, refusal.fields);
    const encryption = await admitCustomerKey(bucket.configurations.encryption, customerKey);

    const body = context.openBody();
    const announced = readChecksums(context.request, body.trailerNames);
    const object = { key, seen, conditions, metadata, tags, storageClass, acl, encryption };
    return storeNewObject(context, bucket, object, body, announced);
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
