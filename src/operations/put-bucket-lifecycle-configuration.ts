// PutBucketLifecycleConfiguration: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import {
  parseLifecycle,
  readTransitionMinimum,
  TRANSITION_MINIMUM_HEADER,
} from "../protocol/lifecycle/lifecycle-document.ts";
import { lifecycleText } from "../protocol/lifecycle/lifecycle.ts";
import { joinInputs, DOCUMENT } from "../protocol/core/operation-inputs.ts";
import { lookUpBucket, setConfiguration } from "../state/metadata/buckets.ts";

export const putBucketLifecycleConfiguration = defineOperation({
  name: "PutBucketLifecycleConfiguration",
  actions: ["s3:PutLifecycleConfiguration"],
  route: { method: "PUT", level: "bucket", query: ["lifecycle"] },
  inputs: joinInputs(DOCUMENT, { headers: [TRANSITION_MINIMUM_HEADER] }),
  read: (request) => ({
    bucketName: addressedBucket(request.address),
    transitionMinimum: readTransitionMinimum(request),
  }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, { transitionMinimum }, { bucket }) {
    const document = await readDocument(context.request, context.openBody());
    const configuration = parseLifecycle(document, transitionMinimum);
    await context.database.batch([setConfiguration(bucket, "lifecycle", lifecycleText(configuration))]);
  },

  write: (_output, { transitionMinimum }) => ({
    status: 200,
    headers: { [TRANSITION_MINIMUM_HEADER]: transitionMinimum },
  }),
});
