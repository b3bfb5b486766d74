import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

import { abortOrphanedUploads } from "../../src/jobs/abort-orphaned-uploads.ts";
import { referencesOfId } from "../support/check-references.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { bucketId, storedStateOfId } from "../support/stored-state.ts";
import { createUpload, putPart } from "../support/multipart.ts";

it("Uploads of a deleted bucket are aborted and their parts become garbage, while others stay open", async () => {
  const [gone, kept] = [await freshBucket(), await freshBucket()];
  const [goneId, keptId] = [await bucketId(gone), await bucketId(kept)];
  for (const bucket of [gone, kept]) await putPart(bucket, "k", await createUpload(bucket, "k"), 1, "part");
  // More uploads, or more parts, than one batch aborts.
  const numbers = JSON.stringify(Array.from({ length: 120 }, (_, index) => index));
  await env.DB.prepare(
    `INSERT INTO uploads (bucket_id, key, upload_id, initiated_at, owner_id, storage_class)
     SELECT ?1, 'other', ?1 || value, 0, 'o', 'STANDARD' FROM json_each(?2)`,
  )
    .bind(goneId, numbers)
    .run();
  await env.DB.prepare("DELETE FROM buckets WHERE id = ?").bind(goneId).run();
  const { report, steps } = await runPass(abortOrphanedUploads, Date.now());
  expect(report).toEqual({ ended: 121 });
  expect(steps).toBe(2);
  expect(await referencesOfId(goneId)).toEqual({ findings: [], orphans: [] });
  expect((await storedStateOfId(goneId)).garbage).toHaveLength(1);
  expect((await storedStateOfId(keptId)).garbage).toEqual([]);
  const open = await env.DB.prepare("SELECT 1 FROM uploads WHERE bucket_id = ?").bind(keptId).all();
  expect(open.results).toHaveLength(1);
});
