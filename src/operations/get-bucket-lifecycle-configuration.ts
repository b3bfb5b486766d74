// GetBucketLifecycleConfiguration: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { TRANSITION_MINIMUM_HEADER } from "../protocol/lifecycle/lifecycle-document.ts";
import { lifecycleElement } from "../protocol/lifecycle/lifecycle-xml.ts";
import { lifecycleFromText } from "../protocol/lifecycle/lifecycle.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";

export const getBucketLifecycleConfiguration = defineOperation({
  name: "GetBucketLifecycleConfiguration",
  actions: ["s3:GetLifecycleConfiguration"],
  route: { method: "GET", level: "bucket", query: ["lifecycle"] },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  run(_context, { bucketName }, { bucket }) {
    const configuration = lifecycleFromText(bucket.configurations.lifecycle);
    if (configuration === undefined) throw new S3Error("NoSuchLifecycleConfiguration", { BucketName: bucketName });
    return Promise.resolve(configuration);
  },

  write: (configuration) => ({
    status: 200,
    headers: { [TRANSITION_MINIMUM_HEADER]: configuration.transitionMinimum },
    body: lifecycleElement(configuration),
  }),
});
