import { describe, expect, it } from "vitest";

import { utf8 } from "../../../src/bytes/text.ts";
import { percentDecode, percentDecodeText, uriEncode } from "../../../src/bytes/uri-encode.ts";
import { Seeded } from "./seeded.ts";

const UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
const ALL_BYTES = Array.from({ length: 256 }, (_, byte) => byte);

describe("percent-encoding", () => {
  it("keeps the unreserved bytes and escapes every other in upper case", () => {
    for (const byte of ALL_BYTES) {
      const character = String.fromCharCode(byte);
      const escaped = `%${byte.toString(16).padStart(2, "0").toUpperCase()}`;
      const wanted = byte < 128 && UNRESERVED.includes(character) ? character : escaped;
      expect(uriEncode(Uint8Array.of(byte))).toBe(wanted);
    }
  });

  it("keeps / only when requested", () => {
    expect(uriEncode("a/b//c")).toBe("a%2Fb%2F%2Fc");
    expect(uriEncode("a/b//c", true)).toBe("a/b//c");
  });

  it.each([
    ["a b", "a%20b"],
    ["a+b", "a%2Bb"],
    ["%41", "%2541"],
    ["é", "%C3%A9"],
    ["\u{1f600}", "%F0%9F%98%80"],
    ["!'()*=:@&?#", "%21%27%28%29%2A%3D%3A%40%26%3F%23"],
    ["\0\n", "%00%0A"],
    ["", ""],
  ])("writes %j as %s", (text, encoded) => expect(uriEncode(text)).toBe(encoded));
});

describe("percent-encoding of a text", () => {
  it("is that of its bytes", () => {
    const random = new Seeded(6);
    const texts = Array.from({ length: 300 }, () => random.text(12));
    for (const text of [...texts, "", "a/b", "%2F", "/%2f/", "a\ud800b", "\udc00", "plain-._~", "é/'*"]) {
      expect(uriEncode(text)).toBe(uriEncode(utf8(text)));
      expect(uriEncode(text, true)).toBe(uriEncode(utf8(text), true));
    }
  });
});

describe("percent-decoding", () => {
  it("reads every byte in either case, and every byte except % literally", () => {
    for (const byte of ALL_BYTES) {
      const hex = byte.toString(16).padStart(2, "0");
      expect(percentDecode(`%${hex.toUpperCase()}`)).toEqual(Uint8Array.of(byte));
      expect(percentDecode(`%${hex.toLowerCase()}`)).toEqual(Uint8Array.of(byte));
      if (byte < 128 && byte !== 0x25) expect(percentDecode(String.fromCharCode(byte))).toEqual(Uint8Array.of(byte));
    }
  });

  it("undoes the encoding of any bytes", () => {
    const random = new Seeded(5);
    for (let turn = 0; turn < 200; turn += 1) {
      const bytes = random.bytes(random.below(40));
      expect(percentDecode(uriEncode(bytes))).toEqual(bytes);
      expect(percentDecode(uriEncode(bytes, true))).toEqual(bytes);
      const text = random.text(12);
      expect(percentDecodeText(uriEncode(text))).toBe(text);
    }
  });

  it.each([
    "%",
    "%4",
    "a%",
    "a%4",
    "%zz",
    "%4g",
    "%g4",
    "%%41",
    "% 41",
    "%-1",
    "%+1",
    "%u0041",
    "%é1",
    "%\u{1f600}",
    "100%",
  ])("rejects the malformed escape in %j", (text) => {
    expect(percentDecode(text)).toBeUndefined();
    expect(percentDecodeText(text)).toBeUndefined();
  });

  it("decodes exactly once", () => {
    expect(percentDecodeText("%252F")).toBe("%2F");
    expect(percentDecodeText("%25252F")).toBe("%252F");
    expect(percentDecodeText("%2541")).toBe("%41");
  });

  it("decodes + as a space only when requested", () => {
    expect(percentDecodeText("a+b%2Bc")).toBe("a+b+c");
    expect(percentDecodeText("a+b%2Bc", true)).toBe("a b+c");
    expect(percentDecodeText("a+b", true)).toBe("a b");
    expect(percentDecode("+", true)).toEqual(utf8(" "));
  });

  it.each(["%ff", "%C3", "%C3%28", "%80", "%C0%AF", "%E0%80%AF", "%ED%A0%80", "%F4%90%80%80", "%F8%88%80%80%80"])(
    "returns no text for bytes that are not UTF-8: %s",
    (text) => {
      expect(percentDecode(text)).toBeDefined();
      expect(percentDecodeText(text)).toBeUndefined();
    },
  );

  it("keeps a byte order mark, NUL and unnormalised text", () => {
    expect(percentDecodeText("%EF%BB%BFa")).toBe("\ufeffa");
    expect(percentDecodeText("a%00b")).toBe("a\0b");
    expect(percentDecodeText("e%CC%81")).toBe("e\u0301");
    expect(percentDecodeText("é%20")).toBe("é ");
  });
});
