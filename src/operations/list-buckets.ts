// ListBuckets: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
import { formatIsoDate } from "../bytes/dates.ts";
import { compareUtf8, successorOf, successorOfPrefix } from "../bytes/text.ts";
import { element, optionalElement } from "../bytes/xml.ts";
import { ownerOf } from "../auth/identity/principal.ts";
import { defineServiceOperation, type S3Response } from "../contract/operation.ts";
import { makeToken, readToken } from "../protocol/listings/listing.ts";
import { invalidArgument, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { ownerElement } from "../protocol/listings/listing-xml.ts";
import { listBuckets as selectBuckets } from "../state/metadata/buckets.ts";

const PAGE_MAX_BUCKETS = 10_000;

export const listBuckets = defineServiceOperation({
  name: "ListBuckets",
  actions: ["s3:ListAllMyBuckets"],
  route: { method: "GET", level: "service" },
  inputs: { query: ["prefix", "continuation-token", "bucket-region", "max-buckets"] },

  async read({ query }) {
    const prefix = query.get("prefix") ?? "";
    const token = query.get("continuation-token");
    const region = query.get("bucket-region");
    if (region !== undefined && !/^[a-z0-9-]{2,64}$/.test(region)) {
      throw invalidArgument("bucket-region", region, `Argument value ${region} is not a valid AWS Region`);
    }
    const after = token === undefined ? undefined : await readToken(token, ["buckets", prefix]);
    return { prefix, region, after, limit: readLimit(query.get("max-buckets")) };
  },

  async run(context, { prefix, region, after, limit }) {
    const ownerId = ownerOf(context.principal);
    const from = after === undefined ? prefix : successorOf(after);
    const before = successorOfPrefix(prefix);
    // A user sees the buckets that it created; root sees all of them.
    const { creatorId } = context.principal;
    const page = selectBuckets({ ownerId, creatorId, from, before, region, limit: limit + 1 });
    const ofDatabases = await Promise.all(context.databases.all.map((database) => database.look(page)));
    const found = ofDatabases.flat().sort((one, other) => compareUtf8(one.name, other.name));
    const buckets = found.slice(0, limit);
    const last = buckets.at(-1);
    const isTruncated = found.length > limit && last !== undefined;
    const nextToken = isTruncated ? await makeToken(last.name, ["buckets", prefix]) : undefined;
    return { ownerId, buckets, nextToken };
  },

  write: ({ ownerId, buckets, nextToken }, { prefix }): S3Response => ({
    status: 200,
    headers: {},
    body: element(
      "ListAllMyBucketsResult",
      [
        ownerElement(ownerId),
        element(
          "Buckets",
          buckets.map((bucket) =>
            element("Bucket", [
              element("Name", bucket.name),
              element("CreationDate", formatIsoDate(bucket.createdAt)),
              element("BucketRegion", bucket.region),
              element("BucketArn", `arn:aws:s3:::${bucket.name}`),
            ]),
          ),
        ),
        optionalElement("ContinuationToken", nextToken),
        prefix === "" ? undefined : element("Prefix", prefix),
      ],
      { xmlns: S3_NAMESPACE },
    ),
  }),
});

function readLimit(text: string | undefined): number {
  if (text === undefined) return PAGE_MAX_BUCKETS;
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > PAGE_MAX_BUCKETS) {
    throw invalidArgument("max-buckets", text, "Argument max-buckets must be an integer between 1 and 10000");
  }
  return value;
}
