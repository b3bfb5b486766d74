// What a client is told when the database's schema does not fit this Worker. An older schema is brought up to date behind
// the answer.
import { S3Error } from "../protocol/core/s3-error.ts";
import { examineSchema } from "../state/d1/schema-repair.ts";
import type { RequestScope } from "./request-scope.ts";

/** The error to answer with. Never rejects. */
export async function schemaMismatchError(scope: RequestScope): Promise<S3Error> {
  try {
    const { mismatch, repair } = await examineSchema(scope.env.DB);
    if (repair !== undefined) scope.waitUntil(repair().catch((error: unknown) => scope.logFailure(error)));
    const headers = { "retry-after": String(mismatch.retryAfterSeconds) };
    return new S3Error("DatabaseSchemaMismatch", {}, mismatch.message, headers);
  } catch (error) {
    scope.logFailure(error);
    return new S3Error("DatabaseSchemaMismatch");
  }
}
