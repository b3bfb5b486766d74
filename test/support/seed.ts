// The seed of what the tests draw by chance, and identifiers drawn from it: two runs draw the same ones, unless ORDER_SEED
// gives another seed. What the Worker itself makes of the platform's random bytes stays random.
import { env } from "cloudflare:workers";
import { expect } from "vitest";

export const TEST_SEED = Number(Reflect.get(env, "TEST_SEED"));

let drawn = 0;

/** The path of the test file that runs, below the folder of the tests: the same in any checkout. */
export function currentFile(): string {
  return expect.getState().testPath?.replace(/^.*\/test\//, "") ?? "";
}

/** An identifier in the form of a UUID, which no other call in the run returns. */
export function drawnUuid(): string {
  drawn += 1;
  const from = `${currentFile()} ${drawn}`;
  const words = [0, 1, 2, 3].map((word) => seedFor(`${from} ${word}`).toString(16).padStart(8, "0"));
  return words.join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** A seed for one purpose: its name and the seed mixed into 32 bits (FNV-1a, and the last steps of MurmurHash3). */
export function seedFor(name: string): number {
  let hash = 0x81_1c_9d_c5 ^ TEST_SEED;
  for (let index = 0; index < name.length; index += 1) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01_00_01_93);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
