import { describe, expect, it } from "vitest";

import { combineCrcs, type CombinableCrc } from "../../../src/bytes/crc-combine.ts";
import { Seeded } from "./seeded.ts";

const ALGORITHMS = ["crc32", "crc32c", "crc64nvme"] as const;

/** By the runtime's own stream, over the raw bytes. */
async function crcOf(algorithm: CombinableCrc, bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new crypto.DigestStream(algorithm);
  const writer = stream.getWriter();
  await writer.write(bytes);
  await writer.close();
  return new Uint8Array(await stream.digest);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function runsOf(algorithm: CombinableCrc, pieces: readonly Uint8Array[]) {
  return Promise.all(pieces.map(async (piece) => ({ crc: await crcOf(algorithm, piece), length: piece.length })));
}

describe.each(ALGORITHMS)("combined %s", (algorithm) => {
  it("is that of the whole for any split", async () => {
    const seeded = new Seeded(7);
    for (let turn = 0; turn < 100; turn += 1) {
      const bytes = seeded.bytes(seeded.below(3000));
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bytes.length;) {
        const length = seeded.below(4) === 0 ? 0 : 1 + seeded.below(bytes.length);
        pieces.push(bytes.subarray(at, at + length));
        at += length;
      }
      const combined = combineCrcs(algorithm, await runsOf(algorithm, pieces));
      expect(hex(combined), `turn ${turn}`).toBe(hex(await crcOf(algorithm, bytes)));
    }
  });

  it("is that of megabytes in equal parts and a rest", async () => {
    const bytes = new Seeded(1).bytes(2_500_001);
    const pieces = [0, 1, 2].map((index) => bytes.subarray(index * 1_000_000, (index + 1) * 1_000_000));
    const combined = combineCrcs(algorithm, await runsOf(algorithm, pieces));
    expect(hex(combined)).toBe(hex(await crcOf(algorithm, bytes)));
  });

  it("has the published check value, for lengths beyond 32 bits", async () => {
    const check = { crc32: "cbf43926", crc32c: "e3069283", crc64nvme: "ae8b14860a799888" }[algorithm];
    const [left, right] = ["12345", "6789"].map((text) => new TextEncoder().encode(text));
    const runs = await runsOf(
      algorithm,
      [left, right].flatMap((piece) => piece ?? []),
    );
    expect(hex(combineCrcs(algorithm, runs))).toBe(check);
    // Combining is associative: a run of 5 TiB may be combined with either neighbour first.
    const [crc = new Uint8Array()] = runs.map((run) => run.crc);
    const [a, b, c] = [5 * 1024 ** 4, 5 * 1024 ** 3 + 1, 9].map((length) => ({ crc, length }));
    if (a === undefined || b === undefined || c === undefined) throw new Error("three runs");
    const together = combineCrcs(algorithm, [a, b, c]);
    const first = combineCrcs(algorithm, [{ crc: combineCrcs(algorithm, [a, b]), length: a.length + b.length }, c]);
    const last = combineCrcs(algorithm, [a, { crc: combineCrcs(algorithm, [b, c]), length: b.length + c.length }]);
    expect([hex(first), hex(last)]).toEqual([hex(together), hex(together)]);
  });

  it("of nothing is that of no bytes, and of one run is its own", async () => {
    const [run] = await runsOf(algorithm, [new TextEncoder().encode("abc")]);
    expect(hex(combineCrcs(algorithm, []))).toBe(hex(await crcOf(algorithm, new Uint8Array())));
    expect(run === undefined ? "" : hex(combineCrcs(algorithm, [run]))).toBe(run === undefined ? "?" : hex(run.crc));
  });
});
