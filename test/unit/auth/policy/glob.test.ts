// Wildcards against plain exhaustive matchers, and the number of steps.
import { describe, expect, it } from "vitest";

import { matchesGlob, type Glob } from "../../../../src/auth/policy/glob.ts";
import { MatchText } from "../../../../src/auth/policy/match-text.ts";
import { parseTemplate } from "../../../../src/auth/policy/template.ts";
import { Seeded } from "../../bytes/seeded.ts";

function globFor(pattern: string): Glob {
  const glob = parseTemplate(pattern, { hasVariables: false, hasWildcards: true })?.glob;
  if (glob === undefined) throw new Error(`no pattern: ${pattern}`);
  return glob;
}

function matches(pattern: string, text: string): boolean {
  return matchesGlob(globFor(pattern), new MatchText(text));
}

/** Whether a text matches, character by character, by exhaustive search. */
function naive(pattern: readonly string[], text: readonly string[]): boolean {
  const [first, ...others] = pattern;
  if (first === undefined) return text.length === 0;
  if (first === "*") return naive(others, text) || (text.length > 0 && naive(pattern, text.slice(1)));
  return text.length > 0 && (first === "?" || first === text[0]) && naive(others, text.slice(1));
}

/** The same, in time proportional to the product of the lengths. */
function byDynamicProgramming(pattern: readonly string[], text: readonly string[]): boolean {
  let fits = [true, ...text.map(() => false)];
  for (const part of pattern) {
    const next = fits.map(() => false);
    for (let at = 0; at <= text.length; at += 1) {
      if (part === "*") next[at] = fits[at] === true || (at > 0 && next[at - 1] === true);
      else if (at > 0) next[at] = fits[at - 1] === true && (part === "?" || part === text[at - 1]);
    }
    fits = next;
  }
  return fits[text.length] === true;
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

  it("agrees with an exhaustive matcher", () => {
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

  it("agrees with an exhaustive matcher on texts that are long enough for an index", () => {
    const seeded = new Seeded(20_261_129);
    let fitting = 0;
    for (let turn = 0; turn < 3000; turn += 1) {
      // Few letters make frequent characters, whose positions are bit sets; many make rare ones.
      const letters = turn % 2 === 0 ? ["a", "b"] : ["a", "b", "c", "d", "é", "😀", "/", "0", "1", "2", "3", "4"];
      const text = Array.from({ length: 64 + seeded.below(80) }, () => seeded.pick(letters));
      const from = seeded.below(40);
      const piece = text
        .slice(from, from + 1 + seeded.below(45))
        .map((letter) => (seeded.below(4) === 0 ? "?" : letter));
      if (seeded.below(3) === 0) piece[seeded.below(piece.length)] = seeded.pick(letters);
      const other = text.slice(-seeded.below(12) - 1, -1);
      const pattern = ["*", ...piece, "*", ...other, "*"];
      const expected = byDynamicProgramming(pattern, text);
      fitting += expected ? 1 : 0;
      expect(matches(pattern.join(""), text.join("")), `${pattern.join("")} on ${text.join("")}`).toBe(expected);
    }
    expect(fitting).toBeGreaterThan(500);
    expect(fitting).toBeLessThan(2900);
  });

  it.each([
    ["many stars", "*a".repeat(1000), true],
    ["more stars than there is text for", "*a".repeat(5000), false],
    ["many stars and an end that does not occur", `${"*a".repeat(400)}*b`, false],
    ["a long piece that nearly fits", `*${"a".repeat(500)}b*`, false],
    ["many question marks", `*${"?".repeat(500)}b*`, false],
    ["more question marks than there is text for", `*${"?".repeat(5000)}`, false],
    ["question marks among stars", "*?".repeat(1024), true],
    ["question marks that nearly fit", `*${"a?".repeat(250)}b*`, false],
    ["question marks and text in turn, many times", `${"*a?a".repeat(250)}*`, true],
    ["a beginning of question marks", `${"?".repeat(900)}*${"?".repeat(900)}`, false],
  ])("takes no more steps than a pattern's length times a 32nd of the text's for %s", (_name, pattern, expected) => {
    for (const length of [1024, 16 * 1024]) {
      const text = new MatchText("a".repeat(length));
      const isFitting = matchesGlob(globFor(pattern), text);
      if (length === 1024) expect(isFitting).toBe(expected);
      expect(text.steps).toBeLessThanOrEqual(4 * length + (pattern.length * length) / 32 + 2 * pattern.length);
    }
  });

  it.each([
    ["a rare character", (turn: number) => `*x${"?".repeat(turn % 7)}a*b*`],
    ["frequent characters only", (turn: number) => `*${"a?".repeat(turn % 7)}ab*b*`],
    ["text only", (turn: number) => `*${"a".repeat(8 + (turn % 7))}b*`],
  ])("indexes a text once for many patterns with %s", (_name, patternOf) => {
    const text = new MatchText(`${"a".repeat(100_000)}x${"a".repeat(28_000)}`);
    const patterns = Array.from({ length: 2000 }, (_, turn) => patternOf(turn));
    let length = 0;
    for (const pattern of patterns) {
      matchesGlob(globFor(pattern), text);
      length += pattern.length;
    }
    expect(text.steps).toBeLessThanOrEqual(4 * text.text.length + (length * text.text.length) / 32);
  });
});
