// Reads the input of an IAM or STS call: a form in the body, query parameters, or both.
import { GrowingBuffer } from "../bytes/growing-buffer.ts";
import { PieceReader } from "../bytes/streams.ts";
import { decodeUtf8 } from "../bytes/text.ts";
import { parseQuery } from "../protocol/core/query.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import { QueryApiError } from "../protocol/iam/query-api-error.ts";
import { QueryParameters } from "../protocol/iam/query-parameters.ts";

/** More than the longest valid call, in bytes. */
const BODY_MAX_BYTES = 512 * 1024;

const AUTHENTICATION_PARAMETER = /^x-amz-/i;

/**
 * Reads a call's body of at most 512 KiB.
 * @throws QueryApiError RequestEntityTooLarge, S3Error IncompleteBody if the body breaks off
 */
export async function readCallBody({ body }: S3Request): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const reader = new PieceReader(body);
  const buffer = new GrowingBuffer(BODY_MAX_BYTES);
  for (;;) {
    const piece = await reader.read().catch(() => {
      throw new S3Error("IncompleteBody");
    });
    if (piece === undefined) return buffer.bytes;
    if (piece.length > buffer.room) {
      reader.cancel();
      throw new QueryApiError("RequestEntityTooLarge", `A call has at most ${BODY_MAX_BYTES} bytes.`);
    }
    buffer.append(piece);
  }
}

/** @throws QueryApiError MalformedQueryString, S3Error InvalidURI for a body that is not UTF-8 */
export function readCallParameters({ query }: S3Request, body: Uint8Array): QueryParameters {
  const text = decodeUtf8(body);
  if (text === undefined) throw new S3Error("InvalidURI");
  const ofQuery = query.parameters.filter(({ name }) => !AUTHENTICATION_PARAMETER.test(name));
  return new QueryParameters([...ofQuery, ...parseQuery(text).parameters]);
}
