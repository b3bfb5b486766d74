// Requests that are wrong: each is refused with the right code in S3's XML, and none makes the server fail.
import assert from "node:assert/strict";
import type { Check } from "../harness.ts";
import { hashBytes } from "../hashes.ts";
import { signRequest } from "./sign.ts";
import { assertAbsent, assertError, type RawRequest, type RawTools } from "./tools.ts";

export function malformedChecks(tools: RawTools): Check[] {
  return [...signedChecks(tools), ...authorizationChecks(tools), ...payloadChecks(tools), ...httpChecks(tools)];
}

/** Correctly signed requests with invalid input. */
function signedChecks({ bucket, send }: RawTools): Check[] {
  const object = `/${bucket}/malformed`;
  const remove = (body: string): RawRequest => ({
    method: "POST",
    target: `/${bucket}?delete`,
    body,
    headers: md5(body),
  });
  const refused: readonly (readonly [what: string, status: number, code: string, request: RawRequest])[] = [
    ["a deletion that is no XML", 400, "MalformedXML", remove("not XML")],
    ["a deletion cut off", 400, "MalformedXML", remove("<Delete><Object><Key>a</Key>")],
    ["a deletion of nothing", 400, "MalformedXML", remove("<Delete></Delete>")],
    ["a deletion with an entity of its own", 400, "MalformedXML", remove(ENTITY_DELETION)],
    ["a deletion with another's checksum", 400, "BadDigest", { ...remove(DELETION), headers: md5("other") }],
    ["max-keys that is no number", 400, "InvalidArgument", { method: "GET", target: `/${bucket}?max-keys=abc` }],
    ["an unknown encoding-type", 400, "InvalidArgument", { method: "GET", target: `/${bucket}?encoding-type=x` }],
    ["two subresources", 400, "InvalidArgument", { method: "GET", target: `/${bucket}?acl&policy` }],
    ["a method with no meaning", 405, "MethodNotAllowed", { method: "POST", target: object }],
    ["Content-MD5 that is none", 400, "InvalidDigest", { ...put(object), headers: { "content-md5": "x" } }],
    ["a storage class unheard of", 400, "InvalidStorageClass", withHeader("x-amz-storage-class", "COLD")],
    ["a checksum of no known kind", 400, "InvalidRequest", withHeader("x-amz-checksum-crc16", "AAA=")],
    ["two checksums", 400, "InvalidRequest", { ...put(object), headers: TWO_CHECKSUMS }],
    ["a promised checksum that is missing", 400, "InvalidRequest", withHeader("x-amz-sdk-checksum-algorithm", "CRC32")],
    [
      "an owner that is no account",
      400,
      "InvalidBucketOwnerAWSAccountID",
      withHeader("x-amz-expected-bucket-owner", "x"),
    ],
    ["a location that is no XML", 400, "MalformedXML", { method: "PUT", target: `/${bucket}-x`, body: "<Create" }],
    ["both conditions on a write", 501, "NotImplemented", { ...put(object), headers: BOTH_CONDITIONS }],
    [
      "a chunked document without a length",
      411,
      "MissingContentLength",
      { ...put(`${object}?tagging`), unsigned: CHUNKED, body: "1\r\nx\r\n0\r\n\r\n" },
    ],
  ];
  return [
    ...refused.map(([what, status, code, request]) => ({
      name: `${what} is refused with ${code}`,
      run: async () => assertError(await send(request), status, code),
    })),
    {
      name: "DeleteObjects without a checksum succeeds",
      run: async () => assert.equal((await send({ ...remove(DELETION), headers: {} })).status, 200),
    },
  ];

  function withHeader(name: string, value: string): RawRequest {
    return { ...put(object), headers: { [name]: value } };
  }
}

function put(target: string): RawRequest {
  return { method: "PUT", target, body: "x" };
}

function md5(body: string): Record<string, string> {
  return { "content-md5": Buffer.from(hashBytes("md5", body), "hex").toString("base64") };
}

const DELETION = "<Delete><Object><Key>a</Key></Object></Delete>";
const ENTITY_DELETION = `<!DOCTYPE d [<!ENTITY e "a">]><Delete><Object><Key>&e;</Key></Object></Delete>`;
const TWO_CHECKSUMS = { "x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-crc32c": "AAAAAA==" };
const BOTH_CONDITIONS = { "if-match": '"a"', "if-none-match": "*" };
const CHUNKED = { "transfer-encoding": "chunked" };

