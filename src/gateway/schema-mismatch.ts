// The error for a database schema that does not fit this Worker. Migrates an older schema in the background.
import { S3Error } from "../protocol/core/s3-error.ts";
import { databaseBindings } from "../state/d1/databases.ts";
import { examineSchemas } from "../state/d1/schema-repair.ts";
import type { RequestScope } from "./request-scope.ts";

/** The error to return. Never rejects. */
export async function schemaMismatchError(scope: RequestScope): Promise<S3Error> {
  try {
    const { mismatch, repair } = await examineSchemas(databaseBindings(scope.env));
    if (repair !== undefined) scope.waitUntil(repair().catch((error: unknown) => scope.logFailure(error)));
    const headers = { "retry-after": String(mismatch.retryAfterSeconds) };
    return new S3Error("DatabaseSchemaMismatch", {}, mismatch.message, headers);
  } catch (error) {
    scope.logFailure(error);
    return new S3Error("DatabaseSchemaMismatch");
  }
}
