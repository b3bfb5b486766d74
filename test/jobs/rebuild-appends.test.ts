// What a rebuild restores of objects that grew by appends: all acknowledged bytes, from the blobs alone.
import { beforeEach, describe, expect, it } from "vitest";

import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { scanOrphans } from "../../src/jobs/scan-orphans.ts";
import { appendAll } from "../support/appends.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send } from "../support/client.ts";
import { expectBytes, noise } from "../support/digests.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { loseDatabase, rebuilt, referencesIn } from "../support/rebuilding.ts";

const HOUR_MS = 3_600_000;
const PIECES = [200_000, 70_000, 300_000, 5, 5].map((size, index) => noise(size, index + 1));

beforeEach(loseDatabase);

describe("an object that grew by appends", () => {
  it.each(PIECES.map((_, index) => index + 1))(
    "%i times is rebuilt, before and after its garbage is collected",
    async (count) => {
      const bucket = await freshBucket();
      const pieces = PIECES.slice(0, count);
      await appendAll(bucket, "k", pieces);
      const whole = new Uint8Array(pieces.flatMap((piece) => Array.from(piece)));
      for (const isCollected of [false, true]) {
        if (isCollected) {
          await runPass(collectGarbage, Date.now() + 48 * HOUR_MS);
          await runPass(collectGarbage, Date.now() + 96 * HOUR_MS);
          await loseDatabase();
        }
        const { world } = await rebuilt(bucket);
        await expectBytes(await send("GET", `/${bucket}/k`, {}, world), whole);
        expect((await referencesIn(world)).findings).toEqual([]);
      }
    },
  );

  it("has no blob that the orphan scan takes for an orphan", async () => {
    const bucket = await freshBucket();
    await appendAll(bucket, "k", PIECES);
    for (const days of [10, 20, 30]) await runPass(scanOrphans, Date.now() + days * 24 * HOUR_MS);
    await expectSoundReferences(bucket);
    const whole = new Uint8Array(PIECES.flatMap((piece) => Array.from(piece)));
    await expectBytes(await send("GET", `/${bucket}/k`), whole);
  });
});
