// PurgeBucketCache, an operation of Cairn's own (docs/delivery.md): begins a new epoch of the bucket, so that delivery hosts
// use no answer that they cached before. This location learns of it at once, others when they next read the bucket.
import { element } from "../bytes/xml.ts";
import { defineOperation } from "../contract/operation.ts";
import { deliveryFromText } from "../protocol/buckets/delivery-configuration.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";
import { raiseEpoch } from "../state/metadata/delivery-hosts.ts";
import { bucketPath, hostPath, LocationCache } from "../state/reads/location-cache.ts";

export const purgeBucketCache = defineOperation({
  name: "PurgeBucketCache",
  actions: ["s3:PurgeBucketCache"],
  route: { method: "POST", level: "bucket", query: ["purge"] },
  read: ({ address }) => ({ bucketName: addressedBucket(address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, _input, { bucket }) {
    const { database, settings } = context;
    await database.batch([raiseEpoch(bucket)]);
    const cache = new LocationCache(settings.edgeCacheNamespace, (work) => {
      context.waitUntil(work);
    });
    const claimed = deliveryFromText(bucket.configurations.delivery)?.hosts ?? [];
    const named = settings.delivery.wildcards.map((domain) => `${bucket.name}.${domain}`);
    const paths = [bucketPath(bucket.name), ...[...claimed, ...named].map(hostPath)];
    await Promise.all(paths.map(async (path) => cache.delete(path)));
    return { boundSeconds: Math.ceil((2 * settings.deliveryCacheMs) / 1000) };
  },

  write: ({ boundSeconds }, { bucketName }) => ({
    status: 200,
    headers: {},
    body: element(
      "PurgeBucketCacheResult",
      [element("Bucket", bucketName), element("EffectiveWithinSeconds", boundSeconds)],
      { xmlns: S3_NAMESPACE },
    ),
  }),
});
