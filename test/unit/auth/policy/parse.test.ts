// Which texts are valid policies, and the error message for all others.
import { describe, expect, it } from "vitest";

import { parsePolicy } from "../../../../src/auth/policy/parse.ts";
import { ACCOUNT, BUCKET, IDENTITY, policyText, problemOf, statement, type Elements } from "./support.ts";

const JSON_PROBLEM = "Policies must be valid JSON and the first byte must be '{'";

function problemWith(elements: Elements): string {
  return problemOf(policyText([statement(elements)]));
}

function identityText(elements: Elements = {}): string {
  return policyText([statement({ Principal: undefined, ...elements })]);
}

describe("a bucket's policy", () => {
  it("is parsed completely", () => {
    const text = JSON.stringify({
      Version: "2012-10-17",
      Id: "an id of any kind",
      Statement: [
        {
          Sid: "first one",
          Effect: "Deny",
          NotPrincipal: { AWS: [ACCOUNT, `arn:aws:iam::${ACCOUNT}:user/bob`] },
          NotAction: ["S3:Get*"],
          NotResource: "arn:aws:s3:::b/x",
          Condition: {
            "ForAnyValue:StringLikeIfExists": { "aws:TagKeys": "a*" },
            Bool: { "AWS:securetransport": false },
          },
        },
        statement(),
      ],
    });
    const { version, statements } = parsePolicy(text, BUCKET);
    expect(version).toBe("2012-10-17");
    expect(statements).toMatchObject([
      {
        sid: "first one",
        effect: "Deny",
        principal: {
          isNegated: true,
          isWildcard: false,
          arns: [`arn:aws:iam::${ACCOUNT}:root`, `arn:aws:iam::${ACCOUNT}:user/bob`],
        },
        action: { isNegated: true },
        resource: { isNegated: true },
        conditions: [
          { operator: "StringLike", qualifier: "ForAnyValue", isIfExists: true, key: "aws:tagkeys", values: ["a*"] },
          { operator: "Bool", qualifier: undefined, isIfExists: false, key: "aws:securetransport", values: ["false"] },
        ],
      },
      { sid: undefined, effect: "Allow", principal: { isNegated: false, isWildcard: true, arns: [] }, conditions: [] },
    ]);
  });

  it("can have one statement without a list, no version, and an empty Condition", () => {
    const { version, statements } = parsePolicy(JSON.stringify({ Statement: statement({ Condition: {} }) }), BUCKET);
    expect([version, statements.length]).toEqual(["2008-10-17", 1]);
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["a space before it", ` ${policyText([statement()])}`],
    ["a byte order mark before it", `\ufeff${policyText([statement()])}`],
    ["a list", `[${policyText([statement()])}]`],
    ["a text", '"{}"'],
    ["an element twice", policyText([statement()]).replace('"Effect":', '"Effect":"Deny","Effect":')],
    [
      "a condition key twice",
      '{"Statement":{"Condition":{"Bool":{"aws:ViaAWSService":true,"aws:ViaAWSService":true}}}}',
    ],
    ["half a character", policyText([statement({ Sid: "\ud800" })])],
  ])("is refused with %s", (_name, text) => {
    expect(problemOf(text)).toBe(JSON_PROBLEM);
  });

  it.each([
    [{}, "Missing required field Statement"],
    [{ Statement: [] }, "Missing required field Statement"],
    [{ Statement: ["x"] }, "Missing required field Statement"],
    [{ Statement: null }, "Missing required field Statement"],
    [{ Statement: statement(), Version: "2012-10-18" }, "The policy must contain a valid version string"],
    [{ Statement: statement(), Version: 2012 }, "The policy must contain a valid version string"],
    [{ Statement: statement(), Id: 1 }, "Policy has an invalid Id"],
    [{ Statement: statement(), version: "2012-10-17" }, "Unknown field version"],
    [{ statement: statement() }, "Unknown field statement"],
    [{ Statement: [statement(), statement({ effect: "Deny" })] }, "Unknown field effect"],
    [{ ["__proto__"]: { Statement: {} } }, "Unknown field __proto__"],
  ])("is refused where its elements are %j", (document, problem) => {
    expect(problemOf(JSON.stringify(document))).toBe(problem);
  });

  it.each<[Elements, string]>([
    [{ Effect: undefined }, "Missing required field Effect"],
    [{ Effect: "allow" }, "Invalid effect"],
    [{ Effect: ["Allow"] }, "Invalid effect"],
    [{ Effect: undefined, effect: "Allow" }, "Unknown field effect"],
    [{ Principal: undefined }, "Missing required field Principal"],
    [{ Action: undefined }, "Missing required field Action"],
    [{ Resource: undefined }, "Missing required field Resource"],
    [{ Resources: "*" }, "Unknown field Resources"],
    [{ NotPrincipal: { AWS: ACCOUNT } }, "Statement has both Principal and NotPrincipal"],
    [{ NotAction: "s3:*" }, "Statement has both Action and NotAction"],
    [{ NotResource: "arn:aws:s3:::b/x" }, "Statement has both Resource and NotResource"],
    [{ Condition: "x" }, "Policy has an invalid condition"],
    [{ Condition: [] }, "Policy has an invalid condition"],
    [{ Condition: { Bool: "x" } }, "Policy has an invalid condition"],
    [{ Condition: { Bool: {} } }, "Missing required field condition key"],
    [{ Condition: { Bool: { "aws:SecureTransport": [] } } }, "Policy has an invalid condition value"],
    [{ Condition: { Bool: { "aws:SecureTransport": null } } }, "Policy has an invalid condition value"],
    [{ Condition: { Bool: { "aws:SecureTransport": {} } } }, "Policy has an invalid condition value"],
    [{ Condition: { Bool: { "aws:SecureTransport": [["true"]] } } }, "Policy has an invalid condition value"],
    [{ Condition: { Bool: { "aws:SecureTransport": ["true", "x"] } } }, "Invalid value for Bool in condition"],
    [{ Condition: { ["__proto__"]: { x: "y" } } }, "Invalid Condition type : __proto__"],
    [{ Condition: { StringEquals: { ["__proto__"]: "y" } } }, "Policy has an invalid condition key"],
  ])("is refused with the statement %j", (elements, problem) => {
    expect(problemWith(elements)).toBe(problem);
  });

  it.each([
    "StringEqual",
    "stringEquals",
    "StringEqualsIfexists",
    "ForAllValue:StringEquals",
    "ForAnyValue:ForAllValues:StringEquals",
    "ForAnyValue: StringEquals",
    "IfExists",
    "NullIfExists",
    "ForAllValues:Null",
    "BoolNot",
    "constructor",
    "",
  ])("is rejected with the operator %j", (operator) => {
    const Condition = { [operator]: { "aws:Referer": "true" } };
    expect(problemWith({ Condition })).toBe(`Invalid Condition type : ${operator}`);
  });

  it.each([
    "aws:VpceAccount",
    "aws:Ec2InstanceSourceVpc",
    "aws:AssumedRoot",
    "s3:AccessPointTag/team",
    "s3:AccessGrantsInstanceArn",
    "lambda:SourceFunctionArn",
    "sts:RoleSessionName",
    "iam:ResourceTag/Team",
  ])("accepts %s, which AWS defines", (key) => {
    expect(problemWith({ Condition: { StringEquals: { [key]: "x" } } })).toBe("no problem");
  });

  it("applies the prefix to every listing action", () => {
    const elements = {
      Action: [
        "s3:GetBucketUsage",
        "s3:GetLifecycleConfiguration",
        "s3:RestoreBucketSnapshot",
        "s3:ListBucketVersions",
      ],
      Resource: "arn:aws:s3:::b",
      Condition: { StringLike: { "s3:prefix": "x/*" } },
    };
    expect(problemWith(elements)).toBe("no problem");
  });

  it.each([
    "prefix",
    "s3:prefixes",
    "aws:sourceip ",
    "s3:ExistingObjectTag",
    "s3:ExistingObjectTag/",
    "ec2:Region",
    "",
  ])("is rejected with the condition key %j", (key) => {
    expect(problemWith({ Condition: { StringEquals: { [key]: "x" } } })).toBe("Policy has an invalid condition key");
  });

  it.each(["aws:SourceIp", "AWS:SOURCEIP", "s3:x-amz-acl", "s3:ExistingObjectTag/a b", "aws:PrincipalTag/x"])(
    "can contain conditions on %s",
    (key) => {
      expect(problemWith({ Condition: { StringEquals: { [key]: "x" } } })).toBe("no problem");
    },
  );
});

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

