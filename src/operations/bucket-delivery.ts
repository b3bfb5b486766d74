// GetBucketDelivery, PutBucketDelivery, DeleteBucketDelivery, operations of Cairn's own (docs/delivery.md): the hosts that
// a bucket claims under the operator's wildcards, the prefix that is delivered, and clean URLs.
import { defineBucketConfiguration } from "../contract/bucket-configuration.ts";
import type { Context } from "../contract/context.ts";
import {
  deliveryElement,
  deliveryFromText,
  deliveryText,
  parseDeliveryConfiguration,
  type DeliveryConfiguration,
} from "../protocol/buckets/delivery-configuration.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { labelUnder } from "../protocol/core/host-names.ts";
import { invalidArgument, S3Error } from "../protocol/core/s3-error.ts";
import { setConfiguration, type Bucket } from "../state/metadata/buckets.ts";
import { isHostConflict, lookUpForeignHosts } from "../state/metadata/delivery-hosts.ts";
import { storeClaims } from "../state/writes/host-claims.ts";

export const bucketDelivery = defineBucketConfiguration({
  subresource: "delivery",
  get: { name: "GetBucketDelivery", actions: ["s3:GetBucketDelivery"] },
  put: { name: "PutBucketDelivery", actions: ["s3:PutBucketDelivery"], status: 200 },
  delete: { name: "DeleteBucketDelivery", actions: ["s3:PutBucketDelivery"] },
  load: ({ configurations }) => deliveryFromText(configurations.delivery),
  missing: "NoSuchDeliveryConfiguration",
  async parseBody(context, bucket) {
    const configuration = parseDeliveryConfiguration(await readDocument(context.request, context.openBody()));
    await checkHosts(context, bucket, configuration);
    return configuration;
  },
  store: (bucket, configuration) =>
    setConfiguration(bucket, "delivery", configuration === undefined ? null : deliveryText(configuration)),
  async save({ database, databases, now }, bucket, configuration) {
    if (database.isFirst) return false;
    const text = configuration === undefined ? null : deliveryText(configuration);
    const outcome = await storeClaims(databases, database, bucket, { text, hosts: configuration?.hosts ?? [] }, now);
    if (outcome === "bucket missing") throw new S3Error("NoSuchBucket", { BucketName: bucket.name });
    if (outcome === "changed meanwhile") throw new S3Error("SlowDown", { BucketName: bucket.name });
    return true;
  },
  refusal: (error) => (isHostConflict(error) ? new S3Error("DeliveryHostAlreadyInUse") : undefined),
  render: (configuration) => ({ body: deliveryElement(configuration) }),
});

/**
 * Requires hosts that the operator lends to buckets and that no other bucket has, by claim or by name.
 * @throws S3Error InvalidArgument {Host}, DeliveryHostAlreadyInUse {Host}
 */
async function checkHosts(
  { settings, databases }: Context,
  bucket: Bucket,
  { hosts }: DeliveryConfiguration,
): Promise<void> {
  const { exact, wildcards } = settings.delivery;
  const labelled = hosts.map((host) => {
    const label = labelUnder(host, wildcards);
    if (label !== undefined && !exact.has(host)) return { host, label };
    throw invalidArgument("Host", host, "The host must be a subdomain of a wildcard in the setting DELIVERY.");
  });
  if (labelled.length === 0) return;
  const [foreign] = await databases.first.look(lookUpForeignHosts(bucket, labelled));
  if (foreign !== undefined) throw new S3Error("DeliveryHostAlreadyInUse", { Host: foreign });
}
