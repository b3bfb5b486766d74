// Takes chance out of the tests, before each file: what they draw comes from a seed, no test begins at the end of a day,
// because some expect today's date, and what they cache does not expire while a busy machine makes them wait.
import { configureGlobal } from "fast-check";
import { beforeEach } from "vitest";

import { Seeded } from "../unit/bytes/seeded.ts";
import { letCachesLast } from "./lasting-caches.ts";
import { currentFile, seedFor, TEST_SEED } from "./seed.ts";

const DAY_MS = 86_400_000;
/** Longer than any test takes that expects today's date. */
const BEFORE_MIDNIGHT_MS = 60_000;

configureGlobal({ seed: TEST_SEED });
const random = new Seeded(seedFor(currentFile()));
Math.random = () => random.below(2 ** 32) / 2 ** 32;

letCachesLast();

beforeEach(async () => {
  const left = DAY_MS - (Date.now() % DAY_MS);
  if (left <= BEFORE_MIDNIGHT_MS) await scheduler.wait(left);
}, 2 * BEFORE_MIDNIGHT_MS);
