import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { allReferences, expectSoundReferences, referencesOf, referencesOfId } from "../support/check-references.ts";
import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { bucketId } from "../support/stored-state.ts";
import { readXml, textOf } from "../support/read-xml.ts";

/** A versioned bucket with a key of two versions, a copy, a multipart object and an open upload. */
async function furnishedBucket(): Promise<string> {
  const bucket = await freshBucket();
  await putAll(bucket, { k: "before versioning" });
  const enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  await send("PUT", `/${bucket}?versioning`, { body: enabled });
  await putAll(bucket, { k: "one", gone: "x" });
  await send("DELETE", `/${bucket}/gone`);
  await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/k` } });
  for (const key of ["parted", "open"]) {
    const begun = await send("POST", `/${bucket}/${key}?uploads`);
    const upload = `uploadId=${textOf(readXml(await begun.text()), "UploadId")}`;
    const headers = { "x-amz-copy-source": `/${bucket}/k`, "x-amz-copy-source-range": "bytes=1-2" };
    const copied = await send("PUT", `/${bucket}/${key}?partNumber=1&${upload}`, { headers });
    const etag = textOf(readXml(await copied.text()), "ETag");
    const part = `<Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part>`;
    const body = `<CompleteMultipartUpload>${part}</CompleteMultipartUpload>`;
    if (key === "parted") expect((await send("POST", `/${bucket}/${key}?${upload}`, { body })).status).toBe(200);
  }
  return bucket;
}

describe("checkReferences", () => {
  it("finds nothing when everything is consistent", async () => {
    await expectSoundReferences(await freshBucket(), await furnishedBucket());
    expect((await allReferences()).findings.filter((finding) => /undefined|null/.test(finding))).toEqual([]);
  });

  it("reports orphaned blobs separately", async () => {
    const bucket = await freshBucket();
    const id = `${await bucketId(bucket)}/orphaned`;
    await env.BLOBS.put(id, "x");
    expect(await referencesOf(bucket)).toEqual({ findings: [], orphans: [id] });
  });

  const OF_K = "bucket_id = ?1 AND key = 'k'";
  it.each([
    ["a holder too many", `UPDATE shared_blobs SET holders = holders + 1 WHERE blob_id LIKE ?1 || '/%'`],
    ["a holder too few", `DELETE FROM shared_blobs WHERE blob_id LIKE ?1 || '/%'`],
    ["a count without references", `INSERT INTO shared_blobs VALUES (?1 || '/orphaned', 1)`],
    ["held garbage", `INSERT INTO garbage SELECT blob_id, 0 FROM objects WHERE ${OF_K}`],
    ["a referenced blob with a tombstone", `INSERT INTO scan_tombstones SELECT blob_id, 0 FROM objects WHERE ${OF_K}`],
    ["a version in no blob", `UPDATE objects SET blob_id = NULL WHERE ${OF_K}`],
    ["a current version that is not the newest", `UPDATE objects SET version_id = 'zzz' WHERE ${OF_K}`],
    ["a key whose newest version is not current", `DELETE FROM objects WHERE ${OF_K}`],
    ["a second null version", `UPDATE objects SET is_null_version = 1 WHERE ${OF_K}`],
    ["a size that is not the manifest's", `UPDATE objects SET size = 9 WHERE bucket_id = ?1 AND key = 'parted'`],
    ["a missing manifest", `UPDATE manifests SET manifest_id = manifest_id || 'x' WHERE manifest_id LIKE ?1 || '/%'`],
    [
      "a manifest without holder",
      `INSERT INTO manifests (manifest_id, page, slices, parts, holdings) VALUES (?1 || '/lost', 0, '[]', '[]', '[]')`,
    ],
    ["a manifest without its page", `UPDATE manifests SET page = 1 WHERE manifest_id LIKE ?1 || '/%'`],
    [
      "a gap between slices",
      `UPDATE manifests SET slices = json_set(slices, '$[0][0]', 1) WHERE manifest_id LIKE ?1 || '/%'`,
    ],
    [
      "a slice past its blob's end",
      `UPDATE manifests SET slices = json_set(slices, '$[0][2]', 9) WHERE manifest_id LIKE ?1 || '/%'`,
    ],
    [
      "a slice of what is not held",
      `UPDATE manifests SET slices = json_set(slices, '$[0][1]', ?1 || '/x') WHERE manifest_id LIKE ?1 || '/%'`,
    ],
    ["a part of another size", `UPDATE parts SET size = 9 WHERE holding_id LIKE ?1 || '/%'`],
    ["a part of no upload", `DELETE FROM uploads WHERE bucket_id = ?1`],
    ["rows of no bucket", `UPDATE buckets SET id = id || 'x' WHERE id = ?1`],
    ["a blob that is too short", `UPDATE objects SET size = 99 WHERE ${OF_K}`],
    ["a blob that is too long", `UPDATE objects SET size = 1 WHERE ${OF_K}`],
    ["an encrypted blob of another length", `UPDATE objects SET encryption = '{}' WHERE ${OF_K}`],
    ["a blob that the scrub found wrong", `INSERT INTO scrub_findings VALUES (?1 || '/x', 'wrong', 0, 0)`],
    ["a blob that is missing", `UPDATE versions SET blob_id = ?1 || '/x' WHERE ${OF_K}`],
  ])("finds %s", async (_, damage) => {
    const bucket = await furnishedBucket();
    const id = await bucketId(bucket);
    await env.DB.prepare(damage).bind(id).run();
    try {
      // The check returns a bounded number of findings per kind, and other tests damage their rows too.
      const { findings } = damage.startsWith("UPDATE buckets") ? await allReferences() : await referencesOfId(id);
      expect(findings.filter((finding) => finding.includes(id))).not.toEqual([]);
    } finally {
      for (const table of ["objects", "versions", "uploads"]) {
        await env.DB.prepare(`DELETE FROM ${table} WHERE bucket_id = ?`).bind(id).run();
      }
      await env.DB.prepare("DELETE FROM parts WHERE holding_id LIKE ? || '/%'").bind(id).run();
      for (const [table, column] of Object.entries({
        manifests: "manifest_id",
        shared_blobs: "blob_id",
        garbage: "blob_id",
        scan_tombstones: "blob_id",
        scrub_findings: "blob_id",
      })) {
        await env.DB.prepare(`DELETE FROM ${table} WHERE ${column} LIKE ? || '/%'`).bind(id).run();
      }
    }
  });
});
