import { describe, expect, it } from "vitest";

import { fromBase64, fromBase64Url, fromHex, toBase64, toBase64Url, toHex } from "../../../src/bytes/hex-base64.ts";
import { utf8 } from "../../../src/bytes/text.ts";
import { Seeded } from "./seeded.ts";

const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);

describe("hexadecimal", () => {
  it("is written in lower case, two digits a byte", () => {
    expect(toHex(Uint8Array.of(0, 1, 10, 127, 128, 255))).toBe("00010a7f80ff");
    expect(toHex(new Uint8Array())).toBe("");
  });

  it("parses every byte, in either case", () => {
    expect(fromHex(toHex(ALL_BYTES))).toEqual(ALL_BYTES);
    expect(fromHex(toHex(ALL_BYTES).toUpperCase())).toEqual(ALL_BYTES);
    expect(fromHex("")).toEqual(new Uint8Array());
  });

  it.each(["a", "abc", "0g", "zz", "0x10", " 0a", "0a ", "0a\n", "-1", "+1", "1.", "é0", "００", "0\0"])(
    "is rejected when malformed: %j",
    (text) => expect(fromHex(text)).toBeUndefined(),
  );
});

describe("base64", () => {
  it.each([
    ["", ""],
    ["f", "Zg=="],
    ["fo", "Zm8="],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg=="],
    ["fooba", "Zm9vYmE="],
    ["foobar", "Zm9vYmFy"],
  ])("agrees with RFC 4648 on %j", (text, encoded) => {
    expect(toBase64(utf8(text))).toBe(encoded);
    expect(fromBase64(encoded)).toEqual(utf8(text));
  });

  it("round-trips, and so does its URL form", () => {
    const random = new Seeded(11);
    for (let length = 0; length < 70; length += 1) {
      const bytes = random.bytes(length);
      expect(fromBase64(toBase64(bytes))).toEqual(bytes);
      expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
    }
    expect(fromBase64(toBase64(ALL_BYTES))).toEqual(ALL_BYTES);
  });

  it.each([
    "Zg",
    "Zg=",
    "Zg===",
    "=",
    "====",
    "Z===",
    "Zm9v=",
    "Zm9vYg==Zg==",
    "Zg==Zm9v",
    " Zm9v",
    "Zm9v ",
    "Zm9\n",
    "Zm 9",
    "Zm9v\n",
    "-_-_",
    "Zm9é",
    "Zm9*",
    "AAAA\0AAA",
  ])("is rejected when malformed: %j", (text) => expect(fromBase64(text)).toBeUndefined());

  it.each(["Zh==", "Zm9=", "//==", "AB==", "AAB="])("is rejected when its unused bits are not zero: %j", (text) =>
    expect(fromBase64(text)).toBeUndefined(),
  );
});

describe("base64url", () => {
  it("uses - and _ and no padding", () => {
    expect(toBase64(Uint8Array.of(0xfb, 0xff, 0xfe, 0xff))).toBe("+//+/w==");
    expect(toBase64Url(Uint8Array.of(0xfb, 0xff, 0xfe, 0xff))).toBe("-__-_w");
  });

  it.each(["A", "AAAAA", "Zg==", "+/+/", "-__-_x", "AB", "A A", "AA\n", "é", "%41"])(
    "is rejected when malformed: %j",
    (text) => expect(fromBase64Url(text)).toBeUndefined(),
  );
});
