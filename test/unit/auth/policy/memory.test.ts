import { describe, expect, it } from "vitest";

import { policyOf, PolicyCache } from "../../../../src/auth/policy/policy-cache.ts";
import { PolicyProblem } from "../../../../src/auth/policy/policy.ts";
import { ACCOUNT, BUCKET, IDENTITY, policyText, statement } from "./support.ts";

const TEXT = policyText([statement()]);

describe("PolicyCache", () => {
  it("parses a text once", () => {
    const memory = new PolicyCache(10_000);
    const policy = memory.policyOf(TEXT, BUCKET);
    expect(memory.policyOf(TEXT, { ...BUCKET })).toBe(policy);
    expect(policyOf(TEXT, BUCKET)).toBe(policyOf(TEXT, BUCKET));
    expect(policyOf(TEXT, BUCKET)).toEqual(expect.objectContaining({ version: "2012-10-17" }));
  });

  it("does not take the policy of one for that of another", () => {
    const memory = new PolicyCache(10_000);
    memory.policyOf(TEXT, BUCKET);
    expect(() => memory.policyOf(TEXT, { of: "bucket", bucketName: "c", accountId: ACCOUNT })).toThrow(
      "Policy has invalid resource",
    );
    expect(() => memory.policyOf(TEXT, IDENTITY)).toThrow("Policy document should not specify a principal.");
    expect(memory.policyOf(TEXT, { of: "bucket", bucketName: "b", accountId: "999999999999" })).not.toBe(
      memory.policyOf(TEXT, BUCKET),
    );
  });

  it("keeps no more than it may, and forgets what was unused for longest", () => {
    const texts = ["a", "b", "c"].map((Sid) => policyText([statement({ Sid })]));
    const [a = "", b = "", c = ""] = texts;
    const memory = new PolicyCache(2 * (a.length + 50));
    const [first, second] = [memory.policyOf(a, BUCKET), memory.policyOf(b, BUCKET)];
    expect(memory.policyOf(a, BUCKET)).toBe(first);
    memory.policyOf(c, BUCKET);
    expect(memory.policyOf(a, BUCKET)).toBe(first);
    expect(memory.policyOf(b, BUCKET)).not.toBe(second);
    for (let turn = 0; turn < 100; turn += 1) memory.policyOf(policyText([statement({ Sid: String(turn) })]), BUCKET);
    expect(memory.size).toBeLessThanOrEqual(2 * (a.length + 50));
    expect(memory.size).toBeGreaterThan(a.length);
  });

  it("remembers nothing of what is refused, nor of what is larger than it may keep", () => {
    const memory = new PolicyCache(10);
    expect(() => memory.policyOf("{}", BUCKET)).toThrow(PolicyProblem);
    expect(memory.policyOf(TEXT, BUCKET).statements).toHaveLength(1);
    expect(memory.size).toBe(0);
  });
});
