// Shared by the tests of protocol: requests built by hand, and checks of errors.
import { expect } from "vitest";

import { parseAddress, splitTarget } from "../../../src/protocol/core/addressing.ts";
import { parseQuery } from "../../../src/protocol/core/query.ts";
import { S3Error, type ErrorFields, type S3ErrorCode } from "../../../src/protocol/core/s3-error.ts";
import type { S3Request } from "../../../src/protocol/core/s3-request.ts";

/** The part of a query that marks a presigned request. */
export const PRESIGNED = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00";

/** A request for `/path?query` with these headers, as the gateway receives it. */
export function requestFor(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
  clientAcceptEncoding?: string,
): S3Request {
  const { path, query } = splitTarget(`https://s3.example.com${target}`);
  return {
    method,
    address: parseAddress(path, undefined),
    rawPath: path,
    query: parseQuery(query),
    headers: new Headers(headers),
    isSecure: true,
    clientAcceptEncoding,
    tlsVersion: undefined,
    body: null,
  };
}

/** A PUT of an object with these headers. */
export function putWith(headers: Readonly<Record<string, string>>): S3Request {
  return requestFor("PUT", "/bucket/key", headers);
}

/** A presigned PUT of an object with additional parameters in its query. */
export function presignedPutWith(parameters: string, headers: Readonly<Record<string, string>> = {}): S3Request {
  return requestFor("PUT", `/bucket/key?${PRESIGNED}&${parameters}`, headers);
}

/** The error that a call throws. */
export function errorOf(call: () => unknown): S3Error {
  try {
    call();
  } catch (error) {
    if (error instanceof S3Error) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** The error that a promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<S3Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof S3Error) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** Expects an S3 error with its status, and its fields and message when given. */
export function expectError(
  error: S3Error,
  code: S3ErrorCode,
  status: number,
  expected: { readonly fields?: ErrorFields; readonly message?: string } = {},
): void {
  expect({ code: error.code, status: error.status }).toEqual({ code, status });
  if (expected.fields !== undefined) expect(error.fields).toEqual(expected.fields);
  if (expected.message !== undefined) expect(error.message).toBe(expected.message);
}

/** Expects a call to throw such an error. */
export function expectRefusal(
  call: () => unknown,
  code: S3ErrorCode,
  status: number,
  expected: { readonly fields?: ErrorFields; readonly message?: string } = {},
): void {
  expectError(errorOf(call), code, status, expected);
}
