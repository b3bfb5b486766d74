// Parses `x-amz-content-sha256`: the body's digest, an unsigned payload, or a kind of aws-chunked envelope.
import { S3Error, invalidArgument } from "../../protocol/core/s3-error.ts";

export type PayloadHash =
  | { readonly kind: "unsigned" }
  | { readonly kind: "sha256"; readonly hex: string }
  | { readonly kind: "chunked"; readonly signed: boolean; readonly trailer: boolean };

/** The payload hash of a presigned URL that contains none. */
export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

const NAME = "x-amz-content-sha256";

/**
 * Parses the payload hash of a request.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 * @throws S3Error InvalidArgument for an unknown form, NotImplemented for SigV4A's forms
 */
export function parsePayloadHash(value: string): PayloadHash {
  switch (value) {
    case UNSIGNED_PAYLOAD:
      return { kind: "unsigned" };
    case "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
      return { kind: "chunked", signed: false, trailer: true };
    case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD":
      return { kind: "chunked", signed: true, trailer: false };
    case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
      return { kind: "chunked", signed: true, trailer: true };
    case "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD":
    case "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER":
      throw new S3Error("NotImplemented", { Header: NAME });
    default:
      if (/^[0-9a-fA-F]{64}$/.test(value)) return { kind: "sha256", hex: value.toLowerCase() };
      throw invalidArgument(
        NAME,
        value,
        `${NAME} must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.`,
      );
  }
}
