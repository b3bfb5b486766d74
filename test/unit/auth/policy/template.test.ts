// Variables in resources and in the values of conditions.
import { describe, expect, it } from "vitest";

import { parsePolicy } from "../../../../src/auth/policy/parse.ts";
import { matchingStatement } from "../../../../src/auth/policy/evaluate.ts";
import {
  ALICE,
  BUCKET,
  isAllowed,
  keysOf,
  policyOf,
  policyText,
  problemOf,
  question,
  statement,
  type Elements,
} from "./support.ts";

function reaches(resource: string, key: string, keys: Parameters<typeof keysOf>[0] = {}, version?: string): boolean {
  const policy = parsePolicy(policyText([statement({ Resource: `arn:aws:s3:::b/${resource}` })], version), BUCKET);
  return isAllowed(policy, { principal: ALICE, resource: `arn:aws:s3:::b/${key}`, keys: keysOf(keys) });
}

describe("a variable", () => {
  it.each([
    ["home/${aws:username}/*", "home/alice/x", { "aws:username": "alice" }, true],
    ["home/${aws:username}/*", "home/bob/x", { "aws:username": "alice" }, false],
    ["home/${AWS:UserName}/*", "home/alice/x", { "aws:username": "alice" }, true],
    ["home/${ aws:username }/*", "home/alice/x", { "aws:username": "alice" }, true],
    ["${aws:username}${aws:userid}", "ab", { "aws:username": "a", "aws:userid": "b" }, true],
    ["${aws:PrincipalTag/Team}/*", "red/x", { "aws:principaltag/team": "red" }, true],
  ])("stands for its value: %s on %s with %j: %s", (resource, key, keys, expected) => {
    expect(reaches(resource, key, keys)).toBe(expected);
  });

  it.each(["*", "?", "${aws:userid}", "a*", "${*}"])("is substituted literally: %s", (value) => {
    const keys = { "aws:username": value, "aws:userid": "other" };
    expect(reaches("home/${aws:username}/*", `home/${value}/x`, keys)).toBe(true);
    expect(reaches("home/${aws:username}/*", "home/other/x", keys)).toBe(false);
    expect(reaches("home/${aws:username}/*", "home/o/x", keys)).toBe(false);
    expect(reaches("home/${aws:username}/*", "home/ab/x", keys)).toBe(false);
  });

  it("without a value makes its text match nothing, not even itself", () => {
    for (const key of ["home//x", "home/${aws:username}/x", "home/undefined/x", "home/*/x"]) {
      expect(reaches("home/${aws:username}/*", key)).toBe(false);
    }
    expect(reaches("home/${aws:username}/*", "home//x", { "aws:username": [] })).toBe(false);
    expect(reaches("home/${aws:username}/*", "home//x", { "aws:username": "" })).toBe(true);
  });

  const USER = "${aws:username}";

  it.each<[string, Elements]>([
    ["NotResource", { Resource: undefined, NotResource: `arn:aws:s3:::b/${USER}/*` }],
    ["one of NotResource", { Resource: undefined, NotResource: ["arn:aws:s3:::b/x", `arn:aws:s3:::b/${USER}/*`] }],
    ["StringNotEquals", { Condition: { StringNotEquals: { "aws:Referer": USER } } }],
    ["StringNotLike", { Condition: { StringNotLike: { "aws:Referer": [`${USER}/*`, "x"] } } }],
    ["StringNotEqualsIgnoreCase", { Condition: { StringNotEqualsIgnoreCase: { "aws:Referer": USER } } }],
    ["ArnNotLike", { Condition: { ArnNotLike: { "aws:PrincipalArn": `arn:aws:iam::*:user/${USER}` } } }],
    ["ArnNotEquals", { Condition: { ArnNotEquals: { "aws:PrincipalArn": `arn:aws:iam::*:user/${USER}` } } }],
    ["StringEqualsIfExists", { Condition: { StringEqualsIfExists: { "aws:UserAgent": USER } } }],
    ["StringNotEqualsIfExists", { Condition: { StringNotEqualsIfExists: { "aws:UserAgent": USER } } }],
    ["ForAllValues", { Condition: { "ForAllValues:StringEquals": { "aws:TagKeys": USER } } }],
    ["ForAllValues of not", { Condition: { "ForAllValues:StringNotEquals": { "aws:TagKeys": USER } } }],
    ["ForAnyValue of not", { Condition: { "ForAnyValue:StringNotEquals": { "aws:Referer": USER } } }],
  ])("without a value makes an Allow apply to nothing: %s", (_where, elements) => {
    const keys = { "aws:Referer": "r", "aws:PrincipalArn": ALICE.arn };
    const asked = { principal: ALICE, resource: "arn:aws:s3:::b/k" };
    const policy = policyOf(statement(elements));
    expect(isAllowed(policy, { ...asked, keys: keysOf(keys) })).toBe(false);
    expect(isAllowed(policy, { ...asked, keys: keysOf({ ...keys, "aws:username": ["a", "b"] }) })).toBe(false);
    const value = { ...keys, "aws:username": "mallory", "aws:TagKeys": [] };
    expect(isAllowed(policy, { ...asked, keys: keysOf(value) })).toBe(true);
  });

  it.each<[string, Elements]>([
    ["Resource", { Resource: `arn:aws:s3:::b/home/${USER}/*` }],
    ["NotResource", { Resource: undefined, NotResource: `arn:aws:s3:::b/home/${USER}/*` }],
    ["StringEquals", { Condition: { StringEquals: { "aws:Referer": `of ${USER}` } } }],
    ["StringLike", { Condition: { StringLike: { "aws:Referer": `of ${USER}*` } } }],
    ["StringEqualsIgnoreCase", { Condition: { StringEqualsIgnoreCase: { "aws:Referer": `OF ${USER}` } } }],
    ["StringNotEquals", { Condition: { StringNotEquals: { "aws:Referer": `of ${USER}` } } }],
    ["StringNotLike", { Condition: { StringNotLike: { "aws:Referer": `of ${USER}*` } } }],
    ["ArnLike", { Condition: { ArnLike: { "aws:PrincipalArn": `arn:aws:iam::*:user/${USER}` } } }],
    ["ArnNotLike", { Condition: { ArnNotLike: { "aws:PrincipalArn": `arn:aws:iam::*:user/${USER}` } } }],
  ])("without a value does not keep a Deny from applying: %s", (_where, elements) => {
    const keys = keysOf({ "aws:Referer": "of no page", "aws:PrincipalArn": ALICE.arn });
    const policy = policyOf(statement({ Effect: "Deny", ...elements }));
    const asked = question({ resource: "arn:aws:s3:::b/home/x/y", keys });
    expect(matchingStatement(policy, "Deny", asked)).toBeDefined();
  });

  it("without a value makes a Deny apply to what the rest of its text matches, and to nothing else", () => {
    const policy = policyOf(statement({ Effect: "Deny", Resource: `arn:aws:s3:::b/home/${USER}/*` }));
    const asked = question({ resource: "arn:aws:s3:::b/public/x" });
    expect(matchingStatement(policy, "Deny", asked)).toBeUndefined();
  });

  it("with several values has none, not even its default", () => {
    const keys = { "aws:TagKeys": ["a", "b"] };
    for (const key of ["a", "b", "ab", "a,b", "c"]) expect(reaches("${aws:TagKeys, 'c'}", key, keys)).toBe(false);
  });

  it("uses its default only without a value", () => {
    expect(reaches("${aws:username, 'every one'}/*", "every one/x")).toBe(true);
    expect(reaches("${aws:username,'*'}/*", "*/x")).toBe(true);
    expect(reaches("${aws:username,'*'}/*", "y/x")).toBe(false);
    expect(reaches("${aws:username, ''}/*", "/x")).toBe(true);
    expect(reaches("${aws:username, 'guest'}/*", "guest/x", { "aws:username": "alice" })).toBe(false);
    expect(reaches("${aws:username, 'guest'}/*", "alice/x", { "aws:username": "alice" })).toBe(true);
  });

  it("can be escaped", () => {
    expect(reaches("a${*}b", "a*b")).toBe(true);
    expect(reaches("a${*}b", "axb")).toBe(false);
    expect(reaches("a${?}b", "a?b")).toBe(true);
    expect(reaches("a${?}b", "axb")).toBe(false);
    expect(reaches("${$}{aws:username}", "${aws:username}", { "aws:username": "alice" })).toBe(true);
    expect(reaches("a$b$", "a$b$")).toBe(true);
  });

  it("is plain text in a policy of the older version", () => {
    const keys = { "aws:username": "alice" };
    expect(reaches("${aws:username}", "${aws:username}", keys, "2008-10-17")).toBe(true);
    expect(reaches("${aws:username}", "alice", keys, "2008-10-17")).toBe(false);
    expect(reaches("${nothing", "${nothing", keys, "2008-10-17")).toBe(true);
    expect(reaches("${*}", "${x}", keys, "2008-10-17")).toBe(true);
    const text = JSON.stringify({ Statement: statement({ Resource: "arn:aws:s3:::b/${aws:username}" }) });
    const policy = parsePolicy(text, BUCKET);
    expect(isAllowed(policy, { resource: "arn:aws:s3:::b/alice", keys: keysOf(keys) })).toBe(false);
  });

  it.each([
    "${}",
    "${ }",
    "${aws:username",
    "${aws:username, guest}",
    "${aws:username, 'guest}",
    "${aws:username 'guest'}",
    "${aws:nothing}",
    "${username}",
    "${aws:PrincipalTag/}",
    "${__proto__}",
    "${**}",
    "${aws:user${aws:username}}",
  ])("is rejected when malformed: %s", (text) => {
    expect(problemOf(policyText([statement({ Resource: `arn:aws:s3:::b/${text}` })]))).toBe(
      "Policy has invalid resource",
    );
  });

  it("is allowed in conditions on texts and ARNs", () => {
    const keys = keysOf({
      "aws:username": "al*",
      "aws:Referer": "home/al*/x",
      "aws:PrincipalArn": "arn:aws:iam::1:user/al*",
    });
    const holds = (operator: string, key: string, value: string): boolean =>
      isAllowed(policyOf(statement({ Condition: { [operator]: { [key]: value } } })), { keys });
    expect(holds("StringLike", "aws:Referer", "home/${aws:username}/*")).toBe(true);
    expect(holds("StringEquals", "aws:Referer", "home/${aws:username}/x")).toBe(true);
    expect(holds("StringEquals", "aws:Referer", "home/al${*}/x")).toBe(true);
    expect(holds("StringEqualsIgnoreCase", "aws:Referer", "HOME/${aws:username}/x")).toBe(true);
    expect(holds("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/${aws:username}")).toBe(true);
    expect(holds("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/${aws:userid, 'x'}")).toBe(false);
    expect(holds("StringEquals", "aws:Referer", "${aws:UserAgent}")).toBe(false);
    expect(holds("StringNotEquals", "aws:Referer", "${aws:UserAgent}")).toBe(false);
  });
});
