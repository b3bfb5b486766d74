// GetBucketQueryConfiguration, PutBucketQueryConfiguration, DeleteBucketQueryConfiguration, operations of Cairn's own
// (docs/search.md): what queries of a bucket find by an index. An index is used once it is complete; that of a large
// bucket is built by a job.
import { defineBucketConfiguration } from "../contract/bucket-configuration.ts";
import { defineOperation, type Operation } from "../contract/operation.ts";
import {
  parseQueryConfiguration,
  queryConfigurationElement,
  queryConfigurationFromText,
  queryConfigurationText,
  type QueryIndex,
} from "../protocol/buckets/query-configuration.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { lookUpBoth, type Database, type Statement } from "../state/d1/database.ts";
import { lookUpBucket, setConfiguration, type Bucket } from "../state/metadata/buckets.ts";
import { buildRange, lookUpQueryIndexes, lookUpUnbuilt } from "../state/metadata/query-indexes.ts";

/** The ranges of keys that a request indexes. The job indexes the rest. */
const RANGES_PER_REQUEST = 20;

const store = (bucket: Bucket, indexes: readonly QueryIndex[] | undefined): Statement =>
  setConfiguration(bucket, "query_index", indexes === undefined ? null : queryConfigurationText(indexes));

const [, putConfiguration, deleteConfiguration] = defineBucketConfiguration<readonly QueryIndex[]>({
  subresource: "queryConfiguration",
  get: { name: "GetBucketQueryConfiguration", actions: ["s3:GetBucketQueryConfiguration"] },
  put: { name: "PutBucketQueryConfiguration", actions: ["s3:PutBucketQueryConfiguration"], status: 200 },
  delete: { name: "DeleteBucketQueryConfiguration", actions: ["s3:PutBucketQueryConfiguration"] },
  load: ({ configurations }) => queryConfigurationFromText(configurations.query_index),
  parseBody: async (context) => parseQueryConfiguration(await readDocument(context.request, context.openBody())),
  store,
  async save({ database }, bucket, indexes) {
    await database.batch([store(bucket, indexes)]);
    if (indexes !== undefined) await buildIndexes(database, bucket.id);
    return true;
  },
  render: () => ({ body: undefined }),
});

const getConfiguration = defineOperation({
  name: "GetBucketQueryConfiguration",
  actions: ["s3:GetBucketQueryConfiguration"],
  route: { method: "GET", level: "bucket", query: ["queryConfiguration"] },
  read: ({ address }) => ({ bucketName: addressedBucket(address) }),
  lookUp: ({ bucketName }) => lookUpBoth(lookUpBucket(bucketName), lookUpQueryIndexes(bucketName)),
  run(_context, { bucketName }, { bucket, indexes: stored }) {
    const indexes = queryConfigurationFromText(bucket.configurations.query_index);
    if (indexes === undefined) throw new S3Error("NoSuchQueryConfiguration", { BucketName: bucketName });
    return Promise.resolve({ indexes, stored });
  },
  write: ({ indexes, stored }) => ({
    status: 200,
    headers: {},
    body: queryConfigurationElement(indexes, ({ kind, name }) =>
      stored.some((one) => one.kind === kind && one.name === name && one.isComplete),
    ),
  }),
});

/** Indexes the first ranges of a bucket's keys. */
async function buildIndexes(database: Database, bucketId: string): Promise<void> {
  let { unbuilt } = await database.look(lookUpUnbuilt(bucketId));
  for (let range = 0; range < RANGES_PER_REQUEST && unbuilt !== undefined; range += 1) {
    ({ unbuilt } = await database.look(buildRange(unbuilt, bucketId)));
  }
}

export const bucketQueryConfiguration: readonly Operation[] = [
  getConfiguration,
  ...[putConfiguration, deleteConfiguration].filter((operation) => operation !== undefined),
];
