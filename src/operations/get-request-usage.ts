// GetBucketRequestUsage and GetAccountRequestUsage, operations of Cairn's own (docs/quotas.md), report the counted requests
// of a bucket or of all buckets by day and access key, or those of one access key.
import { element, optionalElement } from "../bytes/xml.ts";
import { defineOperation, defineServiceOperation, type S3Response } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { invalidArgument, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import { readUsageDays } from "../protocol/core/usage-days.ts";
import { makeToken, readToken } from "../protocol/listings/listing.ts";
import type { Database } from "../state/d1/database.ts";
import { lookUpBucket } from "../state/metadata/buckets.ts";
import { lookUpRequestUsage, type UsageCount, type UsagePage } from "../state/metadata/request-usage.ts";

const PAGE_ROWS = 1000;
const ACCESS_KEY_ID = "access-key-id";
const INPUTS = { query: ["from", "to", ACCESS_KEY_ID, "continuation-token"] };

interface UsageInput {
  readonly days: readonly string[];
  readonly scope: readonly string[];
  /** Undefined: all; empty: requests without verified credentials. */
  readonly accessKeyId: string | undefined;
  readonly after: UsagePage["after"];
  /** The parameter of GetBucketUsage, which a report of days refuses. */
  readonly prefix: string | undefined;
}

interface UsageReport {
  readonly rows: readonly UsageCount[];
  readonly nextToken: string | undefined;
}

export const getBucketRequestUsage = defineOperation({
  name: "GetBucketRequestUsage",
  actions: ["s3:GetBucketRequestUsage"],
  route: { method: "GET", level: "bucket", query: ["usage", "from"] },
  inputs: INPUTS,
  read: async (request) => ({ ...(await readInput(request)), bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),
  run: async ({ databases }, input, { bucket }) => readReport(databases.first, input, bucket.id),
  write: (report, { days, bucketName }) =>
    writeReport("GetBucketRequestUsageResult", report, days, [element("Bucket", bucketName)], false),
});

export const getAccountRequestUsage = defineServiceOperation({
  name: "GetAccountRequestUsage",
  actions: ["s3:GetAccountRequestUsage"],
  // Without `from` as well, so that the request is refused instead of listing buckets.
  route: { method: "GET", level: "service", query: ["usage"] },
  inputs: INPUTS,
  read: readInput,
  run: async ({ databases }, input) => readReport(databases.first, input, undefined),
  write: (report, { days }) => writeReport("GetAccountRequestUsageResult", report, days, [], true),
});

async function readInput({ address, query }: S3Request): Promise<UsageInput> {
  const days = readUsageDays(query.get("from"), query.get("to"), Date.now());
  const ofKey = query.get(ACCESS_KEY_ID);
  if (ofKey !== undefined && !/^\w{0,128}$/.test(ofKey)) {
    throw invalidArgument(ACCESS_KEY_ID, ofKey, `${ACCESS_KEY_ID} must be the id of an access key, or empty`);
  }
  const bucketName = address.level === "service" ? "" : addressedBucket(address);
  const scope = ["request usage", bucketName, ...days.slice(0, 1), ...(ofKey === undefined ? [] : [ofKey])];
  const token = query.get("continuation-token");
  const [day = "", bucketId = "", accessKeyId = ""] =
    token === undefined ? [] : (await readToken(token, scope)).split(" ");
  return { days, scope, accessKeyId: ofKey, after: [day, bucketId, accessKeyId], prefix: query.get("prefix") };
}

async function readReport(
  database: Database,
  { days, scope, accessKeyId, after, prefix }: UsageInput,
  bucketId: string | undefined,
): Promise<UsageReport> {
  if (prefix !== undefined) throw invalidArgument("prefix", prefix, "A report of days has no prefix.");
  const found = await database.look(lookUpRequestUsage({ days, bucketId, accessKeyId, after, limit: PAGE_ROWS + 1 }));
  const rows = found.slice(0, PAGE_ROWS);
  const last = rows.at(-1);
  const isTruncated = found.length > PAGE_ROWS && last !== undefined;
  const position = isTruncated ? [last.day, last.bucketId, last.accessKeyId].join(" ") : undefined;
  return { rows, nextToken: position === undefined ? undefined : await makeToken(position, scope) };
}

function writeReport(
  name: string,
  { rows, nextToken }: UsageReport,
  days: readonly string[],
  place: readonly ReturnType<typeof element>[],
  isOfAccount: boolean,
): S3Response {
  return {
    status: 200,
    headers: {},
    body: element(
      name,
      [
        ...place,
        element("From", days[0] ?? ""),
        element("To", days.at(-1) ?? ""),
        ...rows.map((row) =>
          element("Usage", [
            element("Day", row.day),
            ...(isOfAccount ? [element("Bucket", row.bucketName), element("BucketId", row.bucketId)] : []),
            element("AccessKeyId", row.accessKeyId),
            element("Requests", row.requests.A + row.requests.B + row.requests.free),
            element("ClassA", row.requests.A),
            element("ClassB", row.requests.B),
            element("Free", row.requests.free),
            element("Errors", row.errors),
            element("BytesIn", row.bytesIn),
            element("BytesOut", row.bytesOut),
          ]),
        ),
        element("IsTruncated", nextToken !== undefined),
        optionalElement("NextContinuationToken", nextToken),
      ],
      { xmlns: S3_NAMESPACE },
    ),
  };
}
