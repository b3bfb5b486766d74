// The work of policy evaluation in one request: what does not depend on the key happens once, and the rest is bounded.
import { describe, expect, it } from "vitest";

import { decide } from "../../../../src/auth/access/decision.ts";
import { EvaluationCache } from "../../../../src/auth/policy/evaluation-cache.ts";
import { matchingStatement } from "../../../../src/auth/policy/evaluate.ts";
import type { ConditionKeys } from "../../../../src/auth/policy/keys.ts";
import type { Policy } from "../../../../src/auth/policy/policy.ts";
import { ANONYMOUS } from "../../../../src/auth/identity/principal.ts";
import { ALICE, keysOf, policyOf, policyText, question, statement } from "./support.ts";

const ARN = "arn:aws:s3:::b/";
const USERNAME = "${aws:username}";

/** The steps of a batch of keys, and the number of reads of condition keys. */
function stepsFor(policy: Policy, keyNames: readonly string[], keys: ConditionKeys = keysOf()): number {
  const cache = new EvaluationCache();
  for (const key of keyNames) {
    for (const effect of ["Deny", "Allow"] as const) {
      matchingStatement(policy, effect, question({ principal: ALICE, resource: ARN + key, keys, cache }));
    }
  }
  return cache.steps;
}

function keyNames(count: number, length: number): string[] {
  return Array.from({ length: count }, (_, turn) => "a".repeat(length - 5) + String(turn).padStart(5, "0"));
}

describe("a batch of keys", () => {
  it("evaluates conditions once for any number of keys, statements and values", () => {
    const values = Array.from({ length: 500 }, (_, turn) => `*${"a?".repeat(turn % 9)}b${turn}*`);
    const condition = { StringLike: { "aws:Referer": values } };
    const policy = policyOf(statement({ Effect: "Deny", Condition: condition }), statement({ Condition: condition }));
    const keys = keysOf({ "aws:referer": "a".repeat(16_000) });
    const [one, many] = [stepsFor(policy, keyNames(1, 100), keys), stepsFor(policy, keyNames(1000, 100), keys)];
    expect(one).toBeGreaterThan(10_000);
    // Each further key costs only the check that nothing has changed.
    expect(many - one).toBeLessThan(1000 * 20);
  });

  it("substitutes variables once", () => {
    const resources = Array.from({ length: 300 }, (_, turn) => `${ARN}${USERNAME}/${turn}/*`);
    const policy = policyOf(statement({ Resource: resources }));
    let reads = 0;
    const cache = new EvaluationCache();
    const keys: ConditionKeys = () => ["alice"];
    const resolve = (name: string): readonly string[] | undefined => {
      reads += 1;
      return keys(name);
    };
    for (const key of keyNames(100, 20)) {
      matchingStatement(policy, "Allow", question({ principal: ALICE, resource: ARN + key, keys: resolve, cache }));
    }
    const [first] = policy.statements;
    const [pattern] = first?.resource.patterns ?? [];
    if (pattern === undefined) throw new Error("no pattern");
    expect(cache.resolve(pattern, keys, "nothing")).toBe(cache.resolve(pattern, keys, "nothing"));
    expect(reads).toBe(100 * 300);
  });

  it("evaluates a condition again for a key with another value", () => {
    const policy = policyOf(
      statement({ Action: "s3:DeleteObjectVersion", Condition: { StringLike: { "s3:VersionId": "a*" } } }),
    );
    const cache = new EvaluationCache();
    const found = ["a1", "b1", "a2", undefined, "a1"].map((versionId) => {
      const keys = keysOf(versionId === undefined ? {} : { "s3:versionid": versionId });
      return (
        matchingStatement(policy, "Allow", question({ actions: ["s3:DeleteObjectVersion"], keys, cache })) !== undefined
      );
    });
    expect(found).toEqual([true, false, true, false, true]);
  });

  it("evaluates an action and a variable again when they change", () => {
    const policy = policyOf(statement({ Action: ["s3:GetObject"], Resource: `${ARN}${USERNAME}/*` }));
    const cache = new EvaluationCache();
    const may = (name: string, key: string, action = "s3:GetObject"): boolean => {
      const asked = { actions: [action], resource: ARN + key, keys: keysOf({ "aws:username": name }), cache };
      return matchingStatement(policy, "Allow", question(asked)) !== undefined;
    };
    expect([may("alice", "alice/x"), may("bob", "alice/x"), may("bob", "bob/x"), may("alice", "bob/x")]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(may("bob", "bob/x", "s3:PutObject")).toBe(false);
    expect(may("bob", "bob/x")).toBe(true);
  });

  it.each([
    ["stars", "*a".repeat(40)],
    ["question marks", `*${"?".repeat(500)}b`],
    ["both", `*${"a?".repeat(60)}b*`],
    ["nearly the text", `*${"a".repeat(200)}b*`],
  ])("with the longest names is matched against 20 KB of patterns with %s in bounded steps", (_name, pattern) => {
    const count = Math.floor(19_000 / (pattern.length + 22));
    const policy = policyOf(
      statement({ Resource: Array.from({ length: count }, (_, turn) => `${ARN}${pattern}${turn}`) }),
    );
    const names = keyNames(50, 1024);
    const perKey = stepsFor(policy, names) / names.length;
    expect(perKey).toBeLessThan(2 * (20_000 * (1024 / 32) + 8 * 1024));
  });
});

describe("a value that a variable repeats", () => {
  it("is not expanded when the pattern is longer than the compared text", () => {
    const repeated = "${aws:Referer}".repeat(1300);
    for (const elements of [
      { Resource: `${ARN}${repeated}` },
      { Condition: { StringLike: { "aws:UserAgent": repeated } } },
      { Condition: { StringEqualsIgnoreCase: { "aws:UserAgent": repeated } } },
      { Condition: { ArnLike: { "aws:UserAgent": `arn:aws:s3:::${repeated}` } } },
    ]) {
      const policy = policyOf(statement(elements));
      const keys = keysOf({ "aws:referer": "x".repeat(400_000), "aws:useragent": "arn:aws:s3:::x" });
      // Expanded, it would exceed the longest text of the runtime.
      expect(matchingStatement(policy, "Allow", question({ keys }))).toBeUndefined();
    }
  });
});

describe("decide", () => {
  it("shares results among the authorization requests of one request", () => {
    const text = policyText([statement({ Condition: { StringLike: { "aws:Referer": "*a?b*" } } })]);
    const configurations = { tags: null, policy: text, acl: null, ownership: null, public_access_block: null };
    const bucket = { name: "b", ownerId: "111122223333", region: "auto", creatorId: null, configurations };
    const cache = new EvaluationCache();
    const keys = keysOf({ "aws:referer": `${"x".repeat(100_000)}acb` });
    const steps = keyNames(3, 10).map((key) => {
      const before = cache.steps;
      const authorization = { actions: ["s3:GetObject"], bucket, bucketName: "b", key };
      expect(decide(ANONYMOUS, authorization, keys, cache).isAllowed).toBe(true);
      return cache.steps - before;
    });
    expect(steps[0]).toBeGreaterThan(100_000);
    expect(Math.max(...steps.slice(1))).toBeLessThan(100);
  });
});
