import { describe, expect, it } from "vitest";

import { invalidArgument, S3Error, type S3ErrorCode } from "../../../src/protocol/core/s3-error.ts";
import { expectError } from "./support.ts";

/** Code and status as https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html pairs them. */
const STATUSES: readonly (readonly [S3ErrorCode, number])[] = [
  ["AccessDenied", 403],
  ["AuthorizationHeaderMalformed", 400],
  ["AuthorizationQueryParametersError", 400],
  ["BadDigest", 400],
  ["BucketAlreadyExists", 409],
  ["BucketAlreadyOwnedByYou", 409],
  ["BucketNotEmpty", 409],
  ["ConditionalRequestConflict", 409],
  ["EntityTooLarge", 400],
  ["ExpiredToken", 400],
  ["IncompleteBody", 400],
  ["InternalError", 500],
  ["InvalidAccessKeyId", 403],
  ["InvalidArgument", 400],
  ["InvalidBucketName", 400],
  ["InvalidDigest", 400],
  ["InvalidPartNumber", 416],
  ["InvalidRange", 416],
  ["InvalidRequest", 400],
  ["InvalidStorageClass", 400],
  ["InvalidURI", 400],
  ["KeyTooLongError", 400],
  ["MalformedXML", 400],
  ["MetadataTooLarge", 400],
  ["MethodNotAllowed", 405],
  ["MissingContentLength", 411],
  ["NoSuchBucket", 404],
  ["NoSuchKey", 404],
  ["NoSuchVersion", 404],
  ["NotImplemented", 501],
  ["PreconditionFailed", 412],
  ["RequestTimeTooSkewed", 403],
  ["ServiceUnavailable", 503],
  ["SignatureDoesNotMatch", 403],
  ["SlowDown", 503],
  ["TooManyBuckets", 400],
  ["XAmzContentSHA256Mismatch", 400],
];

describe("an error", () => {
  it.each(STATUSES)("%s has status %i and a message", (code, status) => {
    const error = new S3Error(code);
    expectError(error, code, status, { fields: {} });
    expect(error.message).not.toBe("");
    expect(error.headers).toEqual({});
  });

  it("contains its own message, fields and headers", () => {
    const error = new S3Error("NoSuchKey", { Key: "k" }, "gone", { Allow: "DELETE" });
    expectError(error, "NoSuchKey", 404, { fields: { Key: "k" }, message: "gone" });
    expect(error.headers).toEqual({ Allow: "DELETE" });
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe("S3Error");
  });

  it("about an argument contains its name and value", () => {
    expectError(invalidArgument("max-keys", "x", "no number"), "InvalidArgument", 400, {
      fields: { ArgumentName: "max-keys", ArgumentValue: "x" },
      message: "no number",
    });
  });
});
