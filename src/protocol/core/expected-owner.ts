// The headers that name the expected owner of a bucket.
import { S3Error } from "./s3-error.ts";
import { requestHeader, type S3Request } from "./s3-request.ts";

/**
 * Reads the account id of the expected owner.
 * @throws S3Error InvalidBucketOwnerAWSAccountID
 */
export function readExpectedOwner(
  request: S3Request,
  header: "x-amz-expected-bucket-owner" | "x-amz-source-expected-bucket-owner",
): string | undefined {
  const expected = requestHeader(request, header);
  if (expected !== undefined && !/^\d{12}$/.test(expected)) throw new S3Error("InvalidBucketOwnerAWSAccountID");
  return expected;
}
