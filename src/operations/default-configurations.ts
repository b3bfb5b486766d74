// Configurations that cannot be set: GetBucketReplication,
// GetBucketLogging, GetBucketNotificationConfiguration, GetBucketAccelerateConfiguration, GetBucketRequestPayment. Each
// row returns S3's response for a bucket without it, because infrastructure tools read them all after they create a
// bucket.
import { element } from "../bytes/xml.ts";
import { defineDefaultConfiguration } from "../contract/default-configuration.ts";

export const defaultConfigurations = [
  defineDefaultConfiguration({
    name: "GetBucketReplication",
    actions: ["s3:GetReplicationConfiguration"],
    subresource: "replication",
    answer: { error: "ReplicationConfigurationNotFoundError" },
  }),
  defineDefaultConfiguration({
    name: "GetBucketLogging",
    actions: ["s3:GetBucketLogging"],
    subresource: "logging",
    answer: { root: "BucketLoggingStatus", content: [] },
  }),
  defineDefaultConfiguration({
    name: "GetBucketAccelerateConfiguration",
    actions: ["s3:GetAccelerateConfiguration"],
    subresource: "accelerate",
    answer: { root: "AccelerateConfiguration", content: [] },
  }),
  defineDefaultConfiguration({
    name: "GetBucketRequestPayment",
    actions: ["s3:GetBucketRequestPayment"],
    subresource: "requestPayment",
    answer: { root: "RequestPaymentConfiguration", content: [element("Payer", "BucketOwner")] },
  }),
];
