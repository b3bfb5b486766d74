// Valid requests for the operations on usage and quotas.
import { freshBucket } from "./fresh-bucket.ts";

/** As in operation-requests.ts. */
interface OperationRequest {
  readonly method: string;
  readonly target: string;
  readonly permissions: readonly { readonly spellings: readonly string[]; readonly on: string }[];
}
type Preparation = () => Promise<OperationRequest>;

export const USAGE_PREPARATIONS: Readonly<Record<string, readonly Preparation[]>> = {
  GetAccountRequestUsage: [
    async () =>
      Promise.resolve({
        method: "GET",
        target: "/?usage&from=2026-11-01",
        permissions: [{ spellings: ["s3:GetAccountRequestUsage"], on: "*" }],
      }),
  ],
  GetBucketUsage: [async () => onBucket("GET", "?usage", "s3:GetBucketUsage")],
  GetBucketRequestUsage: [
    async () => onBucket("GET", "?usage&from=2026-11-01&to=2026-11-02", "s3:GetBucketRequestUsage"),
  ],
};

async function onBucket(method: string, query: string, action: string): Promise<OperationRequest> {
  const bucket = await freshBucket();
  return { method, target: `/${bucket}${query}`, permissions: [{ spellings: [action], on: bucket }] };
}
