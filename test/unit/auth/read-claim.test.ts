// Every malformation of credentials in a request's headers, and the response to each.
import { describe, expect, it } from "vitest";

import { readClaim } from "../../../src/auth/sigv4/authenticate.ts";
import type { S3ErrorCode } from "../../../src/protocol/core/s3-error.ts";
import { ACCESS_KEY_ID, EMPTY_SHA256, requestOf, VECTOR_TIME } from "./support.ts";
import { CREDENTIAL, MINUTE, SCOPE, SIGNATURE, presigned, refusal, type Changes } from "./read-claim-fixture.ts";

const SIGNED = "host;x-amz-content-sha256;x-amz-date";

function authorization(credential = CREDENTIAL, signedHeaders = SIGNED, signature = SIGNATURE): string {
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
}

/** A request with a well-formed claim in its headers and the given changes; undefined deletes a header. */
function signed(changes: Changes = {}, query = "") {
  const headers = new Headers();
  const all: Changes = {
    host: "s3.example.com",
    authorization: authorization(),
    "x-amz-content-sha256": EMPTY_SHA256,
    "x-amz-date": "20130524T000000Z",
    ...changes,
  };
  for (const [name, value] of Object.entries(all)) if (value !== undefined) headers.set(name, value);
  return requestOf(`https://s3.example.com/bucket/key${query}`, { headers });
}

