// What a rebuild restores of objects that grew by appends: all acknowledged bytes, from the blobs alone.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { parseRecoveryMetadata } from "../../src/protocol/objects/recovery-metadata.ts";
import { lookUpUnreferenced } from "../../src/state/repair/orphans.ts";
import { appendAll } from "../support/appends.ts";
import { send } from "../support/client.ts";
import { expectBytes, noise } from "../support/digests.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { jobContext, runPass } from "../support/jobs.ts";
import { loseDatabase, rebuilt, referencesIn } from "../support/rebuilding.ts";
import { bucketId } from "../support/stored-state.ts";

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
    // The blob of the second append is in a manifest of a later one.
    await appendAll(
      bucket,
      "k",
      [600_000, 200_000, 5, 5].map((size, index) => noise(size, index + 1)),
    );
    const { objects } = await env.BLOBS.list({ prefix: `${await bucketId(bucket)}/`, include: ["customMetadata"] });
    const scanned = objects.flatMap(({ key: blobId, customMetadata = {} }) => {
      const record = parseRecoveryMetadata(customMetadata);
      return record === undefined ? [] : [{ blobId, ...record }];
    });
    // Three slices, the one that was merged, and the proofs of three manifests.
    expect(scanned).toHaveLength(7);
    // One at a time: the scan may see them on different pages.
    const { database } = jobContext(0);
    for (const blob of scanned) expect(await database.look(lookUpUnreferenced([blob]))).toEqual([]);
  });
});
