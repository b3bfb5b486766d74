// Policy evaluation: which statements apply to a request.
import { describe, expect, it } from "vitest";

import { matchingStatement } from "../../../../src/auth/policy/evaluate.ts";
import { parsePolicy } from "../../../../src/auth/policy/parse.ts";
import { expectQuick } from "../../../support/quick.ts";
import {
  ACCOUNT,
  ALICE,
  ANONYMOUS,
  BOB,
  IDENTITY,
  isAllowed,
  keysOf,
  policyOf,
  policyText,
  question,
  ROOT,
  SESSION,
  statement,
  type RequestPrincipal,
} from "./support.ts";

const NAMES = new Map<string, RequestPrincipal>(Object.entries({ ANONYMOUS, ROOT, ALICE, BOB, SESSION }));

/** The names of the principals to whom a statement applies. */
function namesOf(elements: Record<string, unknown>, effect: "Allow" | "Deny" = "Allow"): string[] {
  const policy = policyOf(statement({ Effect: effect, Principal: undefined, ...elements }));
  return Array.from(NAMES)
    .filter(([, principal]) => matchingStatement(policy, effect, question({ principal })) !== undefined)
    .map(([name]) => name);
}

describe("matchingStatement", () => {
  it("returns the first applicable statement of the effect", () => {
    const policy = policyOf(
      statement({ Sid: "other key", Resource: "arn:aws:s3:::b/other" }),
      statement({ Sid: "deny", Effect: "Deny" }),
      statement({ Sid: "allow" }),
      statement({ Sid: "again" }),
    );
    expect(matchingStatement(policy, "Allow", question())?.sid).toBe("allow");
    expect(matchingStatement(policy, "Deny", question())?.sid).toBe("deny");
    expect(matchingStatement(policy, "Deny", question({ actions: ["s3:PutObject"] }))).toBeUndefined();
  });

  it.each([
    ["*", ["ANONYMOUS", "ROOT", "ALICE", "BOB", "SESSION"]],
    [{ AWS: "*" }, ["ANONYMOUS", "ROOT", "ALICE", "BOB", "SESSION"]],
    [{ AWS: ACCOUNT }, ["ROOT", "ALICE", "BOB", "SESSION"]],
    [{ AWS: `arn:aws:iam::${ACCOUNT}:root` }, ["ROOT", "ALICE", "BOB", "SESSION"]],
    [{ CanonicalUser: ACCOUNT }, ["ROOT", "ALICE", "BOB", "SESSION"]],
    [{ AWS: "999999999999" }, []],
    [{ AWS: `arn:aws:iam::${ACCOUNT}:user/alice` }, ["ALICE", "SESSION"]],
    [{ AWS: `arn:aws:iam::${ACCOUNT}:user/Alice` }, []],
    [{ AWS: `arn:aws:iam::${ACCOUNT}:user/bob` }, []],
    [{ AWS: [`arn:aws:iam::${ACCOUNT}:user/team/bob`] }, ["BOB"]],
    [{ AWS: `arn:aws:sts::${ACCOUNT}:federated-user/guest` }, ["SESSION"]],
    [{ AWS: `arn:aws:iam::${ACCOUNT}:role/alice` }, []],
    [{ CanonicalUser: "0".repeat(64) }, []],
    [{ Service: "s3.amazonaws.com", Federated: "accounts.google.com" }, []],
  ])("takes Principal %j to be %j", (Principal, expected) => {
    expect(namesOf({ Principal })).toEqual(expected);
    expect(namesOf({ Principal }, "Deny")).toEqual(expected);
  });

  it.each([
    [{ AWS: `arn:aws:iam::${ACCOUNT}:user/alice` }, ["ANONYMOUS", "ROOT", "BOB"], ["ANONYMOUS", "ROOT", "BOB"]],
    [{ AWS: ACCOUNT }, ["ANONYMOUS"], ["ANONYMOUS", "ALICE", "BOB", "SESSION"]],
    [{ AWS: [ACCOUNT, `arn:aws:iam::${ACCOUNT}:user/team/bob`] }, ["ANONYMOUS"], ["ANONYMOUS", "ALICE", "SESSION"]],
    [{ AWS: "999999999999" }, [...NAMES.keys()], [...NAMES.keys()]],
    [{ Service: "s3.amazonaws.com" }, [...NAMES.keys()], [...NAMES.keys()]],
  ])("with NotPrincipal %j allows %j and denies %j", (NotPrincipal, allowed, denied) => {
    expect(namesOf({ NotPrincipal })).toEqual(allowed);
    expect(namesOf({ NotPrincipal }, "Deny")).toEqual(denied);
  });

  it("never matches an anonymous caller as a principal, with any condition keys", () => {
    const principal = { ...ALICE, kind: "anonymous" as const };
    for (const AWS of [ACCOUNT, ALICE.arn]) {
      expect(isAllowed(policyOf(statement({ Principal: { AWS } })), { principal })).toBe(false);
      const excepting = policyOf(statement({ Principal: undefined, NotPrincipal: { AWS } }));
      expect(isAllowed(excepting, { principal })).toBe(true);
    }
  });

  it.each([
    ["s3:GetObject", "s3:GetObject", true],
    ["s3:getOBJECT", "s3:GetObject", true],
    ["s3:Get*", "s3:GetObjectVersion", true],
    ["s3:?etObject", "s3:GetObject", true],
    ["s3:*", "s3:PutObject", true],
    ["*", "s3:PutObject", true],
    ["s3:*", "iam:GetUser", false],
    ["s3:GetObject", "s3:GetObjectVersion", false],
    ["s3:GetObjectVersion", "s3:GetObject", false],
    ["s3:DeleteObject", "s3:DeleteObjectVersion", false],
  ])("takes Action %s for %s: %s", (Action, action, expected) => {
    expect(isAllowed(policyOf(statement({ Action })), { actions: [action] })).toBe(expected);
    expect(isAllowed(policyOf(statement({ Action: undefined, NotAction: Action })), { actions: [action] })).toBe(
      !expected,
    );
  });

  it("accepts any name of an action", () => {
    const Resource = "arn:aws:s3:::b";
    const asked = { actions: ["s3:DeleteBucketTagging", "s3:PutBucketTagging"], resource: Resource };
    for (const Action of asked.actions) {
      expect(isAllowed(policyOf(statement({ Action, Resource })), asked)).toBe(true);
      expect(isAllowed(policyOf(statement({ Action: undefined, NotAction: Action, Resource })), asked)).toBe(false);
    }
    expect(isAllowed(policyOf(statement({ Action: "s3:GetBucketTagging", Resource })), asked)).toBe(false);
  });

  it.each([
    ["b/k", "b/k", true],
    ["b/k", "b/K", false],
    ["b/*", "b/a/b/c", true],
    ["b/*", "b", false],
    ["b", "b/k", false],
    ["b/a?c", "b/a/c", true],
    ["b/*.jpg", "b/x/y.jpg", true],
    ["b/*.jpg", "b/x/y.jpg.exe", false],
    ["b/k", "bb/k", false],
  ])("with Resource %s for %s: %s", (written, asked, expected) => {
    const [Resource, resource] = [`arn:aws:s3:::${written}`, `arn:aws:s3:::${asked}`];
    expect(isAllowed(policyOf(statement({ Action: "s3:*", Resource })), { resource })).toBe(expected);
    const negated = policyOf(statement({ Action: "s3:*", Resource: undefined, NotResource: Resource }));
    expect(isAllowed(negated, { resource })).toBe(!expected);
  });

  it("requires every condition: operators and their keys", () => {
    const policy = policyOf(
      statement({
        Condition: {
          StringEquals: { "aws:username": "alice", "aws:Referer": ["a", "b"] },
          IpAddress: { "aws:SourceIp": "192.0.2.0/24" },
        },
      }),
    );
    const keys = { "aws:username": "alice", "aws:Referer": "b", "aws:SourceIp": "192.0.2.1" };
    expect(isAllowed(policy, { keys: keysOf(keys) })).toBe(true);
    expect(isAllowed(policy, { keys: keysOf({ ...keys, "aws:username": "bob" }) })).toBe(false);
    expect(isAllowed(policy, { keys: keysOf({ ...keys, "aws:Referer": "c" }) })).toBe(false);
    expect(isAllowed(policy, { keys: keysOf({ ...keys, "aws:SourceIp": "192.0.3.1" }) })).toBe(false);
    expect(isAllowed(policy, { keys: keysOf({ "aws:username": "alice", "aws:Referer": "b" }) })).toBe(false);
  });

  it("reads keys by lower-case name, and only those that it needs", () => {
    const asked: string[] = [];
    const policy = policyOf(
      statement({ Action: "s3:PutObject", Condition: { StringLike: { "aws:UserAgent": "*" } } }),
      statement({ Condition: { StringLike: { "s3:ExistingObjectTag/Ä": "*" }, Null: { "aws:Referer": true } } }),
    );
    const keys = (name: string): readonly string[] | undefined => {
      asked.push(name);
      return undefined;
    };
    expect(isAllowed(policy, { keys })).toBe(false);
    expect(asked).toEqual(["s3:existingobjecttag/ä"]);
  });

  it("lets a write through only when it must not overwrite", () => {
    const policy = policyOf(
      statement({ Effect: "Deny", Action: "s3:PutObject", Condition: { Null: { "s3:if-none-match": "true" } } }),
    );
    const put = (keys: Record<string, string>): unknown =>
      matchingStatement(policy, "Deny", question({ actions: ["s3:PutObject"], keys: keysOf(keys) }));
    expect(put({})).toBeDefined();
    expect(put({ "s3:if-none-match": "*" })).toBeUndefined();
  });

  it("of a user's policy applies to the policy's user", () => {
    const text = policyText([statement({ Principal: undefined, Action: "iam:Get*", Resource: "*" })]);
    const policy = parsePolicy(text, IDENTITY);
    const asked = { actions: ["iam:GetUser"], resource: `arn:aws:iam::${ACCOUNT}:user/alice` };
    for (const principal of NAMES.values()) expect(isAllowed(policy, { ...asked, principal })).toBe(true);
    expect(isAllowed(policy, { ...asked, actions: ["iam:ListUsers"] })).toBe(false);
  });

  it("evaluates a policy designed to be slow in milliseconds", () => {
    const policy = policyOf(statement({ Resource: `arn:aws:s3:::b/${"*a".repeat(5000)}` }));
    const nearly = policyOf(statement({ Resource: `arn:aws:s3:::b/${"*a".repeat(500)}b` }));
    const resource = `arn:aws:s3:::b/${"a".repeat(1024)}`;
    expectQuick(() => {
      for (let turn = 0; turn < 20; turn += 1) {
        expect(isAllowed(policy, { resource })).toBe(false);
        expect(isAllowed(nearly, { resource })).toBe(false);
      }
    }, 200);
  });
});
