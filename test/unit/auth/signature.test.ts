// Signing keys: what is cached, and that the cache is bounded. Signatures: their valid form.
import { describe, expect, it } from "vitest";

import { SigningKeyCache } from "../../../src/auth/sigv4/signing-key-cache.ts";
import { isSignature, sign, signingKey } from "../../../src/auth/sigv4/signature.ts";
import { hex, SECRET_ACCESS_KEY, signText } from "./support.ts";

const SCOPE = { date: "20130524", region: "us-east-1", service: "s3" };

describe("signingKey", () => {
  it("derives the key of the documented steps", async () => {
    const key = await signingKey(SECRET_ACCESS_KEY, SCOPE);
    expect(hex(await sign(key, "text é"))).toBe(await signText("text é", "20130524"));
  });

  it("is cached by secret and scope", async () => {
    const key = await signingKey(SECRET_ACCESS_KEY, SCOPE);
    expect(await signingKey(SECRET_ACCESS_KEY, { ...SCOPE })).toBe(key);
    const others = [
      await signingKey(`${SECRET_ACCESS_KEY}x`, SCOPE),
      await signingKey(SECRET_ACCESS_KEY, { ...SCOPE, date: "20130525" }),
      await signingKey(SECRET_ACCESS_KEY, { ...SCOPE, region: "" }),
      await signingKey(SECRET_ACCESS_KEY, { ...SCOPE, service: "sts" }),
    ];
    const signatures = await Promise.all([key, ...others].map(async (each) => hex(await sign(each, "text"))));
    expect(new Set(signatures).size).toBe(5);
  });

  it("stays correct after other regions have evicted it", async () => {
    const before = await signingKey(SECRET_ACCESS_KEY, SCOPE);
    for (let at = 0; at < 300; at += 1) await signingKey(SECRET_ACCESS_KEY, { ...SCOPE, region: `r${at}` });
    const after = await signingKey(SECRET_ACCESS_KEY, SCOPE);
    expect(after).not.toBe(before);
    expect(hex(await sign(after, "text"))).toBe(hex(await sign(before, "text")));
  });

  it("cannot be exported", async () => {
    const key = await signingKey(SECRET_ACCESS_KEY, SCOPE);
    expect(key.extractable).toBe(false);
    expect(key.usages).toEqual(["sign"]);
  });
});

describe("SigningKeyCache", () => {
  it("evicts the least recently used key", async () => {
    const key = await signingKey(SECRET_ACCESS_KEY, SCOPE);
    const cache = new SigningKeyCache(2);
    cache.put("a", key);
    cache.put("b", key);
    expect(cache.get("a")).toBe(key);
    cache.put("c", key);
    expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual([key, undefined, key]);
    for (let at = 0; at < 100; at += 1) cache.put(`__proto__${at}`, key);
    expect(cache.size).toBe(2);
    expect(cache.get("__proto__")).toBeUndefined();
  });
});

describe("isSignature", () => {
  const bytes = new Uint8Array(32).map((_, at) => at * 8 + 5);

  it("accepts only the lower-case hexadecimal of the bytes", () => {
    const text = hex(bytes);
    expect(isSignature(text, bytes)).toBe(true);
    const others = ["", text.slice(2), `${text}00`, text.toUpperCase(), `${text} `, "zz".repeat(32), "é".repeat(64)];
    for (const other of others) expect(isSignature(other, bytes), other).toBe(false);
    for (let at = 0; at < 64; at += 1) {
      const flipped = text.slice(0, at) + (text[at] === "0" ? "1" : "0") + text.slice(at + 1);
      expect(isSignature(flipped, bytes)).toBe(false);
    }
  });
});
