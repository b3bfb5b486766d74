import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { archiveNames } from "../../../src/protocol/objects/archive-names.ts";

const namesOf = (...keys: readonly string[]): string[] => archiveNames(keys.map((key) => ({ key, size: 1 })));

describe("the name of a member", () => {
  it.each(["a", "a/b.txt", "ü/\u{1f600}", "a b", "...a", ".hidden", "12:30:00", "a~2", "x".repeat(1024)])(
    "is its key: %s",
    (key) => {
      expect(namesOf(key)).toEqual([key]);
    },
  );

  it.each([
    ["../evil", "__/evil"],
    ["a/../../evil", "a/__/__/evil"],
    ["./a", "_/a"],
    ["a/..", "a/__"],
    [".. /a", "___/a"],
    ["/etc/passwd", "_/etc/passwd"],
    ["//host/share", "_/_/host/share"],
    ["a//b", "a/_/b"],
    ["..\\evil", ".._evil"],
    ["\\\\host\\share", "__host_share"],
    ["C:\\windows", "C__windows"],
    ["C:/windows", "C_/windows"],
    ["a/c:/b", "a/c_/b"],
    ["a\u0001\nb", "a__b"],
    ["a\u007fb\u0085", "a_b_"],
    ["a/", "a/_"],
    ["/", "_/_"],
  ])("is made safe: %j becomes %s", (key, name) => {
    expect(namesOf(key)).toEqual([name]);
  });

  it("is a directory for an empty object whose key ends with a slash", () => {
    expect(archiveNames([{ key: "a/b/", size: 0 }])).toEqual(["a/b/"]);
    expect(archiveNames([{ key: "../", size: 0 }])).toEqual(["__/"]);
    expect(archiveNames([{ key: "/", size: 0 }])).toEqual(["_/"]);
  });

  it("stays distinct, and a key that is its own name keeps it", () => {
    expect(namesOf("a\u0001.txt", "a\u0002.txt", "a_.txt")).toEqual(["a_~2.txt", "a_~3.txt", "a_.txt"]);
    expect(namesOf("a\\", "a_~2", "a_")).toEqual(["a_~3", "a_~2", "a_"]);
  });

  it("stays distinct where a program composes characters, and the composed key keeps its name", () => {
    expect(namesOf("e\u0301.txt", "é.txt")).toEqual(["e\u0301~2.txt", "é.txt"]);
    expect(namesOf("e\u0301/a", "é/a", "e\u0301/b")).toEqual(["e\u0301/a~2", "é/a", "e\u0301/b"]);
    expect(namesOf("e\u0301", "é/a")).toEqual(["e\u0301~2", "é/a"]);
    expect(namesOf("\u212a:/a")).toEqual(["\u212a_/a"]);
    expect(namesOf("e\u0301")).toEqual(["e\u0301"]);
  });

  it("gives way where another key needs a directory of this name", () => {
    expect(namesOf("a", "a-b", "a/b")).toEqual(["a~2", "a-b", "a/b"]);
    expect(namesOf("x/a.txt", "x/a.txt/b")).toEqual(["x/a~2.txt", "x/a.txt/b"]);
  });

  it("numbers ten thousand colliding names without trying each number again", () => {
    const keys = Array.from({ length: 10_000 }, (_, index) =>
      Array.from({ length: 14 }, (_, bit) => ((index >> bit) & 1 ? "\u0001" : "\u0002")).join(""),
    );
    expect(new Set(namesOf(...keys)).size).toBe(10_000);
  });

  it("never leaves the folder, and every name and folder is distinct, for any keys", () => {
    const segment = fc.oneof(
      fc.constantFrom("", ".", "..", "a", "_", "__", "a~2", "C:", "..\\", "\u0001", ".. "),
      fc.string({ unit: "grapheme", maxLength: 3 }),
    );
    const key = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("/"));
    const keys = fc.uniqueArray(
      key.filter((one) => one !== ""),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(keys, fc.boolean(), (list, isEmpty) => {
        const names = archiveNames(list.map((one) => ({ key: one, size: isEmpty ? 0 : 1 })));
        const bare = names.map((name) => name.replace(/\/$/, ""));
        expect(new Set(bare).size).toBe(list.length);
        for (const name of names) {
          const segments = name.replace(/\/$/, "").split("/");
          expect(segments.every((one) => one !== "" && !/^[. ]+$/.test(one) && !/^[A-Za-z]:/.test(one))).toBe(true);
          // oxlint-disable-next-line no-control-regex
          expect(name).not.toMatch(/[\u0000-\u001f\u007f\\]/);
          if (!name.endsWith("/")) expect(bare.some((other) => other.startsWith(`${name}/`))).toBe(false);
        }
      }),
    );
  });
});
