import { describe, expect, it } from "vitest";

import { corsHeaders } from "../../../src/protocol/buckets/cors.ts";
import { WildcardSet } from "../../../src/protocol/buckets/wildcard-set.ts";
import { Seeded } from "../bytes/seeded.ts";

/** Whether a text matches a pattern with at most one `*`, by definition. */
function fits(pattern: string, text: string): boolean {
  const [before = "", after] = pattern.split("*");
  if (after === undefined) return pattern === text;
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
}

describe("WildcardSet", () => {
  it("contains exactly the texts that match one of its patterns", () => {
    const seeded = new Seeded(11);
    const word = (longest: number): string =>
      Array.from({ length: seeded.below(longest + 1) }, () => seeded.pick(["a", "b"])).join("");
    let found = 0;
    for (let turn = 0; turn < 5000; turn += 1) {
      const patterns = Array.from({ length: seeded.below(5) }, () =>
        seeded.below(2) === 0 ? word(4) : `${word(3)}*${word(3)}`,
      );
      const text = word(6);
      const expected = patterns.some((pattern) => fits(pattern, text));
      found += expected ? 1 : 0;
      expect(new WildcardSet(patterns).has(text), `${patterns.join(" ")}: ${text}`).toBe(expected);
    }
    expect(found).toBeGreaterThan(1000);
  });

  it.each([
    ["texts", (turn: number) => `x-${turn}`],
    ["patterns with a beginning", (turn: number) => `x-${turn}*`],
    ["patterns with an ending", (turn: number) => `*-${turn}`],
    ["patterns with both", (turn: number) => `x-${turn}*-${turn}`],
  ])("of 2000 %s looks up 30,000 names in few steps each", (_what, patternOf) => {
    const set = new WildcardSet(Array.from({ length: 2000 }, (_, turn) => patternOf(turn)));
    for (let turn = 0; turn < 30_000; turn += 1) set.has(`y-${turn}`);
    expect(set.steps).toBeLessThan(30_000 * 10);
  });
});

describe("a preflight for very many headers against a large configuration", () => {
  it("needs as many look-ups as there are headers", () => {
    const rule = (prefix: string) => ({
      id: undefined,
      allowedOrigins: ["https://*.example.com"],
      allowedMethods: ["GET"],
      allowedHeaders: Array.from({ length: 1000 }, (_, turn) => `X-${prefix}${turn}*`),
      exposeHeaders: [],
      maxAgeSeconds: undefined,
    });
    const headers = Array.from({ length: 30_000 }, (_, turn) => `x-a${turn % 1000}-${turn}`);
    const question = { origin: "https://a.example.com", method: "GET", headers };
    expect(corsHeaders([rule("b"), rule("a")], question)).toBeDefined();
    expect(corsHeaders([rule("b"), rule("c")], question)).toBeUndefined();
  });
});
