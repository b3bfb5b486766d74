import { assert, asyncProperty, string } from "fast-check";
import { describe, expect, it } from "vitest";

import { KeyRing } from "../../../src/auth/identity/key-ring.ts";

function freshKey(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
}

describe("an encrypted text", () => {
  it("decrypts to the same text, and only for its owner", async () => {
    const keys = await KeyRing.of([freshKey()]);
    await assert(
      asyncProperty(string({ unit: "grapheme" }), string(), string(), async (text, owner, other) => {
        const encrypted = await keys.encrypt(text, owner);
        expect(await keys.decrypt(encrypted, owner)).toBe(text.toWellFormed());
        if (other.toWellFormed() !== owner.toWellFormed()) expect(await keys.decrypt(encrypted, other)).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });

  it("differs each time, and reveals only the length of the text", async () => {
    const keys = await KeyRing.of([freshKey()]);
    const ciphertexts = await Promise.all(
      Array.from({ length: 50 }, async () => (await keys.encrypt("text", "owner")).ciphertext),
    );
    expect(new Set(ciphertexts).size).toBe(50);
    for (const ciphertext of ciphertexts) expect(ciphertext).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it("with any changed bit does not decrypt", async () => {
    const keys = await KeyRing.of([freshKey()]);
    const { keyVersion, ciphertext } = await keys.encrypt("a secret of some length", "owner");
    const binary = atob(ciphertext.replaceAll("-", "+").replaceAll("_", "/"));
    for (let bit = 0; bit < binary.length * 8; bit += 1) {
      const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const changed = btoa(String.fromCharCode(...bytes))
        .replaceAll("+", "-")
        .replaceAll("/", "_")
        .replace(/=+$/, "");
      expect(await keys.decrypt({ keyVersion, ciphertext: changed }, "owner")).toBeUndefined();
    }
    for (const cut of [
      "",
      "A",
      ciphertext.slice(0, 16),
      ciphertext.slice(0, 37),
      ciphertext.slice(0, -1),
      `${ciphertext}A`,
      `${ciphertext}=`,
    ]) {
      expect(await keys.decrypt({ keyVersion, ciphertext: cut }, "owner")).toBeUndefined();
    }
  });
});

describe("a key ring", () => {
  it("encrypts with the first key and decrypts with all of them", async () => {
    const [old, current] = [freshKey(), freshKey()];
    const [before, both, after] = [
      await KeyRing.of([old]),
      await KeyRing.of([current, old]),
      await KeyRing.of([current]),
    ];
    const encrypted = await before.encrypt("text", "owner");
    expect(encrypted.keyVersion).toBe(before.version);
    expect(await both.decrypt(encrypted, "owner")).toBe("text");
    expect(await after.decrypt(encrypted, "owner")).toBeUndefined();
    const again = await both.encrypt("text", "owner");
    expect(again.keyVersion).toBe(after.version);
    expect(await after.decrypt(again, "owner")).toBe("text");
    expect(await before.decrypt(again, "owner")).toBeUndefined();
    expect([both.previousVersions, after.previousVersions]).toEqual([[before.version], []]);
    // The version of one key on the ciphertext of another.
    expect(await both.decrypt({ ...encrypted, keyVersion: again.keyVersion }, "owner")).toBeUndefined();
  });

  it("identifies keys by a fingerprint that is independent of their position", async () => {
    const [one, other] = [freshKey(), freshKey()];
    const versions = [await KeyRing.of([one]), await KeyRing.of([one, other]), await KeyRing.of([other])].map(
      ({ version }) => version,
    );
    expect(versions[0]).toMatch(/^[0-9a-f]{8}$/);
    expect(versions[0]).toBe(versions[1]);
    expect(versions[0]).not.toBe(versions[2]);
  });

  it("accepts only the base64 of 32 bytes", async () => {
    for (const key of ["", "x", btoa("x".repeat(31)), btoa("x".repeat(33)), "-".repeat(44)]) {
      await expect(KeyRing.of([key])).rejects.toThrow("32 bytes");
    }
  });
});
