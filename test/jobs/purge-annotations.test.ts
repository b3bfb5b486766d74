// The annotations of purged and replaced versions are never seen again, and a job purges them in bounded steps.
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

import { purgeAnnotations } from "../../src/state/metadata/annotations.ts";
import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { bucketId } from "../support/stored-state.ts";
import { putVersion, versionedBucket } from "../support/versioning.ts";

async function annotate(at: string, name: string, body: string): Promise<void> {
  expect((await send("PUT", `/${at}?annotation&annotationName=${name}`, { body })).status).toBe(200);
}

/** The keys that have annotations, once the job is done. */
async function annotatedKeys(bucket: string): Promise<string[]> {
  for (let changes = 1; changes > 0;) {
    const results = await env.DB.batch(
      purgeAnnotations(2).map(({ sql, parameters }) => env.DB.prepare(sql).bind(...parameters)),
    );
    const steps = results.map(({ meta }) => meta.changes);
    expect(Math.max(...steps)).toBeLessThanOrEqual(2);
    changes = steps.reduce((sum, step) => sum + step, 0);
  }
  const { results } = await env.DB.prepare("SELECT key, name FROM annotations WHERE bucket_id = ? ORDER BY key, name")
    .bind(await bucketId(bucket))
    .all<{ key: string; name: string }>();
  return results.map(({ key, name }) => `${key} ${name}`);
}

it("purges the annotations of replaced and deleted objects, and no others", async () => {
  const bucket = await freshBucket();
  await putAll(bucket, { deleted: "1", replaced: "1", stays: "1" });
  for (const key of ["deleted", "replaced", "stays"]) {
    for (const name of ["a", "b", "c"]) await annotate(`${bucket}/${key}`, name, "1");
  }
  expect((await send("DELETE", `/${bucket}/deleted`)).status).toBe(204);
  await putAll(bucket, { deleted: "2", replaced: "2" });
  await annotate(`${bucket}/replaced`, "new", "1");
  expect((await send("GET", `/${bucket}/deleted?annotation&annotationName=a`)).status).toBe(404);
  expect(await annotatedKeys(bucket)).toEqual(["replaced new", "stays a", "stays b", "stays c"]);
});

it("keeps the annotations of versions that become noncurrent, and current again, and purges those of purged ones", async () => {
  const bucket = await versionedBucket();
  await putVersion(bucket, "k", "1");
  await annotate(`${bucket}/k`, "first", "1");
  const versionId = await putVersion(bucket, "k", "2");
  await annotate(`${bucket}/k`, "second", "1");
  expect(await annotatedKeys(bucket)).toEqual(["k first", "k second"]);
  expect((await send("DELETE", `/${bucket}/k?versionId=${versionId}`)).status).toBe(204);
  expect(await annotatedKeys(bucket)).toEqual(["k first"]);
  expect((await send("GET", `/${bucket}/k?annotation&annotationName=first`)).status).toBe(200);
});

it("moves annotations with a rename", async () => {
  const bucket = await freshBucket();
  await putAll(bucket, { from: "1" });
  await annotate(`${bucket}/from`, "a", "kept");
  const headers = { "x-amz-rename-source": `/${bucket}/from` };
  expect((await send("PUT", `/${bucket}/to?renameObject`, { headers })).status).toBe(200);
  expect(await (await send("GET", `/${bucket}/to?annotation&annotationName=a`)).text()).toBe("kept");
  expect(await annotatedKeys(bucket)).toEqual(["to a"]);
});

it("keeps the annotations of a version that a restored database has again", async () => {
  const bucket = await freshBucket();
  await putAll(bucket, { k: "1" });
  await annotate(`${bucket}/k`, "a", "kept");
  await env.DB.prepare(
    "INSERT INTO purged_annotations SELECT bucket_id, key, version_id FROM objects WHERE bucket_id = ?",
  )
    .bind(await bucketId(bucket))
    .run();
  expect(await annotatedKeys(bucket)).toEqual(["k a"]);
  expect(await env.DB.prepare("SELECT count(*) AS n FROM purged_annotations").first("n")).toBe(0);
});

it("the check finds annotations of no version, and of a wrong size", async () => {
  const bucket = await freshBucket();
  await putAll(bucket, { k: "1" });
  await annotate(`${bucket}/k`, "a", "é");
  const id = await bucketId(bucket);
  const findings = async (): Promise<string[]> => {
    const text = await (await send("GET", "/?fsck")).text();
    return Array.from(text.matchAll(/<Finding>(annotation [^<]*)/g), ([, finding = ""]) => finding).filter((one) =>
      one.includes(id),
    );
  };
  expect(await findings()).toEqual([]);
  await env.DB.prepare("UPDATE annotations SET size = 9 WHERE bucket_id = ?").bind(id).run();
  expect(await findings()).toEqual([expect.stringMatching(/^annotation a of version .* has 2 bytes, recorded are 9$/)]);
  await env.DB.prepare("UPDATE annotations SET size = 2, version_id = 'none' WHERE bucket_id = ?").bind(id).run();
  expect(await findings()).toEqual([`annotation a belongs to no version: ${id}/k none`]);
  await env.DB.prepare("DELETE FROM annotations WHERE bucket_id = ?").bind(id).run();
});
