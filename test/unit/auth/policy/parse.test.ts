// Which texts are valid policies of buckets and users, their size, and the error message for all others.
import { describe, expect, it } from "vitest";

import { parsePolicy } from "../../../../src/auth/policy/parse.ts";
import { ACCOUNT, BUCKET, IDENTITY, policyText, problemOf, statement, type Elements } from "./support.ts";
import { identityText, problemWith } from "./parse-fixture.ts";

const JSON_PROBLEM = "Policies must be valid JSON and the first byte must be '{'";

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
