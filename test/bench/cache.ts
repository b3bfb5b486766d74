// `npm run bench:cache`: what the edge cache gains or loses on this machine, by size of object and size of piece. The
// simulator of the Cache API and that of R2 use the same disk, so the differences are those of code, not of distance.
import { randomBytes } from "node:crypto";
import { Requests } from "../crash/requests.ts";
import { CREDENTIALS } from "./signer.ts";
import { serveMeasured } from "./serve-measured.ts";

const MiB = 1024 ** 2;
/** Sizes of objects in bytes, and how many are read of each. */
const OBJECTS = [
  [1024, 200],
  [MiB, 40],
  [64 * MiB, 4],
] as const;
const PIECES_MEBIBYTES = [1, 2, 4, 8];
const RANGE_BYTES = 64 * 1024;
const RANGES = 60;
const PAUSE_MS = 300;

type Read = (key: number, headers?: Readonly<Record<string, string>>) => Promise<void>;

/** The median time of reads of all keys, in milliseconds. */
async function time(count: number, read: (index: number) => Promise<void>): Promise<string> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const began = performance.now();
    await read(index);
    times.push(performance.now() - began);
  }
  return (times.toSorted((a, b) => a - b)[Math.floor(count / 2)] ?? 0).toFixed(2);
}

async function measure(requests: Requests, size: number, count: number): Promise<string[]> {
  const body = randomBytes(size);
  const run = randomBytes(4).toString("hex");
  for (let key = 0; key < count; key += 1) await requests.send("PUT", `/bench/${run}-${key}`, {}, body);
  const read: Read = async (key, headers = {}) => {
    const { status, body: got } = await requests.send("GET", `/bench/${run}-${key}`, headers);
    if (status === undefined || status >= 300 || got.length === 0) throw new Error("a read failed");
  };
  const range = async (headers: Readonly<Record<string, string>>): Promise<string> =>
    time(RANGES, async (index) => {
      const first = (index * 7_919_993) % Math.max(size - RANGE_BYTES, 1);
      await read(index % count, { range: `bytes=${first}-${first + RANGE_BYTES - 1}`, ...headers });
    });
  const noStore = { "cache-control": "no-store" };
  await read(0, noStore);
  const bypass = await time(count, async (key) => read(key, noStore));
  const cold = await time(count, async (key) => read(key));
  await new Promise((resolve) => {
    setTimeout(resolve, PAUSE_MS);
  });
  const warm = await time(count, async (key) => read(key));
  return [bypass, cold, warm, await range(noStore), await range({})];
}

console.log("| piece | object | BYPASS | MISS | HIT | 64 KiB range, BYPASS | 64 KiB range, HIT |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
for (const piece of PIECES_MEBIBYTES) {
  const cairn = await serveMeasured({
    bindings: {
      VERIFY_READS: "off",
      INLINE_MAX_BYTES: "0",
      EDGE_CACHE_PIECE_MEBIBYTES: String(piece),
    },
  });
  try {
    const requests = new Requests(cairn.url, CREDENTIALS);
    await requests.send("PUT", "/bench");
    for (const [size, count] of OBJECTS) {
      // Smaller objects are one piece, whatever its size.
      if (size <= MiB && piece !== PIECES_MEBIBYTES[0]) continue;
      const row = [`${piece} MiB`, `${size / 1024} KiB`, ...(await measure(requests, size, count))];
      console.log(`| ${row.join(" | ")} |`);
    }
  } finally {
    await cairn.stop();
  }
}