/** Signatures and their headers, each with one invalid part. */
function authorizationChecks(tools: RawTools): Check[] {
  const { bucket, identity, sendPieces } = tools;
  const target = `/${bucket}?list-type=2`;
  const { head } = signRequest({ ...identity, method: "GET", target });
  const withAuthorization = (value: string) => head.replace(/authorization: [^\r]*/, `authorization: ${value}`);
  const dated = (now: Date) => signRequest({ ...identity, method: "GET", target, now }).head;
  const query = (parameters: string) => `GET ${target}&${parameters} HTTP/1.1\r\nHost: ${identity.host}\r\n\r\n`;
  const refused: readonly (readonly [what: string, status: number, code: string, head: string])[] = [
    [
      "an Authorization of nothing but its name",
      400,
      "AuthorizationHeaderMalformed",
      withAuthorization("AWS4-HMAC-SHA256"),
    ],
    [
      "an Authorization that is noise",
      400,
      "AuthorizationHeaderMalformed",
      withAuthorization("AWS4-HMAC-SHA256 x=y,,="),
    ],
    ["a Bearer token alone", 400, "InvalidArgument", withAuthorization("Bearer token")],
    ["an Authorization of version 2", 400, "InvalidRequest", withAuthorization("AWS AKIA:c2lnbmF0dXJl")],
    ["a signature of the wrong length", 403, "SignatureDoesNotMatch", head.replace(/Signature=\w+/, "Signature=0123")],
    ["a signature that covers no host", 403, "AccessDenied", head.replace("SignedHeaders=host;", "SignedHeaders=")],
    ["a service other than s3", 400, "AuthorizationHeaderMalformed", head.replace("/s3/", "/ec2/")],
    ["a clock an hour late", 403, "RequestTimeTooSkewed", dated(new Date(Date.now() - 3_600_000))],
    ["a clock an hour early", 403, "RequestTimeTooSkewed", dated(new Date(Date.now() + 3_600_000))],
    ["an unsigned x-amz header", 403, "AccessDenied", head.replace("\r\n\r\n", "\r\nx-amz-meta-a: 1\r\n\r\n")],
    ["a request without a payload hash", 400, "InvalidRequest", head.replace(/x-amz-content-sha256: [^\r]*\r\n/, "")],
    ["no signature at all", 403, "AccessDenied", `GET ${target} HTTP/1.1\r\nHost: ${identity.host}\r\n\r\n`],
    [
      "a presigned query of which parts are missing",
      400,
      "AuthorizationQueryParametersError",
      query("X-Amz-Algorithm=AWS4-HMAC-SHA256"),
    ],
    [
      "a presigned query of empty parts",
      400,
      "AuthorizationQueryParametersError",
      query("X-Amz-Algorithm=&X-Amz-Credential=&X-Amz-Date=&X-Amz-Expires=&X-Amz-SignedHeaders=&X-Amz-Signature="),
    ],
  ];
  return [
    ...refused.map(([what, status, code, text]) => ({
      name: `${what} is refused with ${code}`,
      run: async () => assertError(await sendPieces([text]), status, code),
    })),
    {
      name: "an anonymous request cannot make a bucket, nor put, list or delete anything",
      async run() {
        for (const line of [
          `PUT /${bucket}-x`,
          `PUT /${bucket}/k`,
          `DELETE /${bucket}/k`,
          "GET /",
          `DELETE /${bucket}`,
        ]) {
          const text = `${line} HTTP/1.1\r\nHost: ${identity.host}\r\nContent-Length: 0\r\n\r\n`;
          assertError(await sendPieces([text]), 403, "AccessDenied");
        }
      },
    },
  ];
}

/** Payload hashes that do not match the payload. */
function payloadChecks(tools: RawTools): Check[] {
  const { bucket, send } = tools;
  return [
    {
      name: "a body other than the one whose hash was signed is refused and not stored",
      async run() {
        const target = `/${bucket}/hashed`;
        const request = { method: "PUT", target, body: "another", payload: hashBytes("sha256", "the signed one") };
        assertError(await send(request), 400, "XAmzContentSHA256Mismatch");
        await assertAbsent(tools, target);
      },
    },
    {
      name: "an invalid payload hash is refused",
      async run() {
        const { status, body } = await send({ method: "PUT", target: `/${bucket}/hashed`, body: "x", payload: "AB" });
        assert.equal(status, 400, body);
      },
    },
  ];
}

/** Requests that the runtime refuses: without S3's error document, but never with a 5xx. */
function httpChecks({ identity, sendPieces, bucket }: RawTools): Check[] {
  const host = `Host: ${identity.host}\r\n`;
  const texts = [
    "GET / HTTP/1.1\r\n\r\n",
    `GET /${bucket}/a b HTTP/1.1\r\n${host}\r\n`,
    `GET /${bucket}/<x> HTTP/1.1\r\n${host}\r\n`,
    `BREW /${bucket} HTTP/1.1\r\n${host}\r\n`,
    `GET /${bucket} HTTP/1.1\r\n${host}Content-Length: x\r\n\r\n`,
    `GET /${bucket} HTTP/1.1\r\n${host}: no name\r\n\r\n`,
    `PUT /${bucket}/k HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    "\u0016\u0003\u0001\u0002 not HTTP at all\r\n\r\n",
  ];
  return [
    {
      name: "malformed HTTP returns 4xx, never 5xx",
      async run() {
        for (const text of texts) {
          const { status, body } = await sendPieces([text], { ending: "end" });
          assert.ok(status === 0 || status === 501 || (status >= 400 && status < 500), `${status} ${body}\n${text}`);
        }
      },
    },
    {
      name: "a connection can be reused after a refusal",
      async run() {
        const request = `GET /${bucket} HTTP/1.1\r\n${host}\r\n`;
        assertError(await sendPieces([request]), 403, "AccessDenied");
        const two = await sendPieces([request, request]);
        assert.equal(two.status, 403);
      },
    },
  ];
}
