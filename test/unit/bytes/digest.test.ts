import { describe, expect, it } from "vitest";

import { digest, digestsEqual, RunningDigest, type DigestAlgorithm } from "../../../src/bytes/digest.ts";
import { fromHex, toBase64, toHex } from "../../../src/bytes/hex-base64.ts";
import { utf8 } from "../../../src/bytes/text.ts";
import { chunks, Seeded } from "./seeded.ts";

const CHECK = utf8("123456789");

/** The published check values of each algorithm: of "123456789" and of no bytes. */
const PUBLISHED: readonly (readonly [DigestAlgorithm, string, string])[] = [
  ["crc32", "y/Q5Jg==", "AAAAAA=="],
  ["crc32c", "4waSgw==", "AAAAAA=="],
  ["crc64nvme", "rosUhgp5mIg=", "AAAAAAAAAAA="],
  ["MD5", "JfnnlDI7RTiF9RgfG2JNCw==", "1B2M2Y8AsgTpgAmY7PhCfg=="],
  ["SHA-1", "98O8HYCOBHMq32eZZczDTKeuNEE=", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="],
  ["SHA-256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],
];

async function inPieces(algorithm: DigestAlgorithm, pieces: readonly Uint8Array[]): Promise<string> {
  const running = new RunningDigest(algorithm);
  for (const piece of pieces) await running.update(piece);
  return toBase64(await running.finish());
}

describe.each(PUBLISHED)("%s", (algorithm, ofCheck, ofNothing) => {
  it("has its published check values", async () => {
    expect(toBase64(await digest(algorithm, CHECK))).toBe(ofCheck);
    expect(toBase64(await digest(algorithm, new Uint8Array()))).toBe(ofNothing);
  });

  it("is the same for pieces of any size, including empty ones", async () => {
    for (const sizes of [[1], [2], [3, 1], [8], [9], [100]]) {
      expect(await inPieces(algorithm, chunks(CHECK, sizes))).toBe(ofCheck);
    }
    expect(await inPieces(algorithm, [new Uint8Array(), CHECK.slice(0, 4), new Uint8Array(), CHECK.slice(4)])).toBe(
      ofCheck,
    );
    expect(await inPieces(algorithm, [])).toBe(ofNothing);
  });

  it("is the same for a large body at once and in uneven pieces", async () => {
    const body = new Seeded(21).bytes(300_000);
    const whole = toBase64(await digest(algorithm, body));
    expect(await inPieces(algorithm, chunks(body, [65_536, 1, 7, 4096]))).toBe(whole);
    body[299_999] = (body[299_999] ?? 0) ^ 1;
    expect(toBase64(await digest(algorithm, body))).not.toBe(whole);
  });

  it("has consumed a piece when its promise resolves, so that the piece may be reused", async () => {
    const running = new RunningDigest(algorithm);
    const buffer = new Uint8Array(3);
    for (const piece of chunks(CHECK, [3])) {
      buffer.set(piece);
      await running.update(buffer);
      buffer.fill(0xff);
    }
    expect(toBase64(await running.finish())).toBe(ofCheck);
  });
});

describe("published values", () => {
  it("hold for AWS's example of CRC32C over 66,560 letters", async () => {
    expect(toBase64(await digest("crc32c", utf8("a".repeat(66_560))))).toBe("sOO8/Q==");
  });

  it("hold for the SHA-256 of no bytes in hexadecimal", async () => {
    expect(toHex(await digest("SHA-256", new Uint8Array()))).toBe(
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
  });
});

describe("an abandoned digest", () => {
  it("causes no unhandled rejection, before, during and after its bytes", async () => {
    const unused = new RunningDigest("crc32");
    unused.abandon();
    const begun = new RunningDigest("SHA-256");
    await begun.update(CHECK);
    begun.abandon();
    const finished = new RunningDigest("crc64nvme");
    await finished.update(CHECK);
    expect(toBase64(await finished.finish())).toBe("rosUhgp5mIg=");
    finished.abandon();
    await expect(begun.update(CHECK)).rejects.toThrow();
  });
});

describe("equality of digests", () => {
  it.each([
    ["", "", true],
    ["00", "00", true],
    ["0102", "0102", true],
    ["0102", "0103", false],
    ["8102", "0102", false],
    ["0102", "010200", false],
    ["0102", "01", false],
    ["", "00", false],
  ])("of %j and %j is %s", (left, right, isEqual) => {
    expect(digestsEqual(fromHex(left) ?? CHECK, fromHex(right) ?? CHECK)).toBe(isEqual);
  });
});
