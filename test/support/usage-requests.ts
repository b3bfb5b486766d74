// Valid requests for the operations on usage, quotas and indexes.
import type { SendOptions } from "./client.ts";
import { freshBucket } from "./fresh-bucket.ts";
import { queryDocument, setIndexes } from "./query-indexes.ts";
import { quotaDocument, setQuota } from "./quotas.ts";

/** As in operation-requests.ts. */
interface OperationRequest {
  readonly method: string;
  readonly target: string;
  readonly options?: SendOptions;
  readonly permissions: readonly { readonly spellings: readonly string[]; readonly on: string }[];
}
type Preparation = () => Promise<OperationRequest>;

export const USAGE_PREPARATIONS: Readonly<Record<string, readonly Preparation[]>> = {
  GetAccountRequestUsage: [
    async () =>
      Promise.resolve({
        method: "GET",
        target: "/?usage&from=2026-11-01&to=2026-11-02",
        permissions: [{ spellings: ["s3:GetAccountRequestUsage"], on: "*" }],
      }),
  ],
  ListScheduledJobs: [
    async () =>
      Promise.resolve({
        method: "GET",
        target: "/?jobs",
        permissions: [{ spellings: ["s3:ListScheduledJobs"], on: "*" }],
      }),
  ],
  GetBucketUsage: [async () => onBucket("GET", "?usage", "s3:GetBucketUsage")],
  GetBucketRequestUsage: [
    async () => onBucket("GET", "?usage&from=2026-11-01&to=2026-11-02", "s3:GetBucketRequestUsage"),
  ],
  GetBucketQuota: [
    async () => {
      const request = await onBucket("GET", "?quota", "s3:GetBucketQuota");
      await setQuota(request.permissions[0]?.on ?? "", "<MaxObjects>9</MaxObjects>");
      return request;
    },
  ],
  PutBucketQuota: [
    async () => ({
      ...(await onBucket("PUT", "?quota", "s3:PutBucketQuota")),
      options: { body: quotaDocument("<MaxBytes>1</MaxBytes>") },
    }),
  ],
  DeleteBucketQuota: [async () => onBucket("DELETE", "?quota", "s3:PutBucketQuota")],
  GetBucketQueryConfiguration: [
    async () => {
      const request = await onBucket("GET", "?queryConfiguration", "s3:GetBucketQueryConfiguration");
      await setIndexes(request.permissions[0]?.on ?? "", ["<Tag>a</Tag>"]);
      return request;
    },
  ],
  PutBucketQueryConfiguration: [
    async () => ({
      ...(await onBucket("PUT", "?queryConfiguration", "s3:PutBucketQueryConfiguration")),
      options: { body: queryDocument(["<Tag>a</Tag>"]) },
    }),
  ],
  DeleteBucketQueryConfiguration: [
    async () => onBucket("DELETE", "?queryConfiguration", "s3:PutBucketQueryConfiguration"),
  ],
  RecountBucketQuota: [async () => onBucket("POST", "?quota", "s3:PutBucketQuota")],
};

async function onBucket(method: string, query: string, action: string): Promise<OperationRequest> {
  const bucket = await freshBucket();
  return { method, target: `/${bucket}${query}`, permissions: [{ spellings: [action], on: bucket }] };
}
