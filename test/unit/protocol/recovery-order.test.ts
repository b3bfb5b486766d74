// Which of several stored objects is the newest, and where that is uncertain.
import { describe, expect, it } from "vitest";

import { COMMIT_MAX_MS, findNewest, type Candidate } from "../../../src/protocol/objects/recovery-order.ts";
import { nextVersionId } from "../../../src/protocol/core/version-id.ts";

const NOON = Date.UTC(2026, 10, 21, 12);

function candidate(referenceId: string, storedAt: number, more: Partial<Candidate> = {}): Candidate {
  return { referenceId, storedAt, versionId: undefined, seen: { versionId: null }, ...more };
}

function idsOf(candidates: readonly Candidate[]): { copies: string[]; uncertain: string[]; earlier: string[] } {
  const { copies = [], uncertain = [], earlier = [] } = findNewest(candidates) ?? {};
  const ids = (some: readonly Candidate[]): string[] => some.map(({ referenceId }) => referenceId);
  return { copies: ids(copies), uncertain: ids(uncertain), earlier: ids(earlier) };
}

describe("the newest of several objects of a key", () => {
  it("is none without candidates, and the only one of one", () => {
    expect(findNewest([])).toBeUndefined();
    expect(idsOf([candidate("a", NOON)])).toEqual({ copies: ["a"], uncertain: [], earlier: [] });
  });

  it("is certainly the one stored later when no commit can take that long", () => {
    const first = candidate("a", NOON);
    const soon = candidate("b", NOON + COMMIT_MAX_MS);
    expect(idsOf([first, soon])).toEqual({ copies: ["b"], uncertain: ["a"], earlier: [] });
    const later = candidate("b", NOON + COMMIT_MAX_MS + 1);
    expect(idsOf([later, first])).toEqual({ copies: ["b"], uncertain: [], earlier: ["a"] });
  });

  it("is certainly the one whose writer saw the other", () => {
    const versionId = nextVersionId(NOON + 1, undefined);
    const second = candidate("b", NOON + 3, { seen: { versionId, referenceId: "a" } });
    expect(idsOf([candidate("a", NOON), second])).toEqual({ copies: ["b"], uncertain: [], earlier: ["a"] });
  });

  it("is the one whose writer saw the other, even when another clock stored it earlier", () => {
    const versionId = nextVersionId(NOON + 10, undefined);
    const second = candidate("b", NOON + 12, { seen: { versionId, referenceId: "a" } });
    const third = candidate("c", NOON + 11, {
      seen: { versionId: nextVersionId(NOON + 20, undefined), referenceId: "b" },
    });
    const expected = { copies: ["c"], uncertain: [], earlier: ["a", "b"] };
    expect(idsOf([candidate("a", NOON), second, third])).toEqual(expected);
    expect(idsOf([third, candidate("a", NOON), second])).toEqual(expected);
  });

  it("follows known version ids, not the storage times", () => {
    const early = candidate("a", NOON + 1000, { versionId: nextVersionId(NOON, undefined) });
    const late = candidate("b", NOON - 1000, { versionId: nextVersionId(NOON + 1, undefined) });
    expect(idsOf([early, late])).toEqual({ copies: ["b"], uncertain: [], earlier: ["a"] });
  });

  it("is uncertain when two writers saw the same head, or one does not state it", () => {
    for (const seen of [{ versionId: null }, undefined]) {
      const two = [candidate("a", NOON, { seen }), candidate("b", NOON + 10, { seen })];
      expect(idsOf(two)).toEqual({ copies: ["b"], uncertain: ["a"], earlier: [] });
    }
  });

  it("is uncertain for an object stored shortly before a known version, and not for the one it saw", () => {
    const known = candidate("m", NOON + 50, { versionId: nextVersionId(NOON + 60, undefined) });
    expect(idsOf([candidate("a", NOON), known])).toEqual({ copies: ["m"], uncertain: ["a"], earlier: [] });
    const seen = { versionId: nextVersionId(NOON + 5, undefined), referenceId: "a" };
    const seeing = { ...known, seen };
    expect(idsOf([candidate("a", NOON), seeing])).toEqual({ copies: ["m"], uncertain: [], earlier: ["a"] });
  });

  it("is an object stored long after a known version, and uncertain for one stored with it", () => {
    const known = candidate("m", NOON, { versionId: nextVersionId(NOON, undefined) });
    expect(idsOf([known, candidate("a", NOON + 6000)])).toEqual({ copies: ["a"], uncertain: [], earlier: ["m"] });
    expect(idsOf([known, candidate("a", NOON + 1000)])).toEqual({ copies: ["a"], uncertain: ["m"], earlier: [] });
  });

  it("includes all its copies, the latest first", () => {
    const versionId = nextVersionId(NOON, undefined);
    const moved = candidate("c", NOON + 90_000, { versionId, seen: { versionId, referenceId: "a" } });
    expect(idsOf([candidate("a", NOON), moved])).toEqual({ copies: ["c", "a"], uncertain: [], earlier: [] });
  });
});
