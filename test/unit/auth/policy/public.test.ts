import { describe, expect, it } from "vitest";

import { isPublicPolicy } from "../../../../src/auth/policy/public.ts";
import { ACCOUNT, policyOf, statement, type Elements } from "./support.ts";

function isPublic(...elements: readonly Elements[]): boolean {
  return isPublicPolicy(policyOf(...elements.map((each) => statement(each))));
}

/** IPv4 networks that together cover all addresses. */
function everything(prefix: number): string[] {
  return Array.from({ length: 2 ** prefix }, (_, index) => {
    const address = index * 2 ** (32 - prefix);
    return `${Math.floor(address / 2 ** 24)}.${Math.floor(address / 2 ** 16) % 256}.0.0/${prefix}`;
  });
}

describe("isPublicPolicy", () => {
  it.each<[Elements]>([
    [{}],
    [{ Principal: { AWS: "*" } }],
    [{ Principal: { AWS: [ACCOUNT, "*"] } }],
    [{ Principal: undefined, NotPrincipal: { AWS: ACCOUNT } }],
    [{ Action: "s3:PutObject" }],
    [{ Condition: { Bool: { "aws:SecureTransport": "true" } } }],
    [{ Condition: { StringLike: { "aws:Referer": "https://example.com/page" } } }],
    [{ Condition: { StringLike: { "aws:SourceVpc": "vpc-*" } } }],
    [{ Condition: { StringEquals: { "aws:SourceVpc": ["vpc-1", "vpc-?"] } } }],
    [{ Condition: { StringEquals: { "aws:userid": "${aws:username}" } } }],
    [{ Condition: { StringNotEquals: { "aws:SourceVpc": "vpc-1" } } }],
    [{ Condition: { StringEqualsIfExists: { "aws:SourceVpc": "vpc-1" } } }],
    [{ Condition: { "ForAllValues:StringEquals": { "aws:SourceVpc": "vpc-1" } } }],
    [{ Condition: { StringEquals: { "aws:UserAgent": "me" } } }],
    [
      {
        Action: "s3:PutObject",
        Condition: { StringEquals: { "s3:x-amz-server-side-encryption-aws-kms-key-id": "key" } },
      },
    ],
    [{ Condition: { Null: { "aws:SourceVpc": "false" } } }],
    [{ Condition: { StringEquals: { "aws:SourceIp": "192.0.2.1" } } }],
    [{ Condition: { IpAddress: { "aws:SourceIp": "0.0.0.0/0" } } }],
    [{ Condition: { IpAddress: { "aws:SourceIp": "128.0.0.0/7" } } }],
    [{ Condition: { IpAddress: { "aws:SourceIp": ["192.0.2.0/24", "::/0"] } } }],
    [{ Condition: { IpAddress: { "aws:SourceIp": "2001:db8::/31" } } }],
    [{ Condition: { IpAddress: { "aws:VpcSourceIp": "10.0.0.0/8" } } }],
    [{ Condition: { IpAddressIfExists: { "aws:SourceIp": "192.0.2.0/24" } } }],
    [{ Condition: { NotIpAddress: { "aws:SourceIp": "192.0.2.0/24" } } }],
    [{ Condition: { StringEquals: { "aws:userid": "anonymous" } } }],
    [{ Condition: { StringEqualsIgnoreCase: { "aws:userid": ["AIDAALICE", "ANONYMOUS"] } } }],
    [{ Condition: { "ForAnyValue:StringLike": { "aws:UserId": "anonymous" } } }],
    [{ Condition: { IpAddress: { "aws:SourceIp": everything(8) } } }],
    [{ Condition: { IpAddress: { "aws:SourceIp": everything(8).slice(0, 17) } } }],
    [{ Condition: { IpAddress: { "aws:SourceIp": everything(9).slice(0, 300) } } }],
  ])("finds public: %j", (elements) => {
    expect(isPublic(elements)).toBe(true);
    expect(isPublic({ Principal: { AWS: ACCOUNT } }, elements)).toBe(true);
  });

  it.each<[Elements]>([
    [{ Effect: "Deny" }],
    [{ Principal: { AWS: ACCOUNT } }],
    [{ Principal: { AWS: "999999999999" } }],
    [{ Principal: { Service: "s3.amazonaws.com" } }],
    [{ Condition: { StringEquals: { "aws:SourceVpc": "vpc-1" } } }],
    [{ Condition: { StringLike: { "AWS:sourcevpce": ["vpce-1", "vpce-2"] } } }],
    [{ Condition: { "ForAnyValue:StringEquals": { "aws:PrincipalOrgPaths": "o-1/r-1/" } } }],
    [{ Condition: { ArnEquals: { "aws:PrincipalArn": `arn:aws:iam::${ACCOUNT}:user/bob` } } }],
    [{ Condition: { StringEquals: { "aws:PrincipalAccount": ACCOUNT } } }],
    [{ Condition: { IpAddress: { "aws:SourceIp": "192.0.2.0/24" } } }],
    [{ Condition: { IpAddress: { "aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"] } } }],
    [{ Condition: { Bool: { "aws:SecureTransport": "true" }, IpAddress: { "aws:SourceIp": "192.0.2.1" } } }],
    [{ Condition: { StringEquals: { "aws:userid": "AIDAALICE" } } }],
    [{ Condition: { IpAddress: { "aws:SourceIp": everything(8).slice(0, 16) } } }],
    [{ Condition: { IpAddress: { "aws:SourceIp": ["192.0.2.0/24", "192.0.2.0/24", "198.51.100.7"] } } }],
  ])("does not find public: %j", (elements) => {
    expect(isPublic(elements)).toBe(false);
    expect(isPublic(elements, {})).toBe(true);
  });

  it("combines the networks of all statements", () => {
    const of = (networks: readonly string[]): Elements => ({ Condition: { IpAddress: { "aws:SourceIp": networks } } });
    const networks = everything(8).slice(0, 20);
    const parts = networks.map((network) => of([network]));
    expect(isPublic(...parts)).toBe(true);
    expect(isPublic(...parts.slice(0, 16))).toBe(false);
    expect(isPublic(...parts.slice(0, 3), ...parts.slice(0, 16))).toBe(false);
  });
});
