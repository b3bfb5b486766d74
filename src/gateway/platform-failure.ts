// What clients are told where D1, R2 or a Durable Object fails: never an internal error, since nothing of Cairn's is wrong.
import { S3Error } from "../protocol/core/s3-error.ts";
import { isDatabaseFull, isTransientError } from "../state/d1/transient-errors.ts";

/** The answer to a failure of the platform; undefined for any other error. */
export function platformFailure(error: unknown): S3Error | undefined {
  if (error instanceof S3Error) return undefined;
  if (isDatabaseFull(error)) return new S3Error("InsufficientStorage");
  return isTransientError(error) ? new S3Error("SlowDown") : undefined;
}
