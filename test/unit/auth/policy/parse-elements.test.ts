// Which elements of a statement are valid: Action, Condition, Resource and Principal.
import { describe, expect, it } from "vitest";

import { ACCOUNT, IDENTITY, problemOf, type Elements } from "./support.ts";
import { identityText, problemWith } from "./parse-fixture.ts";

describe("an action", () => {
  it.each([
    "s3:GetObject",
    "S3:getobject",
    "s3:*",
    "*",
    "s3:Get*",
    "s3:?etObject",
    "s3:*Object*",
    "s3:GetObjectVersion",
    "s3:DeleteObjectTagging",
    ["s3:GetObject", "s3:PutObject"],
  ])("can be %j", (Action) => {
    expect(problemWith({ Action })).toBe("no problem");
    expect(problemWith({ Action: undefined, NotAction: Action })).toBe("no problem");
  });

  it.each([
    "s3:GetObjects",
    "s3:Got*",
    "GetObject",
    "s3",
    "s3:",
    ":GetObject",
    "s3*",
    "*:*",
    "s3:GetObject ",
    "s3:GetObject/x",
    "iam:*",
    "sts:GetCallerIdentity",
    "ec2:RunInstances",
    "",
    [],
    ["s3:GetObject", "s3:Nothing"],
    7,
    null,
    { "s3:GetObject": true },
    [["s3:GetObject"]],
    "s3:${aws:username}",
  ])("may not be %j", (Action) => {
    expect(problemWith({ Action })).toBe("Policy has invalid action");
  });

  it.each([
    ["s3:DeleteBucketTagging", "arn:aws:s3:::b"],
    ["s3:DeleteLifecycleConfiguration", "arn:aws:s3:::b"],
    ["s3:ListBucket", "arn:aws:s3:::b"],
    ["s3:L*", "arn:aws:s3:::b"],
    ["s3:L*", "arn:aws:s3:::b/*"],
    ["s3:*", "arn:aws:s3:::b"],
    ["s3:*", "arn:aws:s3:::b/*"],
    [
      ["s3:ListBucket", "s3:GetObject"],
      ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
    ],
    ["s3:GetObject", ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]],
  ])("%j may be done to %j", (Action, Resource) => {
    expect(problemWith({ Action, Resource })).toBe("no problem");
  });

  it.each([
    ["s3:ListBucket", "arn:aws:s3:::b/*"],
    ["s3:GetObject", "arn:aws:s3:::b"],
    ["s3:GetObject*", "arn:aws:s3:::b"],
    ["s3:ListAllMyBuckets", ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]],
    [["s3:GetObject", "s3:ListBucket"], "arn:aws:s3:::b/*"],
  ])("%j does not apply to %j", (Action, Resource) => {
    expect(problemWith({ Action, Resource })).toBe("Action does not apply to any resource(s) in statement");
    expect(problemWith({ Action: undefined, NotAction: Action, Resource })).toBe("no problem");
    expect(problemWith({ Action, Resource: undefined, NotResource: Resource })).toBe("no problem");
  });
});

describe("a condition", () => {
  const objects = "arn:aws:s3:::b/*";
  const both = ["arn:aws:s3:::b", objects];
  const problem = "Conditions do not apply to combination of actions and resources in statement";
  const on = (key: string): Elements => ({ Condition: { StringEquals: { [key]: "x" } } });

  it.each<[string, string, string | readonly string[], string | readonly string[]]>([
    ["s3:prefix", "a listing", "s3:ListBucket", both],
    ["s3:prefix", "listings", ["s3:ListBucket", "s3:ListBucketVersions"], both],
    ["s3:prefix", "all actions", "s3:*", both],
    ["S3:Max-Keys", "some actions", "s3:List*", both],
    ["s3:ExistingObjectTag/a", "a reading", ["s3:GetObject", "s3:GetObjectVersion"], objects],
    ["s3:RequestObjectTag/a", "a writing", ["s3:PutObject", "s3:PutObjectTagging"], objects],
    ["s3:if-none-match", "a writing", "s3:PutObject", objects],
    ["s3:if-match", "a deletion", "s3:DeleteObject", objects],
    ["s3:x-amz-server-side-encryption", "a writing", "s3:PutObject*", objects],
    ["s3:authType", "anything", ["s3:GetObject", "s3:PutObject"], objects],
    ["s3:BucketTag/a", "anything", ["s3:GetObject", "s3:PutObject"], objects],
    ["aws:Referer", "anything", ["s3:GetObject", "s3:PutObject"], objects],
  ])("may ask for %s of %s", (key, _name, Action, Resource) => {
    expect(problemWith({ Action, Resource, ...on(key) })).toBe("no problem");
  });

  it.each<[string, string, string | readonly string[], string | readonly string[]]>([
    ["s3:prefix", "an object", "s3:GetObject", objects],
    ["s3:prefix", "one action too many", ["s3:ListBucket", "s3:GetBucketLocation"], both],
    ["s3:delimiter", "some actions", "s3:Get*", both],
    ["s3:ExistingObjectTag/a", "a write that replaces an object", "s3:PutObject", objects],
    ["s3:ExistingObjectTag/a", "what deletes", ["s3:GetObject", "s3:DeleteObject"], objects],
    ["s3:RequestObjectTagKeys", "a reading", "s3:GetObject", objects],
    ["s3:if-none-match", "a reading", "s3:GetObject", objects],
    ["s3:LocationConstraint", "a bucket that is there", "s3:ListBucket", both],
  ])("may not ask for %s of %s", (key, _name, Action, Resource) => {
    expect(problemWith({ Action, Resource, ...on(key) })).toBe(problem);
    expect(problemWith({ Action: undefined, NotAction: Action, Resource, ...on(key) })).toBe("no problem");
    const text = identityText({ Action, Resource, ...on(key) });
    expect(problemOf(text, IDENTITY)).toBe("no problem");
  });
});

