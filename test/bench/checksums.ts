// `npm run bench:checksums`: what each checksum algorithm costs in the runtime, in MB/s, as a table for docs/performance.md.
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { readWranglerToml } from "../../scripts/project/wrangler-toml.ts";
import { bundleWorker, workerModules } from "../../scripts/serve/bundle.ts";

const ALGORITHMS = {
  CRC32: "crc32",
  CRC32C: "crc32c",
  CRC64NVME: "crc64nvme",
  MD5: "MD5",
  SHA1: "SHA-1",
  SHA256: "SHA-256",
  SHA512: "SHA-512",
  XXHASH128: "xxh128",
  XXHASH3: "xxh3",
  XXHASH64: "xxh64",
};
const PIECES = 8192;
const PIECE_BYTES = 65_536;
const TURNS = 3;

const options = convertV4MiniflareOptions({
  workers: [
    {
      name: "checksums",
      modules: workerModules(await bundleWorker(join(import.meta.dirname, "checksums-worker.ts"))),
      modulesRoot: "/",
      compatibilityDate: readWranglerToml().compatibilityDate,
    },
  ],
});
const miniflare = new Miniflare(options);

async function milliseconds(algorithm: string, pieces: number): Promise<number> {
  const start = performance.now();
  const response = await miniflare.dispatchFetch(`http://bench/?algorithm=${algorithm}&pieces=${pieces}`);
  if (!response.ok) throw new Error(await response.text());
  await response.text();
  return performance.now() - start;
}

try {
  console.log("| algorithm | MB/s |\n| --- | --- |");
  for (const [name, algorithm] of Object.entries(ALGORITHMS)) {
    await milliseconds(algorithm, PIECES / 8);
    const rates: number[] = [];
    for (let turn = 0; turn < TURNS; turn += 1) {
      const time = (await milliseconds(algorithm, PIECES)) - (await milliseconds(algorithm, 0));
      rates.push((PIECES * PIECE_BYTES) / 1000 / time);
    }
    // The fastest turn is the one that other load disturbs least.
    console.log(`| ${name} | ${Math.round(Math.max(...rates))} |`);
  }
} finally {
  await miniflare.dispose();
}
