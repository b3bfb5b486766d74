import { describe, expect, it } from "vitest";

import { takeGroup } from "../../../src/state/commit/group-members.ts";
import { statement, type Statement } from "../../../src/state/d1/database.ts";
import { isJoinable, joinBatches, listStatement, timedListStatement } from "../../../src/state/d1/joined-statements.ts";

const one = (key: string): Statement => listStatement("one", [key], "bucket");
const timed = (time: number, ...keys: string[]): Statement => timedListStatement("timed", keys, "bucket", time);

describe("joinBatches", () => {
  it("does each step for all batches of a kind, at the latest of their times", () => {
    expect(
      joinBatches([
        [one("a"), timed(5, "a")],
        [one("b"), timed(7, "b", "c")],
        [one("d"), timed(6)],
      ]),
    ).toEqual([statement("one", '["a","b","d"]', "bucket"), statement("timed", '["a","b","c"]', "bucket", 7)]);
  });

  it("keeps the order of each batch where steps or other parameters differ", () => {
    const [first, shorter, elsewhere] = [[one("a"), timed(1, "a")], [timed(2, "b")], [listStatement("one", [], "x")]];
    const joined = joinBatches([first, shorter, elsewhere, [one("c"), timed(3, "c")]]);
    expect(joined).toEqual([
      statement("one", '["a","c"]', "bucket"),
      statement("timed", '["a","c"]', "bucket", 3),
      ...shorter,
      ...elsewhere,
    ]);
  });

  it("appends a batch with a statement that takes no list as it is", () => {
    const fixed = [statement("fixed", "a"), one("a")];
    expect(joinBatches([fixed, [one("b")], fixed])).toEqual([...fixed, one("b"), ...fixed]);
    expect(isJoinable(fixed)).toBe(false);
  });

  it("takes the list form of a statement that has one", () => {
    const single = (key: string): Statement => ({ ...statement("single", key), asList: () => one(key) });
    expect(joinBatches([[single("a")], [single("b")]])).toEqual([statement("one", '["a","b"]', "bucket")]);
  });
});

describe("takeGroup", () => {
  const waitingOf = (writes: string, reads = "", statements: readonly Statement[] = [one("k")]) => ({
    member: {
      expectedHeads: new Map(Array.from(writes, (key) => [key, null])),
      readKeys: Array.from(reads),
      statements,
    },
  });
  /** The groups in which all changes are taken, by their numbers. */
  const groupsOf = (all: readonly ReturnType<typeof waitingOf>[]): number[][] => {
    const waiting = [...all];
    const groups: number[][] = [];
    while (waiting.length > 0) groups.push(takeGroup(waiting).map((taken) => all.indexOf(taken)));
    return groups;
  };

  it.each([
    ["different keys", [waitingOf("a"), waitingOf("bc"), waitingOf("d", "e")], [[0, 1, 2]]],
    ["reads of one key", [waitingOf("a", "x"), waitingOf("b", "x")], [[0, 1]]],
    ["writes of one key", [waitingOf("a"), waitingOf("ab"), waitingOf("c")], [[0, 2], [1]]],
    ["a write of a key that is read", [waitingOf("a", "x"), waitingOf("x"), waitingOf("b", "x")], [[0, 2], [1]]],
    ["a read of a key that is written", [waitingOf("x"), waitingOf("a", "x"), waitingOf("b")], [[0, 2], [1]]],
    ["a read of its own key", [waitingOf("a", "a"), waitingOf("b")], [[0, 1]]],
    ["a chain", [waitingOf("b", "a"), waitingOf("c", "b"), waitingOf("d", "c")], [[0, 2], [1]]],
  ])("with %s", (_, all, groups) => {
    expect(groupsOf(all)).toEqual(groups);
  });

  it("takes 50 changes, 100 statements that cannot be joined and 500,000 characters at most, but always one", () => {
    const many = (count: number, statements: readonly Statement[]) =>
      Array.from({ length: count }, (_, index) => waitingOf(String.fromCodePoint(0x4e00 + index), "", statements));
    const lengths = (all: readonly ReturnType<typeof waitingOf>[]): number[] =>
      groupsOf(all).map(({ length }) => length);
    expect(lengths(many(120, [one("k")]))).toEqual([50, 50, 20]);
    const ten = Array.from({ length: 10 }, () => statement("fixed"));
    expect(lengths(many(25, ten))).toEqual([10, 10, 5]);
    expect(
      lengths(
        many(
          3,
          Array.from({ length: 200 }, () => statement("fixed")),
        ),
      ),
    ).toEqual([1, 1, 1]);
    expect(lengths(many(5, [one("k".repeat(200_000))]))).toEqual([2, 2, 1]);
    expect(lengths(many(2, [one("k".repeat(600_000))]))).toEqual([1, 1]);
  });
});