describe("a resource", () => {
  it.each(["arn:aws:s3:::b/*", "arn:aws:s3:::b/k", "arn:aws:s3:::b/?", "arn:aws:s3:::b//", "arn:aws:s3:::b/é ü/*"])(
    "can be %s",
    (Resource) => {
      expect(problemWith({ Resource })).toBe("no problem");
      expect(problemWith({ Resource: undefined, NotResource: [Resource] })).toBe("no problem");
    },
  );

  it.each([
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::b*",
    "arn:aws:s3:::?",
    "arn:aws:s3:::b*/k",
    "arn:aws:s3:::c/k",
    "arn:aws:s3:::bb/k",
    "arn:aws:s3:::B/k",
    "arn:aws:s3:::b/",
    "arn:aws:s3:::/k",
    "arn:aws:s3:::${aws:username}/k",
    "arn:*:s3:::b/k",
    "arn:aws:s3:us-east-1::b/k",
    "b/k",
    " arn:aws:s3:::b/k",
    "",
    [],
    ["arn:aws:s3:::b/k", "arn:aws:s3:::c/k"],
    true,
    [null],
  ])("may not be %j", (Resource) => {
    expect(problemWith({ Resource })).toBe("Policy has invalid resource");
    expect(problemWith({ Resource: undefined, NotResource: Resource })).toBe("Policy has invalid resource");
  });
});

describe("a principal", () => {
  it.each([
    "*",
    { AWS: "*" },
    { AWS: ["*"] },
    { AWS: ACCOUNT },
    { AWS: "999999999999" },
    { AWS: [`arn:aws:iam::${ACCOUNT}:root`, `arn:aws:iam::${ACCOUNT}:user/a/b+=,.@_-c`] },
    { AWS: `arn:aws:iam::${ACCOUNT}:role/service/r` },
    { AWS: `arn:aws:sts::${ACCOUNT}:federated-user/guest` },
    { AWS: `arn:aws:sts::${ACCOUNT}:assumed-role/r/session@x` },
    { AWS: `arn:aws:sts::${ACCOUNT}:assumed-role/path/r/session@x` },
    { AWS: "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1ABCDEF2GHIJK" },
    { CanonicalUser: ACCOUNT },
    { CanonicalUser: "0123456789abcdef".repeat(4) },
    { Service: "cloudfront.amazonaws.com" },
    { Service: ["logging.s3.amazonaws.com", "s3.amazonaws.com"] },
    { Federated: "accounts.google.com" },
    { Federated: `arn:aws:iam::${ACCOUNT}:saml-provider/x` },
    { AWS: ACCOUNT, Service: "s3.amazonaws.com" },
  ])("may be %j", (Principal) => {
    expect(problemWith({ Principal })).toBe("no problem");
  });

  it.each([
    "**",
    "anonymous",
    ACCOUNT,
    `arn:aws:iam::${ACCOUNT}:user/bob`,
    ["*"],
    [],
    {},
    null,
    7,
    { aws: "*" },
    { AWS: [] },
    { AWS: {} },
    { AWS: [7] },
    { AWS: "" },
    { AWS: "1" },
    { AWS: `${ACCOUNT}0` },
    { AWS: "1111222233*" },
    { AWS: `arn:aws:iam::${ACCOUNT}:user/*` },
    { AWS: `arn:aws:iam::${ACCOUNT}:user/b?b` },
    { AWS: `arn:aws:iam::${ACCOUNT}:user/` },
    { AWS: `arn:aws:iam::${ACCOUNT}:*` },
    { AWS: `arn:aws:iam::*:root` },
    { AWS: `arn:aws:iam::${ACCOUNT}:root/x` },
    { AWS: `arn:aws:iam::${ACCOUNT}:group/g` },
    { AWS: `arn:aws:iam::${ACCOUNT}:user/bob ` },
    { AWS: "AIDAEXAMPLEEXAMPLE" },
    { AWS: "${aws:username}" },
    { CanonicalUser: "*" },
    { CanonicalUser: "999999999999" },
    { CanonicalUser: "x" },
    { Service: "*" },
    { Service: "s3.example.com" },
    { Federated: "*" },
    { Federated: "localhost" },
    { "*": "*" },
    { Everyone: "*" },
    { ["__proto__"]: "*" },
  ])("may not be %j", (Principal) => {
    expect(problemWith({ Principal })).toBe("Invalid principal in policy");
    expect(problemWith({ Principal: undefined, NotPrincipal: Principal })).toBe("Invalid principal in policy");
  });

  it.each(["*", { AWS: "*" }, { AWS: [ACCOUNT, "*"] }])(
    "cannot be excluded when it is everyone: %j",
    (NotPrincipal) => {
      expect(problemWith({ Principal: undefined, NotPrincipal })).toBe("Invalid principal in policy");
    },
  );
});
