import { describe, expect, it } from "vitest";

import { type Crc64Nvme, installCrc64Nvme, startCrc64Nvme } from "../../../src/bytes/crc64nvme.ts";
import module from "../../../src/bytes/crc64nvme.wasm";
import { toBase64, toHex } from "../../../src/bytes/hex-base64.ts";
import { utf8 } from "../../../src/bytes/text.ts";
import { chunks, Seeded } from "./seeded.ts";

installCrc64Nvme(module);

function started(): Crc64Nvme {
  const crc = startCrc64Nvme();
  if (crc === undefined) throw new Error("no module is installed");
  return crc;
}

function crcOf(...pieces: readonly Uint8Array[]): string {
  const crc = started();
  for (const piece of pieces) crc.update(piece);
  return toHex(crc.finish());
}

/** The CRC that the runtime computes. */
async function expected(bytes: Uint8Array): Promise<string> {
  const stream = new crypto.DigestStream("crc64nvme");
  const writer = stream.getWriter();
  await writer.write(bytes);
  await writer.close();
  return toHex(new Uint8Array(await stream.digest));
}

describe("CRC-64/NVME in WebAssembly", () => {
  it("has the published check values", () => {
    expect(crcOf(utf8("123456789"))).toBe("ae8b14860a799888");
    expect(crcOf()).toBe("0000000000000000");
    expect(crcOf(new Uint8Array())).toBe("0000000000000000");
    const crc = started();
    crc.update(utf8("123456789"));
    expect(toBase64(crc.finish())).toBe("rosUhgp5mIg=");
  });

  it("has the values of the NVM Express specification for 4 KiB", () => {
    const rising = Uint8Array.from({ length: 4096 }, (_, index) => index);
    const falling = Uint8Array.from({ length: 4096 }, (_, index) => 255 - index);
    expect(crcOf(new Uint8Array(4096))).toBe("6482d367eb22b64e");
    expect(crcOf(new Uint8Array(4096).fill(0xff))).toBe("c0ddba7302eca3ac");
    expect(crcOf(rising)).toBe("3e729f5f6750449c");
    expect(crcOf(falling)).toBe("9a2df64b8e9e517e");
  });

  // 12,432 bytes is the shortest piece that is reduced in vectors; 65,536 bytes is one piece.
  const LENGTHS = [
    [0, 1, 7, 8, 15, 16, 17, 4144, 12_415, 12_431, 12_432, 12_433, 12_440, 12_447, 12_448, 12_449],
    [16_384, 20_001, 65_519, 65_520, 65_535, 65_536, 65_537, 77_967, 77_968, 131_072, 131_073, 300_000],
  ];

  it.each(LENGTHS.flat())("equals the runtime's for %i bytes", async (length) => {
    const bytes = new Seeded(length + 1).bytes(length);
    expect(crcOf(bytes)).toBe(await expected(bytes));
  });

  it("equals the runtime's for bodies of one repeated byte", async () => {
    for (const byte of [0, 1, 0x80, 0xff]) {
      const bytes = new Uint8Array(100_000).fill(byte);
      expect(crcOf(bytes)).toBe(await expected(bytes));
    }
  });

  it("equals the runtime's for pieces of any size, at any offset of their buffer", async () => {
    const random = new Seeded(64);
    const body = random.bytes(400_000);
    const whole = await expected(body);
    for (let turn = 0; turn < 20; turn += 1) {
      const sizes = Array.from({ length: 6 }, () => 1 + random.below(turn % 2 === 0 ? 70_000 : 30_000));
      expect(crcOf(...chunks(body, sizes)), String(sizes)).toBe(whole);
    }
    expect(crcOf(body.subarray(3, 50_003))).toBe(await expected(body.slice(3, 50_003)));
  });

  it("of several bodies at once do not affect each other", async () => {
    const bodies = [21, 22, 23].map((seed) => new Seeded(seed).bytes(100_000));
    const crcs = bodies.map(() => started());
    for (let start = 0; start < 100_000; start += 25_000) {
      for (const [index, crc] of crcs.entries()) {
        crc.update(bodies[index]?.subarray(start, start + 25_000) ?? new Uint8Array());
      }
    }
    expect(crcs.map((crc) => toHex(crc.finish()))).toEqual(await Promise.all(bodies.map((body) => expected(body))));
  });

  it("changes with every bit of a piece", () => {
    const body = new Seeded(5).bytes(13_000);
    const whole = crcOf(body);
    for (let bit = 0; bit < 13_000 * 8; bit += 997) {
      const index = bit >> 3;
      body[index] = (body[index] ?? 0) ^ (1 << (bit & 7));
      expect(crcOf(body)).not.toBe(whole);
      body[index] = (body[index] ?? 0) ^ (1 << (bit & 7));
    }
    expect(crcOf(body)).toBe(whole);
  });

  it("is what digests compute in the Worker", async () => {
    const { digest } = await import("../../../src/bytes/digest.ts");
    const body = new Seeded(8).bytes(70_000);
    expect(toHex(await digest("crc64nvme", body))).toBe(crcOf(body));
  });
});
