// The headers that announce an aws-chunked body. They are refused if x-amz-content-sha256 announces a plain body.
import { invalidArgument } from "./s3-error.ts";
import { requestHeader, type S3Request } from "./s3-request.ts";

/** The header with the payload's length in bytes. */
export const DECODED_LENGTH = "x-amz-decoded-content-length";

/** The header with the names of the trailers. */
export const TRAILER = "x-amz-trailer";

const CONTENT_ENCODING = "content-encoding";

/**
 * Refuses aws-chunked headers on a plain body. A decoded length that equals the body's length is accepted.
 * @param length the body's length in bytes; undefined if no decoded length is acceptable
 * @throws S3Error InvalidArgument
 */
export function refuseEnvelopeHeaders(request: S3Request, length: number | undefined): void {
  const encoding = requestHeader(request, CONTENT_ENCODING);
  const trailer = requestHeader(request, TRAILER);
  const decodedLength = requestHeader(request, DECODED_LENGTH);
  const isDecodedLengthRight =
    decodedLength === undefined || (/^\d+$/.test(decodedLength) && Number(decodedLength) === length);
  if (encoding !== undefined && isAwsChunked(encoding)) throw contradiction(CONTENT_ENCODING, encoding);
  if (trailer !== undefined) throw contradiction(TRAILER, trailer);
  if (!isDecodedLengthRight) throw contradiction(DECODED_LENGTH, decodedLength);
}

function isAwsChunked(encoding: string): boolean {
  return encoding.split(",").some((coding) => coding.trim().toLowerCase() === "aws-chunked");
}

function contradiction(name: string, value: string): Error {
  return invalidArgument(
    name,
    value,
    `${name} announces an aws-chunked body, which needs a STREAMING- value of x-amz-content-sha256.`,
  );
}
