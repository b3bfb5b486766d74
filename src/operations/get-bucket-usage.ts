// GetBucketUsage, an operation of Cairn's own (docs/observability.md), counts the objects, noncurrent versions, delete
// markers, open uploads and bytes of a bucket or of a prefix.
import { compareUtf8 } from "../bytes/text.ts";
import { element, optionalElement, type XmlElement } from "../bytes/xml.ts";
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { refuseParametersOfDays } from "../protocol/core/usage-days.ts";
import { makeToken, readToken } from "../protocol/listings/listing.ts";
import { S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";
import { lookUpBoth } from "../state/d1/database.ts";
import { addUsage, lookUpUsage } from "../state/metadata/usage.ts";

/** The most key ranges that one request counts. A larger bucket takes several requests. */
const RANGES_PER_REQUEST = 400;

export const getBucketUsage = defineOperation({
  name: "GetBucketUsage",
  actions: ["s3:GetBucketUsage"],
  route: { method: "GET", level: "bucket", query: ["usage"] },
  inputs: { query: ["prefix", "continuation-token"] },

  async read({ address, query }) {
    refuseParametersOfDays(query);
    const bucketName = addressedBucket(address);
    const prefix = query.get("prefix") ?? "";
    const scope = ["usage", bucketName, prefix];
    const token = query.get("continuation-token");
    const from = token === undefined ? prefix : await readToken(token, scope);
    // Clients can forge tokens, and a policy may limit the principal to the prefix.
    return { bucketName, prefix, scope, from: compareUtf8(from, prefix) < 0 ? prefix : from };
  },

  lookUp: ({ bucketName, prefix, from }) =>
    lookUpBoth(lookUpBucket(bucketName), lookUpUsage(bucketName, { prefix, from })),

  async run({ database }, { bucketName, prefix, scope }, first) {
    let { usage, next } = first;
    for (let range = 1; range < RANGES_PER_REQUEST && next !== undefined; range += 1) {
      const more = await database.look(lookUpUsage(bucketName, { prefix, from: next }));
      usage = addUsage(usage, more.usage);
      ({ next } = more);
    }
    return { usage, nextToken: next === undefined ? undefined : await makeToken(next, scope) };
  },

  write: ({ usage, nextToken }, { bucketName, prefix }) => ({
    status: 200,
    headers: {},
    body: element(
      "GetBucketUsageResult",
      [
        element("Bucket", bucketName),
        element("Prefix", prefix),
        sum("Objects", { Count: usage.objects, Bytes: usage.objectBytes }),
        sum("NoncurrentVersions", { Count: usage.versions, Bytes: usage.versionBytes }),
        sum("DeleteMarkers", { Count: usage.deleteMarkers }),
        sum("MultipartUploads", { Count: usage.uploads, Parts: usage.parts, Bytes: usage.partBytes }),
        element("IsTruncated", nextToken !== undefined),
        optionalElement("NextContinuationToken", nextToken),
      ],
      { xmlns: S3_NAMESPACE },
    ),
  }),
});

function sum(name: string, figures: Readonly<Record<string, number>>): XmlElement {
  return element(
    name,
    Object.entries(figures).map(([figure, value]) => element(figure, value)),
  );
}
