import { assert, asyncProperty, string } from "fast-check";
import { describe, expect, it } from "vitest";

import { KeyRing } from "../../../src/auth/identity/sealing.ts";

function freshKey(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
}

describe("a sealed text", () => {
  it("opens to what it was, for its owner alone", async () => {
    const keys = await KeyRing.of([freshKey()]);
    await assert(
      asyncProperty(string({ unit: "grapheme" }), string(), string(), async (text, owner, other) => {
        const sealed = await keys.seal(text, owner);
        expect(await keys.open(sealed, owner)).toBe(text.toWellFormed());
        if (other.toWellFormed() !== owner.toWellFormed()) expect(await keys.open(sealed, other)).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });

  it("is another one each time, and shows nothing of the text but its length", async () => {
    const keys = await KeyRing.of([freshKey()]);
    const boxes = await Promise.all(Array.from({ length: 50 }, async () => (await keys.seal("text", "owner")).box));
    expect(new Set(boxes).size).toBe(50);
    for (const box of boxes) expect(box).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it("does not open where a bit of it was changed", async () => {
    const keys = await KeyRing.of([freshKey()]);
    const { keyVersion, box } = await keys.seal("a secret of some length", "owner");
    const binary = atob(box.replaceAll("-", "+").replaceAll("_", "/"));
    for (let bit = 0; bit < binary.length * 8; bit += 1) {
      const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const changed = btoa(String.fromCharCode(...bytes))
        .replaceAll("+", "-")
        .replaceAll("/", "_")
        .replace(/=+$/, "");
      expect(await keys.open({ keyVersion, box: changed }, "owner")).toBeUndefined();
    }
    for (const cut of ["", "A", box.slice(0, 16), box.slice(0, 37), box.slice(0, -1), `${box}A`, `${box}=`]) {
      expect(await keys.open({ keyVersion, box: cut }, "owner")).toBeUndefined();
    }
  });
});

describe("a ring of master keys", () => {
  it("seals with the first and opens with all of them", async () => {
    const [old, current] = [freshKey(), freshKey()];
    const [before, both, after] = [
      await KeyRing.of([old]),
      await KeyRing.of([current, old]),
      await KeyRing.of([current]),
    ];
    const sealed = await before.seal("text", "owner");
    expect(sealed.keyVersion).toBe(before.version);
    expect(await both.open(sealed, "owner")).toBe("text");
    expect(await after.open(sealed, "owner")).toBeUndefined();
    const again = await both.seal("text", "owner");
    expect(again.keyVersion).toBe(after.version);
    expect(await after.open(again, "owner")).toBe("text");
    expect(await before.open(again, "owner")).toBeUndefined();
    expect([both.previousVersions, after.previousVersions]).toEqual([[before.version], []]);
    // The version of one key on the box of another.
    expect(await both.open({ ...sealed, keyVersion: again.keyVersion }, "owner")).toBeUndefined();
  });

  it("tells keys apart by a fingerprint that is theirs wherever they stand", async () => {
    const [one, other] = [freshKey(), freshKey()];
    const versions = [await KeyRing.of([one]), await KeyRing.of([one, other]), await KeyRing.of([other])].map(
      ({ version }) => version,
    );
    expect(versions[0]).toMatch(/^[0-9a-f]{8}$/);
    expect(versions[0]).toBe(versions[1]);
    expect(versions[0]).not.toBe(versions[2]);
  });

  it("takes the base64 of 32 bytes and nothing else", async () => {
    for (const key of ["", "x", btoa("x".repeat(31)), btoa("x".repeat(33)), "-".repeat(44)]) {
      await expect(KeyRing.of([key])).rejects.toThrow("32 bytes");
    }
  });
});
