// GetBucketQuota, PutBucketQuota, DeleteBucketQuota, RecountBucketQuota, operations of Cairn's own (docs/quotas.md): the
// limits on what a bucket stores and on the rates of its requests. A bucket is counted before limits on storage are enforced; a
// large one by a job.
import { defineBucketConfiguration } from "../contract/bucket-configuration.ts";
import { defineOperation, type Operation } from "../contract/operation.ts";
import {
  bucketQuotaElement,
  limitsStorage,
  parseBucketQuota,
  quotaFromText,
  type BucketQuota,
} from "../protocol/buckets/bucket-quota.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { lookUpBoth, type Database, type Statement } from "../state/d1/database.ts";
import { countNextRange, lookUpStoredCounts, restartCount } from "../state/metadata/bucket-quotas.ts";
import { lookUpBucket, setConfiguration, type Bucket } from "../state/metadata/buckets.ts";

/** The ranges that a request counts. A larger bucket is counted by the job. */
const RANGES_PER_REQUEST = 20;

const store = (bucket: Bucket, quota: BucketQuota | undefined): Statement =>
  setConfiguration(bucket, "quota", quota === undefined ? null : JSON.stringify(quota));

const [, putBucketQuota, deleteBucketQuota] = defineBucketConfiguration<BucketQuota>({
  subresource: "quota",
  get: { name: "GetBucketQuota", actions: ["s3:GetBucketQuota"] },
  put: { name: "PutBucketQuota", actions: ["s3:PutBucketQuota"], status: 200 },
  delete: { name: "DeleteBucketQuota", actions: ["s3:PutBucketQuota"] },
  load: ({ configurations }) => quotaFromText(configurations.quota),
  parseBody: async (context) => parseBucketQuota(await readDocument(context.request, context.openBody())),
  store,
  async save({ database }, bucket, quota) {
    await database.batch([store(bucket, quota)]);
    if (quota !== undefined && limitsStorage(quota)) await countBucket(database, bucket.id);
    return true;
  },
  render: () => ({ body: undefined }),
});

const getBucketQuota = defineOperation({
  name: "GetBucketQuota",
  actions: ["s3:GetBucketQuota"],
  route: { method: "GET", level: "bucket", query: ["quota"] },
  read: ({ address }) => ({ bucketName: addressedBucket(address) }),
  lookUp: ({ bucketName }) => lookUpBoth(lookUpBucket(bucketName), lookUpStoredCounts(bucketName)),
  run(_context, { bucketName }, { bucket, stored }) {
    const quota = quotaFromText(bucket.configurations.quota);
    if (quota === undefined) throw new S3Error("NoSuchQuotaConfiguration", { BucketName: bucketName });
    return Promise.resolve({ quota, stored: stored ?? { bytes: 0, objects: 0, isCounted: false } });
  },
  write: ({ quota, stored }) => ({ status: 200, headers: {}, body: bucketQuotaElement(quota, stored) }),
});

const recountBucketQuota = defineOperation({
  name: "RecountBucketQuota",
  actions: ["s3:PutBucketQuota"],
  route: { method: "POST", level: "bucket", query: ["quota"] },
  read: ({ address }) => ({ bucketName: addressedBucket(address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),
  async run({ database }, _input, { bucket }) {
    await database.batch([restartCount(bucket.id)]);
    await countBucket(database, bucket.id);
  },
  write: () => ({ status: 204, headers: {} }),
});

/** Counts the first ranges of a bucket. */
async function countBucket(database: Database, bucketId: string): Promise<void> {
  for (let range = 0; range < RANGES_PER_REQUEST; range += 1) {
    const [counted] = await database.batch([countNextRange(bucketId)]);
    if (counted === undefined || counted.changes === 0) return;
  }
}

export const bucketQuota: readonly Operation[] = [
  getBucketQuota,
  ...[putBucketQuota, deleteBucketQuota].filter((operation) => operation !== undefined),
  recountBucketQuota,
];
