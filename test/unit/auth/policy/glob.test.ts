// Wildcards, against a plain matcher that tries everything, and against the clock.
import { describe, expect, it } from "vitest";

import { matchesGlob } from "../../../../src/auth/policy/glob.ts";
import { parseTemplate } from "../../../../src/auth/policy/template.ts";
import { Seeded } from "../../bytes/seeded.ts";

function matches(pattern: string, text: string): boolean {
  const glob = parseTemplate(pattern, { hasVariables: false, hasWildcards: true })?.glob;
  if (glob === undefined) throw new Error(`no pattern: ${pattern}`);
  return matchesGlob(glob, text);
}

/** Whether a text fits, character by character, by whatever way there is. */
function naive(pattern: readonly string[], text: readonly string[]): boolean {
  const [first, ...others] = pattern;
  if (first === undefined) return text.length === 0;
  if (first === "*") return naive(others, text) || (text.length > 0 && naive(pattern, text.slice(1)));
  return text.length > 0 && (first === "?" || first === text[0]) && naive(others, text.slice(1));
}

describe("matchesGlob", () => {
  it.each([
    ["", "", true],
    ["", "a", false],
    ["*", "", true],
    ["*", "a/b/c", true],
    ["?", "", false],
    ["?", "/", true],
    ["?", "ab", false],
    ["a*", "a", true],
    ["*a", "ba", true],
    ["*a", "ab", false],
    ["a*a", "a", false],
    ["a*a", "aa", true],
    ["*ab*", "aab", true],
    ["*a?c*", "aabc", true],
    ["a*b*c", "abbc", true],
    ["a*b*c", "acb", false],
    ["a*bc", "abc", true],
    ["abc*cd", "abcd", false],
    ["**", "x", true],
    ["*?*?*", "x", false],
    ["?*?", "xy", true],
    ["A", "a", false],
    ["?", "😀", true],
    ["??", "😀", false],
    ["*?", "😀", true],
    ["a?b", "a😀b", true],
    ["\n*", "\nx", true],
    [".*", "xx", false],
  ])("%j fits %j: %s", (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  it("agrees with a matcher that tries everything", () => {
    const seeded = new Seeded(20_261_121);
    const draw = (letters: readonly string[], longest: number): string[] =>
      Array.from({ length: seeded.below(longest + 1) }, () => seeded.pick(letters));
    let fitting = 0;
    for (let turn = 0; turn < 20_000; turn += 1) {
      const pattern = draw(["a", "b", "*", "?", "😀"], 8);
      const text = draw(["a", "b", "😀"], 9);
      const expected = naive(pattern, text);
      fitting += expected ? 1 : 0;
      expect(matches(pattern.join(""), text.join("")), `${pattern.join("")} on ${text.join("")}`).toBe(expected);
    }
    expect(fitting).toBeGreaterThan(1000);
  });

  it.each([
    ["many stars", "*a".repeat(1000), true],
    ["more stars than there is text for", "*a".repeat(5000), false],
    ["many stars and an end that is not there", `${"*a".repeat(400)}*b`, false],
    ["a long piece that nearly fits", `*${"a".repeat(500)}b*`, false],
    ["many question marks", `*${"?".repeat(500)}b*`, false],
    ["more question marks than there is text for", `*${"?".repeat(5000)}`, false],
  ])("takes milliseconds for %s", (_name, pattern, expected) => {
    const started = performance.now();
    expect(matches(pattern, "a".repeat(1024))).toBe(expected);
    expect(performance.now() - started).toBeLessThan(100);
  });
});
