// The errors for failures of D1, R2 and Durable Objects. They are never InternalError, which means a fault in Cairn.
import { S3Error } from "../protocol/core/s3-error.ts";
import { MissingDatabaseError } from "../state/d1/databases.ts";
import { isDatabaseFull, isTransientError } from "../state/d1/transient-errors.ts";

/** The error for a failure of the platform; undefined for any other error. */
export function platformFailure(error: unknown): S3Error | undefined {
  if (error instanceof S3Error) return undefined;
  if (error instanceof MissingDatabaseError) {
    const message = `The bucket is in the database ${error.database}, which this Worker is not bound to. Bind it in wrangler.toml and deploy.`;
    return new S3Error("ServiceUnavailable", {}, message);
  }
  if (isDatabaseFull(error)) return new S3Error("InsufficientStorage");
  return isTransientError(error) ? new S3Error("SlowDown") : undefined;
}
