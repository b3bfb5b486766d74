import { describe, expect, it } from "vitest";

import type { SigningClaim } from "../../../src/auth/sigv4/claim.ts";
import { conditionKeysOf } from "../../../src/auth/access/condition-keys.ts";
import type { AuthorizationRequest } from "../../../src/auth/access/authorization-request.ts";
import { ANONYMOUS, rootPrincipal, type Principal } from "../../../src/auth/identity/principal.ts";
import {
  COPY_SOURCE,
  joinInputs,
  LISTING_SCOPE,
  NEW_OBJECT,
  NO_INPUTS,
  WRITE_CONDITIONS,
} from "../../../src/protocol/core/operation-inputs.ts";
import { requestFor } from "../protocol/support.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const ROOT = rootPrincipal("000000000000", "AKIAROOT");
const ALICE: Principal = {
  ...ROOT,
  kind: "user",
  arn: "arn:aws:iam::000000000000:user/alice",
  ownerArn: "arn:aws:iam::000000000000:user/alice",
  userId: "AIDAALICE",
  userName: "alice",
  tags: new Map([["Team", "red"]]),
};
const CLAIM: SigningClaim = {
  form: "query",
  accessKeyId: "AKIAALICE",
  scope: { date: "20260102", region: "eu-west-1", service: "s3" },
  signedHeaders: ["host"],
  signature: "",
  amzDate: "20260102T030305Z",
  payloadHash: "UNSIGNED-PAYLOAD",
  sessionToken: undefined,
  expiresAt: undefined,
};
const BUCKET = {
  name: "bucket",
  ownerId: "000000000000",
  region: "eu-west-1",
  creatorId: null,
  configurations: {
    tags: JSON.stringify([["Stage", "live"]]),
    policy: null,
    acl: null,
    ownership: null,
    public_access_block: null,
  },
};
const TAGGED = { tags: [{ key: "Access", value: "open" }], acl: undefined };

/** The inputs that all operations together obey. */
const EVERYTHING = joinInputs(NEW_OBJECT, COPY_SOURCE, WRITE_CONDITIONS, LISTING_SCOPE, {
  query: ["max-keys", "versionId"],
});

interface Asked {
  readonly principal?: Principal;
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly authorization?: Partial<AuthorizationRequest>;
  readonly isUnsigned?: boolean;
}

function keysOf({
  principal = ALICE,
  method = "GET",
  target = "/bucket/k",
  headers = {},
  authorization = {},
  isUnsigned,
}: Asked) {
  const whole: AuthorizationRequest = {
    actions: ["s3:GetObject"],
    bucket: BUCKET,
    bucketName: "bucket",
    key: "k",
    inputs: EVERYTHING,
    ...authorization,
  };
  const claim = isUnsigned === true ? undefined : CLAIM;
  return conditionKeysOf(principal, whole, {
    request: requestFor(method, target, headers),
    claim,
    now: NOW,
    region: "auto",
  });
}

