// GetObjectLockConfiguration and PutObjectLockConfiguration
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html
// A configuration cannot be deleted: Object Lock stays enabled. A document without a rule removes the default retention.
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { DOCUMENT, joinInputs } from "../protocol/core/operation-inputs.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import {
  objectLockElement,
  objectLockFromText,
  objectLockText,
  parseObjectLockConfiguration,
} from "../protocol/objects/object-lock-configuration.ts";
import { storeBucketLock } from "../state/metadata/lock-records.ts";
import { lookUpBucket, setObjectLock } from "../state/metadata/buckets.ts";

const getObjectLockConfiguration = defineOperation({
  name: "GetObjectLockConfiguration",
  actions: ["s3:GetBucketObjectLockConfiguration"],
  route: { method: "GET", level: "bucket", query: ["object-lock"] },
  read: ({ address }) => ({ bucketName: addressedBucket(address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  run(_context, { bucketName }, { bucket }) {
    const configuration = objectLockFromText(bucket.configurations.object_lock);
    if (configuration === undefined) {
      throw new S3Error("ObjectLockConfigurationNotFoundError", { BucketName: bucketName });
    }
    return Promise.resolve(configuration);
  },

  write: (configuration) => ({ status: 200, headers: {}, body: objectLockElement(configuration) }),
});

const putObjectLockConfiguration = defineOperation({
  name: "PutObjectLockConfiguration",
  actions: ["s3:PutBucketObjectLockConfiguration"],
  route: { method: "PUT", level: "bucket", query: ["object-lock"] },
  // AWS's support once gave out the token, with which Object Lock is enabled for an existing bucket. It is not needed.
  inputs: joinInputs(DOCUMENT, { headers: ["x-amz-bucket-object-lock-token"] }),
  read: ({ address }) => ({ bucketName: addressedBucket(address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, _input, { bucket }) {
    const configuration = parseObjectLockConfiguration(await readDocument(context.request, context.openBody()));
    const text = objectLockText(configuration);
    if (bucket.versioning === "Enabled") {
      await storeBucketLock(context.blobs, bucket.id, text);
      const [set] = await context.database.batch([setObjectLock(bucket, text)]);
      if ((set?.changes ?? 0) > 0) return;
    }
    const message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration";
    throw new S3Error("InvalidBucketState", { BucketName: bucket.name }, message);
  },

  write: () => ({ status: 200, headers: {} }),
});

export const bucketObjectLock = [getObjectLockConfiguration, putObjectLockConfiguration];
