// Every condition operator, through stored policies.
import { describe, expect, it } from "vitest";

import { OPERATORS } from "../../../../src/auth/policy/operators.ts";
import { isAllowed, keysOf, policyOf, policyText, problemOf, statement } from "./support.ts";

/** Whether a condition on a key holds for the values of a request. */
function holds(operator: string, value: unknown, actual: readonly string[] | undefined, key = "aws:Referer"): boolean {
  const policy = policyOf(statement({ Condition: { [operator]: { [key]: value } } }));
  return isAllowed(policy, { keys: keysOf(actual === undefined ? {} : { [key]: actual }) });
}

describe("a condition", () => {
  it.each([
    ["StringEquals", "a", "a", true],
    ["StringEquals", "a", "A", false],
    ["StringEquals", "a*", "ab", false],
    ["StringEquals", "a*", "a*", true],
    ["StringEquals", "", "", true],
    ["StringEquals", ["a", "b"], "b", true],
    ["StringEquals", 7, "7", true],
    ["StringEquals", true, "true", true],
    ["StringNotEquals", "a", "a", false],
    ["StringNotEquals", "a", "A", true],
    ["StringNotEquals", ["a", "b"], "b", false],
    ["StringNotEquals", ["a", "b"], "c", true],
    ["StringEqualsIgnoreCase", "aÉ", "Aé", true],
    ["StringEqualsIgnoreCase", "a", "b", false],
    ["StringNotEqualsIgnoreCase", "a", "A", false],
    ["StringNotEqualsIgnoreCase", "a", "b", true],
    ["StringLike", "a/*/c?", "a/b/b/cd", true],
    ["StringLike", "A*", "ab", false],
    ["StringNotLike", "a*", "ab", false],
    ["StringNotLike", "a*", "b", true],
    ["NumericEquals", "10", "10.0", true],
    ["NumericEquals", 10, "11", false],
    ["NumericEquals", "10", "ten", false],
    ["NumericEquals", "0", "", false],
    ["NumericEquals", "16", "0x10", false],
    ["NumericNotEquals", "10", "10", false],
    ["NumericNotEquals", "10", "11", true],
    ["NumericNotEquals", "10", "ten", true],
    ["NumericLessThan", "10", "9.99", true],
    ["NumericLessThan", "10", "10", false],
    ["NumericLessThan", "-1", "-2", true],
    ["NumericLessThanEquals", "10", "10", true],
    ["NumericLessThanEquals", "10", "11", false],
    ["NumericGreaterThan", "10", "11", true],
    ["NumericGreaterThan", "10", "10", false],
    ["NumericGreaterThan", "10", "eleven", false],
    ["NumericGreaterThanEquals", "10", "10", true],
    ["NumericGreaterThanEquals", "10", "9", false],
    ["DateEquals", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z", true],
    ["DateEquals", "2026-01-02T05:04:05+02:00", "2026-01-02T03:04:05Z", true],
    ["DateEquals", "2026-01-01T23:34:05-03:30", "2026-01-02T03:04:05Z", true],
    ["DateEquals", "2026-01-02T03:04Z", "2026-01-02T03:04:00Z", true],
    ["DateEquals", "2026-01-02", "2026-01-02T00:00:00Z", true],
    ["DateEquals", "2026-02", "2026-02-01T00:00:00Z", true],
    ["DateEquals", "2026", "2026-01-01T00:00:00Z", true],
    ["DateEquals", "1767323045", "2026-01-02T03:04:05Z", true],
    ["DateEquals", 1767323045, "1767323045", true],
    ["DateEquals", "2026-01-02", "soon", false],
    ["DateNotEquals", "2026-01-02", "2026-01-02T00:00:00Z", false],
    ["DateNotEquals", "2026-01-02", "2026-01-03T00:00:00Z", true],
    ["DateLessThan", "2026-01-02", "2026-01-01T23:59:59.999Z", true],
    ["DateLessThan", "2026-01-02", "2026-01-02T00:00:00Z", false],
    ["DateLessThanEquals", "2026-01-02", "2026-01-02T00:00:00Z", true],
    ["DateLessThanEquals", "2026-01-02", "2026-01-02T00:00:01Z", false],
    ["DateGreaterThan", "2026-01-02", "2026-01-02T00:00:00.001Z", true],
    ["DateGreaterThan", "2026-01-02", "2026-01-02T00:00:00Z", false],
    ["DateGreaterThanEquals", "2026-01-02", "2026-01-02T00:00:00Z", true],
    ["DateGreaterThanEquals", "2026-01-02", "2026-01-01T23:59:59Z", false],
    ["Bool", "true", "true", true],
    ["Bool", false, "false", true],
    ["Bool", "TRUE", "true", true],
    ["Bool", "false", "true", false],
    ["Bool", "false", "", false],
    ["BinaryEquals", "QmluYXJ5", "QmluYXJ5", true],
    ["BinaryEquals", "QmluYXJ5", "qmluYXJ5", false],
    ["IpAddress", "203.0.113.0/24", "203.0.113.9", true],
    ["IpAddress", ["192.0.2.1", "2001:db8::/32"], "2001:db8::9", true],
    ["IpAddress", "203.0.113.0/24", "203.0.114.9", false],
    ["IpAddress", "0.0.0.0/0", "nowhere", false],
    ["NotIpAddress", "203.0.113.0/24", "203.0.113.9", false],
    ["NotIpAddress", "203.0.113.0/24", "203.0.114.9", true],
    ["NotIpAddress", "203.0.113.0/24", "nowhere", true],
    ["ArnEquals", "arn:aws:iam::111122223333:user/*", "arn:aws:iam::111122223333:user/team/bob", true],
    ["ArnEquals", "arn:aws:iam::111122223333:user/*", "arn:aws:iam::111122223333:role/bob", false],
    ["ArnEquals", "arn:aws:iam::1111*:user/*", "arn:aws:iam::111122223333:user/bob", true],
    ["ArnEquals", "arn:*:user/*:x:y:z", "arn:aws:iam::111122223333:user/bob", false],
    ["ArnEquals", "arn:aws:s3:::*:c", "arn:aws:s3:::a:b:c", true],
    ["ArnEquals", "arn:aws:*:*:*:*", "no arn", false],
    ["ArnLike", "arn:aws:iam::*:user/b?b", "arn:aws:iam::111122223333:user/bob", true],
    ["ArnLike", "arn:aws:*:user/bob:x:y", "arn:aws:iam::111122223333:user/bob", false],
    ["ArnNotEquals", "arn:aws:iam::*:user/bob", "arn:aws:iam::111122223333:user/bob", false],
    ["ArnNotLike", "arn:aws:iam::*:user/bob", "arn:aws:iam::111122223333:user/amy", true],
    ["Null", "true", "", false],
    ["Null", "false", "", true],
    ["Null", false, "x", true],
    ["Null", ["true", "false"], "x", true],
  ])("%s %j of %j: %s", (operator, value, actual, expected) => {
    expect(holds(operator, value, [actual])).toBe(expected);
  });

  it.each([...OPERATORS.keys()])("with %s treats a missing key as AWS documents", (operator) => {
    const isNegated = operator.includes("Not");
    const value = valueFor(operator);
    for (const actual of [undefined, []]) {
      expect(holds(operator, value, actual)).toBe(operator === "Null" || isNegated);
      if (operator === "Null") continue;
      expect(holds(`${operator}IfExists`, value, actual)).toBe(true);
      expect(holds(`ForAllValues:${operator}`, value, actual)).toBe(true);
      expect(holds(`ForAnyValue:${operator}`, value, actual)).toBe(false);
      expect(holds(`ForAnyValue:${operator}IfExists`, value, actual)).toBe(true);
    }
    expect(holds("Null", "false", undefined)).toBe(false);
  });

  it("with IfExists is evaluated as usual when the key exists", () => {
    expect(holds("StringEqualsIfExists", "a", ["b"])).toBe(false);
    expect(holds("StringEqualsIfExists", "a", ["a"])).toBe(true);
    expect(holds("StringNotEqualsIfExists", "a", ["a"])).toBe(false);
    expect(holds("ForAllValues:StringEqualsIfExists", "a", ["a", "b"])).toBe(false);
  });

  it.each([
    ["StringEquals", ["a", "b"], ["x", "b"], true],
    ["StringEquals", ["a", "b"], ["x", "y"], false],
    ["StringNotEquals", ["a", "b"], ["x", "b"], false],
    ["StringNotEquals", ["a", "b"], ["x", "y"], true],
    ["ForAllValues:StringEquals", ["a", "b"], ["a", "b", "a"], true],
    ["ForAllValues:StringEquals", ["a", "b"], ["a", "x"], false],
    ["ForAllValues:StringNotEquals", ["a", "b"], ["x", "a"], false],
    ["ForAllValues:StringNotLike", ["a*", "b*"], ["x", "y"], true],
    ["ForAnyValue:StringEquals", ["a", "b"], ["x", "b"], true],
    ["ForAnyValue:StringEquals", ["a", "b"], ["x", "y"], false],
    ["ForAnyValue:StringNotEquals", ["a", "b"], ["x", "a"], true],
    ["ForAnyValue:StringNotEquals", ["a", "b"], ["b", "a"], false],
    ["ForAnyValue:NumericLessThan", "5", ["9", "3"], true],
    ["ForAllValues:IpAddress", "10.0.0.0/8", ["10.1.1.1", "11.1.1.1"], false],
  ])("%s %j of the values %j: %s", (operator, value, actual, expected) => {
    expect(holds(operator, value, actual, "aws:TagKeys")).toBe(expected);
  });

  it.each([
    ["NumericEquals", "ten"],
    ["NumericEquals", ""],
    ["NumericEquals", " 1"],
    ["NumericEquals", "1e3"],
    ["NumericEquals", "0x10"],
    ["NumericEquals", "Infinity"],
    ["NumericLessThan", "${s3:signatureAge}"],
    ["DateEquals", "tomorrow"],
    ["DateEquals", "2026-02-30"],
    ["DateEquals", "2026-13"],
    ["DateEquals", "2026-01-02T03:04:05"],
    ["DateEquals", "2026-01-02T24:00:00Z"],
    ["DateEquals", "2026-01-02T03:04:05+99:00"],
    ["DateEquals", "2026-01-02 03:04:05Z"],
    ["DateEquals", "Fri, 02 Jan 2026 03:04:05 GMT"],
    ["Bool", "yes"],
    ["Bool", "1"],
    ["Bool", "${aws:SecureTransport}"],
    ["Null", "maybe"],
    ["BinaryEquals", "a"],
    ["BinaryEquals", "ab=c"],
    ["IpAddress", "10.0.0.0/33"],
    ["IpAddress", "10.0.0.*"],
    ["IpAddress", "${aws:SourceIp}"],
    ["NotIpAddress", "everywhere"],
    ["ArnEquals", "user/bob"],
    ["ArnEquals", "*"],
    ["ArnEquals", "arn:aws:iam:user/bob"],
    ["ArnLike", "urn:aws:iam::111122223333:user/bob"],
    ["ArnLike", "arn:aws:iam::${s3:what:ever}:user/bob"],
    ["StringEquals", "${nothing:known}"],
    ["StringLike", "${aws:username"],
  ])("%s refuses the value %j", (operator, value) => {
    const text = policyText([statement({ Condition: { [operator]: { "aws:Referer": value } } })]);
    expect(problemOf(text)).toBe(`Invalid value for ${operator} in condition`);
  });
});

/** A value that the operator accepts. */
function valueFor(operator: string): string {
  if (operator.startsWith("Arn")) return "arn:aws:iam::111122223333:user/bob";
  if (operator.includes("IpAddress")) return "10.0.0.0/8";
  if (operator.startsWith("Date")) return "2026";
  return operator.startsWith("Numeric") ? "1" : operator === "BinaryEquals" ? "AAAA" : "true";
}
