// Every malformation of credentials in a presigned URL, and the response to each.
import { describe, expect, it } from "vitest";

import { readClaim } from "../../../src/auth/sigv4/authenticate.ts";
import { ACCESS_KEY_ID, EMPTY_SHA256, VECTOR_TIME } from "./support.ts";
import { CREDENTIAL, MINUTE, SIGNATURE, presigned, refusal, type Changes } from "./read-claim-fixture.ts";

describe("readClaim of a presigned URL", () => {
  it("reads every part", () => {
    expect(readClaim(presigned({ "X-Amz-Security-Token": "a+b/c=" }), VECTOR_TIME)).toEqual({
      form: "query",
      accessKeyId: ACCESS_KEY_ID,
      scope: { date: "20130524", region: "us-east-1", service: "s3" },
      signedHeaders: ["host"],
      signature: SIGNATURE,
      amzDate: "20130524T000000Z",
      payloadHash: "UNSIGNED-PAYLOAD",
      sessionToken: "a+b/c=",
      expiresAt: VECTOR_TIME + 3_600_000,
    });
  });

  it.each(["", "f", "é".repeat(64)])("accepts the signature %j, which fails the later verification", (signature) => {
    expect(readClaim(presigned({ "X-Amz-Signature": signature }), VECTOR_TIME)?.signature).toBe(signature);
  });

  it.each([
    ["its query", presigned({ "X-Amz-Content-Sha256": EMPTY_SHA256 })],
    [
      "a signed header",
      presigned({ "X-Amz-SignedHeaders": "host;x-amz-content-sha256" }, "", { "x-amz-content-sha256": EMPTY_SHA256 }),
    ],
  ])("reads the payload hash from %s", (_name, request) => {
    expect(readClaim(request, VECTOR_TIME)?.payloadHash).toBe(EMPTY_SHA256);
  });

  it("ignores an unsigned x-amz-content-sha256, unless it announces an envelope", async () => {
    expect(readClaim(presigned({}, "", { "x-amz-content-sha256": EMPTY_SHA256 }), VECTOR_TIME)?.payloadHash).toBe(
      "UNSIGNED-PAYLOAD",
    );
    const error = await refusal(presigned({}, "", { "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER" }));
    expect(error.fields).toEqual({ HeadersNotSigned: "x-amz-content-sha256" });
  });

  const MISSING =
    /^Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters\.$/;
  const NUMBER = /^X-Amz-Expires should be a number$/;
  const WEEK = /^X-Amz-Expires must be less than a week \(in seconds\)/;
  const ONCE = /must be given only once/;

  const MALFORMED: readonly (readonly [name: string, changes: Changes, appended: string, message: RegExp])[] = [
    ["no algorithm", { "X-Amz-Algorithm": undefined }, "", MISSING],
    ["no credential", { "X-Amz-Credential": undefined }, "", MISSING],
    ["no date", { "X-Amz-Date": undefined }, "", MISSING],
    ["no expiry", { "X-Amz-Expires": undefined }, "", MISSING],
    ["no signed headers", { "X-Amz-SignedHeaders": undefined }, "", MISSING],
    ["no signature", { "X-Amz-Signature": undefined }, "", MISSING],
    ["a signature in lower case", { "X-Amz-Signature": undefined }, `&x-amz-signature=${SIGNATURE}`, MISSING],
    ["another algorithm", { "X-Amz-Algorithm": "AWS4-ECDSA-P256-SHA256" }, "", /only supports "AWS4-HMAC-SHA256"/],
    [
      "a scope of 3 parts",
      { "X-Amz-Credential": "a/20130524/s3" },
      "",
      /X-Amz-Credential parameter; the Credential is mal/,
    ],
    ["a scope of 6 parts", { "X-Amz-Credential": `a/${CREDENTIAL}` }, "", /the Credential is mal-formed/],
    ["another service", { "X-Amz-Credential": "a/20130524/auto/ec2/aws4_request" }, "", /incorrect service "ec2"/],
    [
      "another day",
      { "X-Amz-Credential": "a/20130525/auto/s3/aws4_request" },
      "",
      /^Invalid credential date "20130525"/,
    ],
    ["month 13", { "X-Amz-Date": "20131324T000000Z" }, "", /ISO8601 Long Format/],
    ["an HTTP date", { "X-Amz-Date": "Fri, 24 May 2013 00:00:00 GMT" }, "", /ISO8601 Long Format/],
    ["no header names", { "X-Amz-SignedHeaders": "" }, "", /SignedHeaders/],
    ["a header name not ASCII", { "X-Amz-SignedHeaders": "host;é" }, "", /SignedHeaders/],
    ["a bad header name", { "X-Amz-SignedHeaders": "host;a b" }, "", /SignedHeaders/],
    ["the expiry -1", { "X-Amz-Expires": "-1" }, "", /^X-Amz-Expires must be non-negative$/],
    ["the expiry 0", { "X-Amz-Expires": "0" }, "", /at least 1/],
    ["the expiry 604801", { "X-Amz-Expires": "604801" }, "", WEEK],
    ["20 digits of expiry", { "X-Amz-Expires": "9".repeat(20) }, "", WEEK],
    ["400 digits of expiry", { "X-Amz-Expires": "9".repeat(400) }, "", WEEK],
    ...["1e3", "0x100", "NaN", " 300", "300.5", "", "+300", "3 00", "١٠٠", "Infinity"].map(
      (expires) => [`the expiry ${JSON.stringify(expires)}`, { "X-Amz-Expires": expires }, "", NUMBER] as const,
    ),
    ["two expiries", {}, "&X-Amz-Expires=604800", ONCE],
    ["two expiries in two cases", {}, "&x-amz-expires=604800", ONCE],
    ["two dates", {}, "&X-Amz-Date=20130524T000000Z", ONCE],
    ["two signatures", {}, `&X-Amz-Signature=${SIGNATURE}`, ONCE],
    ["two credentials", {}, `&X-Amz-Credential=${encodeURIComponent(CREDENTIAL)}`, ONCE],
    ["two algorithms", {}, "&X-Amz-Algorithm=AWS4-HMAC-SHA256", ONCE],
    ["two lists of headers", {}, "&X-Amz-SignedHeaders=host", ONCE],
    ["two tokens", { "X-Amz-Security-Token": "a" }, "&X-Amz-Security-Token=b", ONCE],
    [
      "two payload hashes",
      { "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD" },
      "&x-amz-content-sha256=UNSIGNED-PAYLOAD",
      ONCE,
    ],
  ];

  it.each(MALFORMED)(
    "returns 400 AuthorizationQueryParametersError for %s",
    async (_name, changes, appended, message) => {
      const error = await refusal(presigned(changes, appended));
      expect([error.code, error.status]).toEqual(["AuthorizationQueryParametersError", 400]);
      expect(error.message).toMatch(message);
    },
  );

  it.each(["1", "604800", "0300"])("accepts the expiry %s", (expires) => {
    expect(readClaim(presigned({ "X-Amz-Expires": expires }), VECTOR_TIME)?.expiresAt).toBe(
      VECTOR_TIME + Number(expires) * 1000,
    );
  });

  it("returns 403 AccessDenied once it has expired", async () => {
    const error = await refusal(presigned(), VECTOR_TIME + 3_600_001);
    expect([error.code, error.status]).toEqual(["AccessDenied", 403]);
    expect(error.message).toBe("Request has expired");
    expect(error.fields).toEqual({
      "X-Amz-Expires": 3600,
      Expires: "2013-05-24T01:00:00Z",
      ServerTime: "2013-05-24T01:00:00Z",
    });
  });

  it("returns 403 AccessDenied before it is valid", async () => {
    const error = await refusal(presigned(), VECTOR_TIME - 15 * MINUTE - 1);
    expect([error.code, error.status]).toEqual(["AccessDenied", 403]);
    expect(error.message).toBe("Request is not valid yet");
    expect(readClaim(presigned(), VECTOR_TIME - 15 * MINUTE)).toBeDefined();
  });

  it.each([
    ["an unsigned x-amz-* header", { "x-amz-acl": "public-read" }, "host", "x-amz-acl"],
    ["an unsigned Content-MD5", { "content-md5": "x" }, "host", "content-md5"],
    ["an unsigned Host", {}, "x-amz-date", "host"],
  ])("returns 403 AccessDenied for %s", async (_name, headers, signedHeaders, missing) => {
    const error = await refusal(presigned({ "X-Amz-SignedHeaders": signedHeaders }, "", headers));
    expect([error.code, error.status]).toEqual(["AccessDenied", 403]);
    expect(error.fields).toEqual({ HeadersNotSigned: missing });
  });

  it("allows other unsigned headers", () => {
    const headers = { "content-type": "text/plain", "cache-control": "no-cache", origin: "https://a.example" };
    expect(readClaim(presigned({}, "", headers), VECTOR_TIME)).toBeDefined();
  });
});
