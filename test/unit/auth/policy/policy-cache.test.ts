import { describe, expect, it } from "vitest";

import { policyOf, PolicyCache } from "../../../../src/auth/policy/policy-cache.ts";
import { PolicyProblem } from "../../../../src/auth/policy/policy.ts";
import { ACCOUNT, BUCKET, IDENTITY, policyText, statement } from "./support.ts";

const TEXT = policyText([statement()]);

/** The size of a policy in a cache, in bytes. */
function sizeOf(text: string): number {
  const cache = new PolicyCache(100_000_000);
  cache.policyOf(text, BUCKET);
  return cache.size;
}

describe("PolicyCache", () => {
  it("parses a text once", () => {
    const cache = new PolicyCache(100_000);
    const policy = cache.policyOf(TEXT, BUCKET);
    expect(cache.policyOf(TEXT, { ...BUCKET })).toBe(policy);
    expect(policyOf(TEXT, BUCKET)).toBe(policyOf(TEXT, BUCKET));
    expect(policyOf(TEXT, BUCKET)).toEqual(expect.objectContaining({ version: "2012-10-17" }));
  });

  it("separates the policies of different owners", () => {
    const cache = new PolicyCache(100_000);
    cache.policyOf(TEXT, BUCKET);
    expect(() => cache.policyOf(TEXT, { of: "bucket", bucketName: "c", accountId: ACCOUNT })).toThrow(
      "Policy has invalid resource",
    );
    expect(() => cache.policyOf(TEXT, IDENTITY)).toThrow("Policy document should not specify a principal.");
    expect(cache.policyOf(TEXT, { of: "bucket", bucketName: "b", accountId: "999999999999" })).not.toBe(
      cache.policyOf(TEXT, BUCKET),
    );
  });

  it("has a bounded size and evicts the least recently used entry", () => {
    const texts = ["a", "b", "c"].map((Sid) => policyText([statement({ Sid })]));
    const [a = "", b = "", c = ""] = texts;
    const room = 2 * sizeOf(a) + 100;
    const cache = new PolicyCache(room);
    const [first, second] = [cache.policyOf(a, BUCKET), cache.policyOf(b, BUCKET)];
    expect(cache.policyOf(a, BUCKET)).toBe(first);
    cache.policyOf(c, BUCKET);
    expect(cache.policyOf(a, BUCKET)).toBe(first);
    expect(cache.policyOf(b, BUCKET)).not.toBe(second);
    for (let turn = 0; turn < 100; turn += 1) cache.policyOf(policyText([statement({ Sid: String(turn) })]), BUCKET);
    expect(cache.size).toBeLessThanOrEqual(room);
    expect(cache.size).toBeGreaterThan(a.length);
  });

  it("stores no rejected policy and none above its limit", () => {
    const cache = new PolicyCache(10);
    expect(() => cache.policyOf("{}", BUCKET)).toThrow(PolicyProblem);
    expect(cache.policyOf(TEXT, BUCKET).statements).toHaveLength(1);
    expect(cache.size).toBe(0);
  });
});

describe("the size of a policy", () => {
  const referer = (operator: string, values: readonly string[]): string =>
    policyText([statement({ Condition: { [operator]: { "aws:Referer": values } } })]);
  const times = (count: number, value: string): string[] => Array.from({ length: count }, () => value);

  // Measured in V8, after garbage collection.
  it.each([
    ["values that match everything", referer("StringLike", times(4800, "*")), 1_778_496],
    ["question marks", referer("StringLike", times(20, "?".repeat(900))), 1_023_592],
    ["stars and question marks", referer("StringLike", times(2800, "*?*")), 2_511_684],
    ["many pieces", referer("StringLike", times(180, "*a".repeat(50))), 1_480_370],
    ["ARNs", referer("ArnLike", times(1500, "arn:*:::::")), 2_897_127],
    ["texts", referer("StringEquals", times(4800, "a")), 2_306_697],
    ["statements", policyText(times(150, "").map(() => statement())), 226_050],
  ])("with many %s is what it retains, however short its text", (_what, text, retained) => {
    expect(text.length).toBeLessThanOrEqual(20_480);
    expect(sizeOf(text)).toBeGreaterThanOrEqual(retained);
    expect(sizeOf(text)).toBeLessThan(4 * retained);
  });

  it("limits a cache by memory and not by text", () => {
    const cache = new PolicyCache(8_000_000);
    for (let turn = 0; turn < 20; turn += 1) {
      cache.policyOf(referer("StringLike", [...times(4000, "*"), String(turn)]), BUCKET);
      expect(cache.size).toBeLessThanOrEqual(8_000_000);
    }
    expect(cache.size).toBeGreaterThan(2_000_000);
  });
});