describe("the policy of a user", () => {
  it.each<[Elements]>([
    [{}],
    [{ Action: "*", Resource: "*" }],
    [{ Action: ["iam:CreateUser", "sts:*", "s3:ListAllMyBuckets"], Resource: "*" }],
    [{ Action: "IAM:List*", Resource: `arn:aws:iam::${ACCOUNT}:user/*` }],
    [{ Action: "iam:*", Resource: ["arn:aws:iam::*:policy/x", "arn:aws:iam:::user/${aws:username}"] }],
    [{ Action: "iam:*", Resource: "arn:aws:iam::${aws:PrincipalAccount}:user/${aws:username}" }],
    [{ Action: "sts:AssumeRole", Resource: `arn:aws:sts::${ACCOUNT}:assumed-role/*` }],
    [{ Resource: ["arn:aws:s3:::*", "arn:aws:s3:::b*", "arn:aws:s3:::*/public/*"] }],
    [{ Resource: undefined, NotResource: "arn:aws:s3:::b/*" }],
    [{ Sid: "Statement1" }],
  ])("may hold %j", (elements) => {
    expect(problemOf(identityText(elements), IDENTITY)).toBe("no problem");
    expect(problemOf(identityText(elements), { of: "session" })).toBe("no problem");
  });

  it.each<[Elements, string]>([
    [{ Principal: "*" }, "Policy document should not specify a principal."],
    [{ NotPrincipal: "*" }, "Policy document should not specify a principal."],
    [{ Action: "ec2:*" }, "Policy has invalid action"],
    [{ Action: "iam:CreateUsers" }, "Policy has invalid action"],
    [{ Resource: "b/*" }, "Policy has invalid resource"],
    [{ Resource: "arn:aws:s3:::" }, "Policy has invalid resource"],
    [{ Resource: "arn:aws:ec2:::x" }, "Policy has invalid resource"],
    [{ Resource: "arn:*" }, "Policy has invalid resource"],
    [{ Resource: "arn:aws:iam::1:user/x" }, "Policy has invalid resource"],
    [{ Sid: "a b" }, "Statement IDs (SID) must be alpha numeric."],
    [{ Sid: 1 }, "Statement IDs (SID) must be alpha numeric."],
  ])("may not hold %j", (elements, problem) => {
    expect(problemOf(identityText(elements), IDENTITY)).toContain(problem);
    expect(problemOf(identityText(elements), { of: "session" })).toContain(problem);
  });

  it("requires unique Sids; a bucket's policy may repeat them", () => {
    const twice = (elements: Elements): string => policyText([statement(elements), statement(elements)]);
    const problem = "Statement IDs (SID) in a single policy must be unique.";
    expect(problemOf(twice({ Principal: undefined, Sid: "a" }), IDENTITY)).toBe(problem);
    expect(problemOf(twice({ Principal: undefined, Sid: "" }), IDENTITY)).toBe("no problem");
    expect(problemOf(twice({ Sid: "a" }))).toBe("no problem");
  });
});

describe("the size of a policy", () => {
  const problem = "Policy exceeds the maximum allowed document size.";
  const padded = (text: string, length: number, filling: string): string => {
    const room = length - text.length - '"Id":"",'.length;
    return `{"Id":"${filling.repeat(room)}",${text.slice(1)}`;
  };

  it("is counted in bytes for a bucket", () => {
    const text = policyText([statement()]);
    expect(problemOf(padded(text, 20_480, "x"))).toBe("no problem");
    expect(problemOf(padded(text, 20_481, "x"))).toBe(problem);
    expect(problemOf(padded(text, 12_000, "é"))).toBe(problem);
  });

  it("is counted in characters for a user, without white space", () => {
    expect(problemOf(padded(identityText(), 6144, "é"), IDENTITY)).toBe("no problem");
    expect(problemOf(padded(identityText(), 6145, "x"), IDENTITY)).toBe(problem);
    expect(problemOf(padded(identityText(), 9000, " "), IDENTITY)).toBe("no problem");
  });

  it("is counted in characters for a session", () => {
    expect(problemOf(padded(identityText(), 2048, "é"), { of: "session" })).toBe("no problem");
    expect(problemOf(padded(identityText(), 2049, " "), { of: "session" })).toBe(problem);
  });
});
