// GetBucketLifecycleConfiguration, PutBucketLifecycleConfiguration, DeleteBucketLifecycle:
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
import { defineBucketConfiguration } from "../contract/bucket-configuration.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import {
  parseLifecycle,
  readTransitionMinimum,
  TRANSITION_MINIMUM_HEADER,
} from "../protocol/lifecycle/lifecycle-document.ts";
import { lifecycleElement } from "../protocol/lifecycle/lifecycle-xml.ts";
import { lifecycleFromText, lifecycleText, type LifecycleConfiguration } from "../protocol/lifecycle/lifecycle.ts";
import { setConfiguration } from "../state/metadata/buckets.ts";

export const bucketLifecycle = defineBucketConfiguration({
  subresource: "lifecycle",
  get: { name: "GetBucketLifecycleConfiguration", actions: ["s3:GetLifecycleConfiguration"] },
  put: {
    name: "PutBucketLifecycleConfiguration",
    actions: ["s3:PutLifecycleConfiguration"],
    status: 200,
    inputs: { headers: [TRANSITION_MINIMUM_HEADER] },
    headers: transitionMinimumHeader,
  },
  delete: {
    name: "DeleteBucketLifecycle",
    actions: ["s3:DeleteLifecycleConfiguration", "s3:PutLifecycleConfiguration"],
  },
  load: ({ configurations }) => lifecycleFromText(configurations.lifecycle),
  missing: "NoSuchLifecycleConfiguration",
  async parseBody(context) {
    const transitionMinimum = readTransitionMinimum(context.request);
    return parseLifecycle(await readDocument(context.request, context.openBody()), transitionMinimum);
  },
  store: (bucket, configuration) =>
    setConfiguration(bucket, "lifecycle", configuration === undefined ? null : lifecycleText(configuration)),
  render: (configuration) => ({
    headers: transitionMinimumHeader(configuration),
    body: lifecycleElement(configuration),
  }),
});

function transitionMinimumHeader({ transitionMinimum }: LifecycleConfiguration): Record<string, string> {
  return { [TRANSITION_MINIMUM_HEADER]: transitionMinimum };
}
