import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

import { abortOrphanedUploads } from "../../src/jobs/abort-orphaned-uploads.ts";
import { referencesOfId } from "../support/check-references.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { bucketId, storedStateOfId } from "../support/stored-state.ts";
import { createUpload, putPart } from "../support/multipart.ts";

it("Uploads of a bucket that is gone are ended, their parts are garbage, and others stay open", async () => {
  const [gone, kept] = [await freshBucket(), await freshBucket()];
  const [goneId, keptId] = [await bucketId(gone), await bucketId(kept)];
  for (const bucket of [gone, kept]) await putPart(bucket, "k", await createUpload(bucket, "k"), 1, "part");
  for (let index = 0; index < 21; index += 1) await createUpload(gone, `other-${index}`);
  await env.DB.prepare("DELETE FROM buckets WHERE id = ?").bind(goneId).run();
  const { report, steps } = await runPass(abortOrphanedUploads, Date.now());
  expect(report).toEqual({ ended: 22 });
  expect(steps).toBe(2);
  expect(await referencesOfId(goneId)).toEqual({ findings: [], orphans: [] });
  expect((await storedStateOfId(goneId)).garbage).toHaveLength(1);
  expect((await storedStateOfId(keptId)).garbage).toEqual([]);
  const open = await env.DB.prepare("SELECT 1 FROM uploads WHERE bucket_id = ?").bind(keptId).all();
  expect(open.results).toHaveLength(1);
});