describe("readClaim of a header", () => {
  it("reads every part", () => {
    expect(readClaim(signed(), VECTOR_TIME)).toEqual({
      form: "header",
      accessKeyId: ACCESS_KEY_ID,
      scope: { date: "20130524", region: "us-east-1", service: "s3" },
      signedHeaders: ["host", "x-amz-content-sha256", "x-amz-date"],
      signature: SIGNATURE,
      amzDate: "20130524T000000Z",
      payloadHash: EMPTY_SHA256,
      sessionToken: undefined,
      expiresAt: undefined,
    });
  });

  it.each([
    [
      "commas without spaces",
      `AWS4-HMAC-SHA256 Credential=${CREDENTIAL},SignedHeaders=${SIGNED},Signature=${SIGNATURE}`,
    ],
    ["another order", `AWS4-HMAC-SHA256 Signature=${SIGNATURE}, Credential=${CREDENTIAL},  SignedHeaders=${SIGNED}`],
    ["more spaces", `AWS4-HMAC-SHA256   Credential=${CREDENTIAL} ,\tSignedHeaders=${SIGNED} , Signature=${SIGNATURE}`],
  ])("takes %s", (_name, value) => {
    expect(readClaim(signed({ authorization: value }), VECTOR_TIME)).toMatchObject({
      accessKeyId: ACCESS_KEY_ID,
      signature: SIGNATURE,
    });
  });

  it.each(["auto", "", "local", "us-gov-west-1"])("accepts the region %j", (region) => {
    const claim = readClaim(
      signed({ authorization: authorization(`${ACCESS_KEY_ID}/20130524/${region}/s3/aws4_request`) }),
      VECTOR_TIME,
    );
    expect(claim?.scope.region).toBe(region);
  });

  it.each([
    ["an HTTP date", "Fri, 24 May 2013 00:00:00 GMT"],
    ["an ISO date", "20130524T000000Z"],
  ])("reads the time from Date in %s", (_name, date) => {
    const request = signed({
      "x-amz-date": undefined,
      date,
      authorization: authorization(CREDENTIAL, "date;host;x-amz-content-sha256"),
    });
    expect(readClaim(request, VECTOR_TIME)?.amzDate).toBe("20130524T000000Z");
  });

  it("prefers x-amz-date over Date", () => {
    const request = signed({ date: "Fri, 24 May 2013 00:09:00 GMT" });
    expect(readClaim(request, VECTOR_TIME)?.amzDate).toBe("20130524T000000Z");
  });

  it("reads a signed session token", () => {
    const request = signed({
      "x-amz-security-token": "token",
      authorization: authorization(CREDENTIAL, `${SIGNED};x-amz-security-token`),
    });
    expect(readClaim(request, VECTOR_TIME)?.sessionToken).toBe("token");
  });

  it.each(["__proto__", "constructor", "toString", "undefined"])("accepts the access key id %s", (accessKeyId) => {
    const request = signed({ authorization: authorization(`${accessKeyId}/${SCOPE}`) });
    expect(readClaim(request, VECTOR_TIME)?.accessKeyId).toBe(accessKeyId);
  });

  it.each(["f", SIGNATURE.slice(1), "", "g".repeat(64), `${SIGNATURE}0`])(
    "accepts the signature %j, which fails the later verification",
    (signature) => {
      const request = signed({ authorization: authorization(CREDENTIAL, SIGNED, signature) });
      expect(readClaim(request, VECTOR_TIME)?.signature).toBe(signature);
    },
  );

  it("accepts other services where allowed, with an optional payload hash", () => {
    const request = signed({
      "x-amz-content-sha256": undefined,
      authorization: authorization(`${ACCESS_KEY_ID}/20130524/us-east-1/sts/aws4_request`, "host;x-amz-date"),
    });
    expect(readClaim(request, VECTOR_TIME, new Set(["s3", "iam", "sts"]))).toMatchObject({
      scope: { service: "sts" },
      payloadHash: "",
    });
    expect(() => readClaim(request, VECTOR_TIME)).toThrow('incorrect service "sts". This endpoint belongs to "s3".');
  });

  const MALFORMED: readonly (readonly [name: string, authorization: string, message: RegExp])[] = [
    ["no fields", "AWS4-HMAC-SHA256", /three components/],
    ["an empty field", `${authorization()},`, /three components/],
    ["no Credential", `AWS4-HMAC-SHA256 SignedHeaders=${SIGNED}, Signature=${SIGNATURE}`, /three components/],
    ["no SignedHeaders", `AWS4-HMAC-SHA256 Credential=${CREDENTIAL}, Signature=${SIGNATURE}`, /three components/],
    ["no Signature", `AWS4-HMAC-SHA256 Credential=${CREDENTIAL}, SignedHeaders=${SIGNED}`, /three components/],
    ["two Signatures", `${authorization()}, Signature=${SIGNATURE}`, /three components/],
    ["two Credentials", `${authorization()}, Credential=${CREDENTIAL}`, /three components/],
    ["a field of another name", `${authorization()}, __proto__=x`, /three components/],
    ["a second header", `${authorization()}, ${authorization()}`, /three components/],
    ["a Bearer after it", `${authorization()}, Bearer x`, /three components/],
    ["a scope of 3 parts", authorization(`${ACCESS_KEY_ID}/20130524/s3`), /Credential is mal-formed/],
    ["a scope of 6 parts", authorization(`a/${CREDENTIAL}`), /Credential is mal-formed/],
    ["a slash in the access key", authorization(`AK/IA/${SCOPE}`), /Credential is mal-formed/],
    ["no access key", authorization(`/${SCOPE}`), /Credential is mal-formed/],
    ["an empty credential", authorization(""), /Credential is mal-formed/],
    ["a short date", authorization(`${ACCESS_KEY_ID}/2013052/auto/s3/aws4_request`), /incorrect date format "2013052"/],
    [
      "another day",
      authorization(`${ACCESS_KEY_ID}/20130525/auto/s3/aws4_request`),
      /not the same as X-Amz-Date: "20130524"/,
    ],
    ["another service", authorization(`${ACCESS_KEY_ID}/20130524/auto/sqs/aws4_request`), /incorrect service "sqs"/],
    [
      "a service of Object's",
      authorization(`${ACCESS_KEY_ID}/20130524/auto/__proto__/aws4_request`),
      /incorrect service/,
    ],
    [
      "another terminal",
      authorization(`${ACCESS_KEY_ID}/20130524/auto/s3/aws5_request`),
      /incorrect terminal "aws5_request"/,
    ],
    ["no header names", authorization(CREDENTIAL, ""), /SignedHeaders/],
    ["an empty header name", authorization(CREDENTIAL, "host;;x-amz-date"), /SignedHeaders/],
    ["a header name twice", authorization(CREDENTIAL, "host;host;x-amz-date"), /SignedHeaders/],
    ["a header name of two words", authorization(CREDENTIAL, "host;x amz date"), /SignedHeaders/],
    ["a header name with a line end", authorization(CREDENTIAL, "host;x:y"), /SignedHeaders/],
  ];

  it.each(MALFORMED)("returns 400 AuthorizationHeaderMalformed for %s", async (_name, value, message) => {
    const error = await refusal(signed({ authorization: value }));
    expect([error.code, error.status]).toEqual(["AuthorizationHeaderMalformed", 400]);
    expect(error.message).toMatch(/^The authorization header is malformed; /);
    expect(error.message).toMatch(message);
  });

  it.each([
    [-16 * MINUTE, "20130523T234400Z"],
    [16 * MINUTE, "20130524T001600Z"],
    [0, "19691231T235959Z"],
    [0, "99991231T235959Z"],
  ])("returns 403 RequestTimeTooSkewed for a clock off by more than 15 minutes (%i, %s)", async (_offset, amzDate) => {
    const credential = `${ACCESS_KEY_ID}/${amzDate.slice(0, 8)}/us-east-1/s3/aws4_request`;
    const error = await refusal(signed({ "x-amz-date": amzDate, authorization: authorization(credential) }));
    expect([error.code, error.status]).toEqual(["RequestTimeTooSkewed", 403]);
    expect(error.fields).toEqual({
      RequestTime: amzDate,
      ServerTime: "2013-05-24T00:00:00Z",
      MaxAllowedSkewMilliseconds: 900_000,
    });
  });

  it.each([-15 * MINUTE, 15 * MINUTE])("allows a clock off by %i milliseconds", (offset) => {
    expect(readClaim(signed(), VECTOR_TIME + offset)).toBeDefined();
  });

  it.each([undefined, "", "20131324T000000Z", "20130532T000000Z", "20130524T250000Z", "2013-05-24T00:00:00Z", "now"])(
    "returns 403 AccessDenied for the date %j",
    async (date) => {
      const error = await refusal(signed({ "x-amz-date": date }));
      expect([error.code, error.status]).toEqual(["AccessDenied", 403]);
      expect(error.message).toBe("AWS authentication requires a valid Date or x-amz-date header");
    },
  );

  it("returns 403 AccessDenied for a duplicate date", async () => {
    const error = await refusal(signed({ "x-amz-date": "20130524T000000Z, 20130524T000000Z" }));
    expect(error.code).toBe("AccessDenied");
  });

  it("returns 400 InvalidRequest without x-amz-content-sha256", async () => {
    const request = signed({ "x-amz-content-sha256": undefined });
    const error = await refusal(request);
    expect([error.code, error.status]).toEqual(["InvalidRequest", 400]);
    expect(error.message).toBe("Missing required header for this request: x-amz-content-sha256");
  });

  it("returns 400 InvalidArgument for an invalid x-amz-content-sha256", async () => {
    const error = await refusal(signed({ "x-amz-content-sha256": "STREAMING" }));
    expect([error.code, error.status]).toEqual(["InvalidArgument", 400]);
    expect(error.fields).toEqual({ ArgumentName: "x-amz-content-sha256", ArgumentValue: "STREAMING" });
  });

  it.each([
    ["x-amz-acl", { "x-amz-acl": "public-read" }, SIGNED, "x-amz-acl"],
    ["x-amz-copy-source", { "x-amz-copy-source": "/b/obj" }, SIGNED, "x-amz-copy-source"],
    ["x-amz-security-token", { "x-amz-security-token": "bogus" }, SIGNED, "x-amz-security-token"],
    ["Content-MD5", { "content-md5": "x" }, SIGNED, "content-md5"],
    ["Host", {}, "x-amz-content-sha256;x-amz-date", "host"],
    ["x-amz-date", {}, "host;x-amz-content-sha256", "x-amz-date"],
    ["several", { "x-amz-acl": "private", "x-amz-meta-a": "1" }, SIGNED, "x-amz-acl, x-amz-meta-a"],
    [
      "Date as the time",
      { "x-amz-date": undefined, date: "Fri, 24 May 2013 00:00:00 GMT" },
      "host;x-amz-content-sha256",
      "date",
    ],
  ] satisfies (readonly [string, Changes, string, string])[])(
    "answers 403 AccessDenied to an unsigned %s",
    async (_name, headers, signedHeaders, missing) => {
      const error = await refusal(signed({ ...headers, authorization: authorization(CREDENTIAL, signedHeaders) }));
      expect([error.code, error.status]).toEqual(["AccessDenied", 403]);
      expect(error.message).toBe("There were headers present in the request which were not signed");
      expect(error.fields).toEqual({ HeadersNotSigned: missing });
    },
  );

  it("does not require signatures of headers that proxies rewrite", () => {
    const request = signed({
      expect: "100-continue",
      "user-agent": "x",
      "content-length": "0",
      "x-forwarded-host": "real",
    });
    expect(readClaim(request, VECTOR_TIME)).toBeDefined();
  });
});

