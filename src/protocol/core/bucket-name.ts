// Validates bucket names: AWS's rules, and the operator's rules for new buckets.
import { S3Error } from "./s3-error.ts";

/** The operator's rules for new buckets. */
export interface BucketNamePolicy {
  readonly bucketNames: "strict" | "aws";
  /** Names, or prefixes ending in `*`, that new buckets cannot have. */
  readonly reservedBucketNames: readonly string[];
}

const AWS_PREFIXES = ["xn--", "sthree-", "amzn-s3-demo-"];
const AWS_SUFFIXES = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/**
 * Refuses a name that no bucket can have, so that the request needs no database lookup.
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
  if (policy.bucketNames === "strict" && name.includes(".")) {
    throw invalidName(name, "Dots in bucket names take the setting BUCKET_NAMES=aws.");
  }
  const isReservedByAws =
    AWS_PREFIXES.some((prefix) => name.startsWith(prefix)) || AWS_SUFFIXES.some((suffix) => name.endsWith(suffix));
  const isReserved = policy.reservedBucketNames.some((reserved) =>
    reserved.endsWith("*") ? name.startsWith(reserved.slice(0, -1)) : name === reserved,
  );
  if (isReservedByAws || isReserved) throw invalidName(name, "This name is reserved.");
}

/** AWS's message, with the reason if the name itself is well-formed. */
function invalidName(name: string, reason?: string): S3Error {
  const message = "The specified bucket is not valid.";
  return new S3Error(
    "InvalidBucketName",
    { BucketName: name },
    reason === undefined ? message : `${message} ${reason}`,
  );
}
