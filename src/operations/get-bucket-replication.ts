// GetBucketReplication: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketReplication.html
import { defineUnsetConfiguration } from "../contract/unset-configuration.ts";

export const getBucketReplication = defineUnsetConfiguration({
  name: "GetBucketReplication",
  actions: ["s3:GetReplicationConfiguration"],
  subresource: "replication",
  answer: { error: "ReplicationConfigurationNotFoundError" },
});
