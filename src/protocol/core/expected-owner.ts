// The headers by which a client says whose a bucket must be.
import { S3Error } from "./s3-error.ts";
import { requestHeader, type S3Request } from "./s3-request.ts";

/**
 * The account id that a header expects to own a bucket.
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
