// The result of a put that an S3 store has refused.
import { S3Error } from "../../protocol/core/s3-error.ts";
import type { BlobPutResult } from "./blob-store.ts";
import { readFailure } from "./s3-documents.ts";
import { refusal } from "./s3-reader.ts";

const HASH_MISMATCHES: ReadonlySet<string> = new Set([
  "BadDigest",
  "InvalidDigest",
  "XAmzContentSHA256Mismatch",
  "XAmzContentChecksumMismatch",
]);

/** The result of a put that the store refused because of its hash. @throws S3Error ServiceUnavailable, Error */
export function notStored(response: Response, document: Uint8Array, hasHash: boolean): BlobPutResult {
  const failure = readFailure(document);
  if (hasHash && failure !== undefined && HASH_MISMATCHES.has(failure.code)) {
    return { isStored: false, computed: failure.computedSha256 };
  }
  // The id exists, or a request for the same id is under way.
  if (response.status === 412 || response.status === 409) throw new S3Error("ServiceUnavailable");
  throw refusal({ operation: "PutObject" }, response, document);
}
