// The rules for bucket names.
import { S3Error } from "./s3-error.ts";

/** Which names may be given to new buckets. */
export interface BucketNamePolicy {
  readonly bucketNames: "strict" | "aws";
  /** Names, or prefixes ending in `*`, that are kept back. */
  readonly reservedBucketNames: readonly string[];
}

const AWS_PREFIXES = ["xn--", "sthree-", "amzn-s3-demo-"];
const AWS_SUFFIXES = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/**
 * Refuses what no bucket can be called, so that a request for it need not be looked up.
 * @throws S3Error InvalidBucketName {BucketName}
 */
export function checkBucketName(name: string): void {
  const isWellFormed = name.length <= 63 && /^[a-z0-9][a-z0-9.-]+[a-z0-9]$/.test(name);
  if (!isWellFormed || name.includes("..") || /^\d+\.\d+\.\d+\.\d+$/.test(name)) throw invalidName(name);
}

/**
 * Refuses a name for a new bucket.
 * @throws S3Error InvalidBucketName {BucketName}
 */
export function checkNewBucketName(name: string, policy: BucketNamePolicy): void {
  checkBucketName(name);
  const isRefused =
    (policy.bucketNames === "strict" && name.includes(".")) ||
    AWS_PREFIXES.some((prefix) => name.startsWith(prefix)) ||
    AWS_SUFFIXES.some((suffix) => name.endsWith(suffix)) ||
    policy.reservedBucketNames.some((reserved) =>
      reserved.endsWith("*") ? name.startsWith(reserved.slice(0, -1)) : name === reserved,
    );
  if (isRefused) throw invalidName(name);
}

function invalidName(name: string): S3Error {
  return new S3Error("InvalidBucketName", { BucketName: name });
}