describe("readClaim without a known mechanism", () => {
  it("returns undefined without credentials", () => {
    expect(readClaim(requestOf("https://h/b/k?list-type=2&X-Amz-Date=x"), VECTOR_TIME)).toBeUndefined();
  });

  const ONLY_ONE = /^Only one auth mechanism allowed; /;
  const UNSUPPORTED = /^Unsupported Authorization Type$/;

  const USE_V4 =
    /^The authorization mechanism you have provided is not supported\. Please use AWS4-HMAC-SHA256\. .*\bauto\b.*\bs3v4\./;

  const CASES: readonly (readonly [string, ReturnType<typeof requestOf>, S3ErrorCode, RegExp])[] = [
    ["a header and a presigned URL", signed({}, "?X-Amz-Algorithm=AWS4-HMAC-SHA256"), "InvalidArgument", ONLY_ONE],
    ["a header and a signature in the query", signed({}, "?X-Amz-Signature=x"), "InvalidArgument", ONLY_ONE],
    ["a header and SigV2 in the query", signed({}, "?AWSAccessKeyId=a&Signature=b"), "InvalidArgument", ONLY_ONE],
    ["SigV2 and a presigned URL", presigned({}, "", { authorization: "AWS a:b" }), "InvalidArgument", ONLY_ONE],
    ["two in the query", presigned({}, "&AWSAccessKeyId=a"), "InvalidArgument", ONLY_ONE],
    ["a SigV2 header", signed({ authorization: "AWS AKIA:c2ln" }), "InvalidRequest", USE_V4],
    ["SigV2 in the query", requestOf("https://h/b/k?AWSAccessKeyId=a&Signature=b&Expires=1"), "InvalidRequest", USE_V4],
    ["Bearer", signed({ authorization: "Bearer x" }), "InvalidArgument", UNSUPPORTED],
    ["Basic", signed({ authorization: "Basic eDp5" }), "InvalidArgument", UNSUPPORTED],
    ["a token alone", signed({ authorization: "eDp5" }), "InvalidArgument", UNSUPPORTED],
    ["an empty header", signed({ authorization: "" }), "InvalidArgument", UNSUPPORTED],
    ["SigV4A", signed({ authorization: "AWS4-ECDSA-P256-SHA256 Credential=x" }), "InvalidArgument", UNSUPPORTED],
    ["a scheme that begins alike", signed({ authorization: "AWS4-HMAC-SHA2567 x" }), "InvalidArgument", UNSUPPORTED],
  ];

  it.each(CASES)("returns 400 for %s", async (_name, request, code, message) => {
    const error = await refusal(request);
    expect([error.code, error.status]).toEqual([code, 400]);
    expect(error.message).toMatch(message);
    if (code === "InvalidArgument") {
      expect(error.fields["ArgumentName"]).toBe("Authorization");
      // The scheme alone: what follows it may be a secret.
      const [scheme, credentials] = request.headers.get("authorization")?.split(" ") ?? [];
      expect(error.fields["ArgumentValue"]).toBe(credentials === undefined ? undefined : scheme);
    }
  });

  it.each(["Bearer x", "Basic eDp5", ""])("ignores %j in addition to a presigned URL", (value) => {
    expect(readClaim(presigned({}, "", { authorization: value }), VECTOR_TIME)).toMatchObject({ form: "query" });
  });

  it.each(["X-Amz-Signature=x", "x-amz-signature=x", "X-Amz-Credential=x", "X-AMZ-ALGORITHM"])(
    "never treats ?%s as anonymous",
    async (query) => {
      expect((await refusal(requestOf(`https://h/b/k?${query}`))).code).toBe("AuthorizationQueryParametersError");
    },
  );
});