describe("a condition key", () => {
  it.each<[name: string, asked: Asked, values: readonly string[] | undefined]>([
    ["aws:sourceip", { headers: { "cf-connecting-ip": "2001:db8::1" } }, ["2001:db8::1"]],
    ["aws:sourceip", { headers: { "x-forwarded-for": "2001:db8::1" } }, undefined],
    ["aws:securetransport", {}, ["true"]],
    ["aws:referer", { headers: { referer: "https://a.example/" } }, ["https://a.example/"]],
    ["aws:useragent", { headers: { "user-agent": "curl/8" } }, ["curl/8"]],
    ["aws:currenttime", {}, ["2026-01-02T03:04:05Z"]],
    ["aws:epochtime", {}, [String(NOW / 1000)]],
    ["aws:principalarn", {}, [ALICE.arn]],
    ["aws:principalarn", { principal: ANONYMOUS }, undefined],
    ["aws:principalaccount", {}, ["000000000000"]],
    ["aws:principalaccount", { principal: ANONYMOUS }, undefined],
    ["aws:principaltype", {}, ["User"]],
    ["aws:principaltype", { principal: ROOT }, ["Account"]],
    ["aws:principaltype", { principal: ANONYMOUS }, ["Anonymous"]],
    ["aws:principaltag/team", {}, ["red"]],
    ["aws:principaltag/other", {}, undefined],
    ["aws:userid", {}, ["AIDAALICE"]],
    ["aws:username", {}, ["alice"]],
    ["aws:username", { principal: ROOT }, undefined],
    ["aws:tokenissuetime", {}, undefined],
    ["aws:multifactorauthpresent", {}, undefined],
    ["aws:viaawsservice", {}, ["false"]],
    ["aws:requestedregion", {}, ["eu-west-1"]],
    ["s3:resourceaccount", {}, ["000000000000"]],
    ["s3:prefix", { target: "/bucket?prefix=a%2F", authorization: { key: undefined } }, ["a/"]],
    ["s3:prefix", { target: "/bucket", authorization: { key: undefined } }, undefined],
    ["s3:prefix", { target: "/bucket/k?prefix=a%2F" }, undefined],
    ["s3:delimiter", { target: "/bucket?delimiter=/", authorization: { key: undefined } }, ["/"]],
    ["s3:max-keys", { target: "/bucket?max-keys=7", authorization: { key: undefined } }, ["7"]],
    ["s3:versionid", { target: "/bucket/k?versionId=null" }, ["null"]],
    ["s3:versionid", { authorization: { versionId: "v" } }, ["v"]],
    ["s3:existingobjecttag/access", { authorization: { object: TAGGED } }, ["open"]],
    ["s3:existingobjecttag/access", {}, undefined],
    ["s3:requestobjecttag/a", { headers: { "x-amz-tagging": "A=1&b=2" } }, undefined],
    ["s3:requestobjecttagkeys", { headers: { "x-amz-tagging": "A=1&b=2" } }, undefined],
    ...["b/a k", "/b/a k", "b/a%20k", "%2Fb%2F%61%20%6B", "b/a%20k?versionId=null", "bbb_snap/a k"].map(
      (source): [string, Asked, readonly string[]] => {
        const bucket = source.startsWith("bbb") ? "bbb" : "b";
        return [
          "s3:x-amz-copy-source",
          { headers: { "x-amz-copy-source": source } },
          [`${bucket}/a k`, `/${bucket}/a k`],
        ];
      },
    ),
    ["s3:x-amz-copy-source", { headers: { "x-amz-copy-source": "nothing" } }, undefined],
    ["s3:x-amz-copy-source", {}, undefined],
    ["s3:x-amz-content-sha256", { isUnsigned: true, headers: { "x-amz-content-sha256": "abc" } }, undefined],
    ["s3:buckettag/stage", {}, ["live"]],
    ["s3:x-amz-acl", { headers: { "x-amz-acl": "private" } }, ["private"]],
    ["s3:x-amz-storage-class", {}, undefined],
    ["s3:x-amz-content-sha256", {}, ["UNSIGNED-PAYLOAD"]],
    ["s3:if-none-match", { headers: { "if-none-match": "*" } }, ["*"]],
    ["s3:authtype", {}, ["REST-QUERY-STRING"]],
    ["s3:authtype", { isUnsigned: true }, undefined],
    ["s3:signatureage", {}, ["60000"]],
    ["s3:signatureversion", {}, ["AWS4-HMAC-SHA256"]],
    ["s3:objectcreationoperation", { method: "PUT", authorization: { actions: ["s3:PutObject"] } }, ["true"]],
    ["s3:objectcreationoperation", { authorization: { actions: ["s3:PutObject"], createsObject: false } }, ["false"]],
    ["s3:objectcreationoperation", {}, undefined],
    ["__proto__", {}, undefined],
    ["constructor", {}, undefined],
    ["s3:existingobjecttag/__proto__", { authorization: { object: TAGGED } }, undefined],
  ])("%s of %j is %j", (name, asked, values) => {
    expect(keysOf(asked)(name)).toEqual(values);
  });

  it.each<[name: string, asked: Asked]>([
    ["s3:prefix", { target: "/bucket?prefix=a%2F", authorization: { key: undefined } }],
    ["s3:delimiter", { target: "/bucket?delimiter=/", authorization: { key: undefined } }],
    ["s3:max-keys", { target: "/bucket?max-keys=7", authorization: { key: undefined } }],
    ["s3:versionid", { target: "/bucket/k?versionId=null" }],
    ["s3:if-match", { headers: { "if-match": "a" } }],
    ["s3:if-none-match", { headers: { "if-none-match": "*" } }],
    ["s3:x-amz-acl", { headers: { "x-amz-acl": "private" } }],
    ["s3:x-amz-grant-read", { headers: { "x-amz-grant-read": "id=000000000000" } }],
    ["s3:x-amz-copy-source", { headers: { "x-amz-copy-source": "b/k" } }],
    ["s3:x-amz-metadata-directive", { headers: { "x-amz-metadata-directive": "COPY" } }],
    ["s3:x-amz-storage-class", { headers: { "x-amz-storage-class": "STANDARD" } }],
    ["s3:x-amz-server-side-encryption", { headers: { "x-amz-server-side-encryption": "AES256" } }],
    ["s3:x-amz-acl", { target: "/bucket/k?X-Amz-Signature=00&x-amz-acl=private" }],
  ])("%s has no value where the operation obeys no such input", (name, asked) => {
    expect(keysOf({ ...asked, authorization: { ...asked.authorization, inputs: NO_INPUTS } })(name)).toBeUndefined();
    expect(keysOf({ ...asked, authorization: { ...asked.authorization, inputs: undefined } })(name)).toBeUndefined();
  });

  it("takes the region from the bucket or the endpoint, and not from a signature's scope", () => {
    expect(keysOf({ authorization: { bucket: undefined } })("aws:requestedregion")).toEqual(["auto"]);
  });

  it("has the authorization request's value when it contains one", () => {
    const conditionKeys = new Map([["s3:locationconstraint", ["eu-west-1"]]]);
    expect(keysOf({ authorization: { conditionKeys } })("s3:locationconstraint")).toEqual(["eu-west-1"]);
  });

  it("about the caller's ARN is the role's for a role's session", () => {
    const roleArn = "arn:aws:iam::000000000000:role/path/r";
    expect(keysOf({ principal: { ...ALICE, roleArn } })("aws:principalarn")).toEqual([roleArn]);
  });

  it("distinguishes sessions by kind and start time", () => {
    const session = { kind: "federated", name: "f", policy: undefined, issuedAt: NOW } as const;
    expect(keysOf({ principal: { ...ALICE, session } })("aws:tokenissuetime")).toEqual(["2026-01-02T03:04:05Z"]);
    expect(keysOf({ principal: { ...ALICE, session } })("aws:principaltype")).toEqual(["FederatedUser"]);
    expect(keysOf({ principal: { ...ALICE, session } })("aws:multifactorauthpresent")).toEqual(["false"]);
    expect(keysOf({ principal: ALICE })("aws:multifactorauthpresent")).toBeUndefined();
    expect(keysOf({ principal: { ...ROOT, session: { ...session, kind: "session" } } })("aws:principaltype")).toEqual([
      "Account",
    ]);
  });
});
