import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { legalHoldHeaders, lockedBucket, putLocked, retentionHeaders } from "../support/object-lock.ts";
import { bucketId } from "../support/stored-state.ts";
import { expiresAfter, midnight, prefixed, putLifecycle, rule } from "../support/lifecycle.ts";
import { createUpload } from "../support/multipart.ts";
import { childrenOf, plain, readXml, textOf } from "../support/read-xml.ts";
import { expectUntouched } from "../support/rows.ts";
import { deleteKey, putVersion, versionedBucket } from "../support/versioning.ts";

function day(days: number): string {
  return new Date(midnight(days)).toISOString().slice(0, 10);
}

/** All actions of a day, page by page, and the number of versions and uploads examined. */
async function preview(bucket: string, date: string): Promise<{ actions: unknown[]; examined: number; pages: number }> {
  const actions: unknown[] = [];
  let [examined, pages] = [0, 0];
  let token: string | undefined;
  do {
    const more = token === undefined ? "" : `&continuation-token=${encodeURIComponent(token)}`;
    const response = await send("GET", `/${bucket}?lifecycle&dry-run=${date}${more}`);
    expect(response.status).toBe(200);
    expect(costOf(response)).toMatchObject({ rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    const root = readXml(await response.text());
    expect([textOf(root, "Bucket"), textOf(root, "Date")]).toEqual([bucket, date]);
    actions.push(...childrenOf(root, "Action").map(plain));
    examined += Number(textOf(root, "Examined"));
    pages += 1;
    token = textOf(root, "NextContinuationToken");
    expect(textOf(root, "IsTruncated")).toBe(String(token !== undefined));
  } while (token !== undefined);
  return { actions, examined, pages };
}

describe("PreviewBucketLifecycle", () => {
  it("returns the actions of a day's pass with their rules, and executes none", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "tmp/a": "12", "tmp/b": "1", "data/k": "x".repeat(131_072), other: "1" });
    const uploadId = await createUpload(bucket, "tmp/upload");
    await putLifecycle(
      bucket,
      rule(
        `${expiresAfter(3)}<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>`,
        { id: "tmp", ...prefixed("tmp/") },
      ),
      rule("<Transition><Days>30</Days><StorageClass>GLACIER</StorageClass></Transition>", {
        id: "cold",
        ...prefixed("data/"),
      }),
    );
    await expectUntouched(bucket, async () => {
      expect((await preview(bucket, day(3))).actions).toEqual([]);
      const gone = [
        { Type: "Delete", RuleID: "tmp", Key: "tmp/a", Size: "2" },
        { Type: "Delete", RuleID: "tmp", Key: "tmp/b", Size: "1" },
      ];
      expect((await preview(bucket, day(4))).actions).toEqual(gone);
      const { actions, examined } = await preview(bucket, day(31));
      expect(actions).toEqual([
        { Type: "Transition", RuleID: "cold", Key: "data/k", Size: "131072", StorageClass: "GLACIER_IR" },
        ...gone,
        { Type: "AbortMultipartUpload", RuleID: "tmp", Key: "tmp/upload", UploadId: uploadId },
      ]);
      expect(examined).toBe(4);
    });
  });

  it("counts a version as unlocked from the day on which its retention has ended, and one with a legal hold never", async () => {
    const bucket = await lockedBucket();
    const locked = await putLocked(bucket, "retained", retentionHeaders("COMPLIANCE", 20));
    await putLocked(bucket, "held", legalHoldHeaders("ON"));
    const free = await putVersion(bucket, "free", "1");
    for (const key of ["retained", "held", "free"]) await deleteKey(bucket, key);
    await putLifecycle(
      bucket,
      rule("<NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays></NoncurrentVersionExpiration>"),
    );
    const removed = async (days: number): Promise<unknown[]> =>
      (await preview(bucket, day(days))).actions.map((action) => Reflect.get(Object(action), "VersionId"));
    expect(await removed(4)).toEqual([free]);
    expect(await removed(19)).toEqual([free]);
    expect(await removed(22)).toEqual([free, locked]);
    expect(await removed(9999)).toEqual([free, locked]);
  });

  it("reports transitions that do not pay off: purged too soon, too small, or already as cheap", async () => {
    const bucket = await freshBucket();
    const large = "x".repeat(1_200_000);
    await putAll(bucket, { "kept/large": large, "soon/large": large, "kept/small": "1" });
    await send("PUT", `/${bucket}/kept/infrequent`, { body: large, headers: { "x-amz-storage-class": "STANDARD_IA" } });
    await putLifecycle(
      bucket,
      rule("<Transition><Days>0</Days><StorageClass>GLACIER_IR</StorageClass></Transition>", {
        id: "cold",
        filter: "<Filter><ObjectSizeGreaterThan>0</ObjectSizeGreaterThan></Filter>",
      }),
      rule(expiresAfter(60), { id: "gone", ...prefixed("soon/") }),
    );
    const { actions } = await preview(bucket, day(1));
    const keyOf = (action: unknown): unknown => Reflect.get(Object(action), "Key");
    const isNever = (action: unknown): boolean => Reflect.get(Object(action), "NeverPaysOff") === "true";
    expect(actions.map(keyOf)).toContain("kept/large");
    expect(actions.filter(isNever).map(keyOf)).toEqual(["kept/infrequent", "kept/small", "soon/large"]);
  });

  it("names versions when versioning is enabled", async () => {
    const bucket = await versionedBucket();
    const first = await putVersion(bucket, "k", "1");
    const second = await putVersion(bucket, "k", "22");
    const marker = await deleteKey(bucket, "sole");
    await putLifecycle(
      bucket,
      rule(
        `${expiresAfter(5)}<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>`,
        { id: "r" },
      ),
    );
    expect((await preview(bucket, day(6))).actions).toEqual([
      { Type: "CreateDeleteMarker", RuleID: "r", Key: "k", VersionId: second, Size: "2" },
      { Type: "DeleteVersion", RuleID: "r", Key: "k", VersionId: first, Size: "1" },
      { Type: "DeleteMarkerRemoval", RuleID: "r", Key: "sole", VersionId: marker, Size: "0" },
    ]);
  });

  it("paginates with bounded pages", async () => {
    const bucket = await freshBucket();
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
       INSERT INTO objects (bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, blob_id, storage_class)
       SELECT ?1, printf('k%05d', i), printf('%032d', i), 1, 0, '', ?2, 'o', ?1 || '/' || i, 'STANDARD' FROM n`,
    )
      .bind(await bucketId(bucket), Date.now())
      .run();
    await putLifecycle(bucket, rule(expiresAfter(1)));
    const { actions, pages } = await preview(bucket, day(2));
    expect(new Set(actions.map((action) => JSON.stringify(action))).size).toBe(2500);
    expect(pages).toBeGreaterThanOrEqual(3);
    await env.DB.prepare("DELETE FROM objects WHERE bucket_id = ?")
      .bind(await bucketId(bucket))
      .run();
  });

  it.each(["", "tomorrow", "2026-13-01", "2026-02-30", "2026-1-1", "2026-01-01T00:00:00Z"])(
    "rejects the day %j",
    async (date) => {
      const bucket = await freshBucket();
      await putLifecycle(bucket, rule(expiresAfter(1)));
      await expectS3Error(await send("GET", `/${bucket}?lifecycle&dry-run=${date}`), {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName: "dry-run", ArgumentValue: date },
      });
    },
  );

  it.each(["x", btoa("{}"), btoa('["current","a"]'), btoa('["all","",""]'), btoa('["current",1,""]')])(
    "rejects the token %j",
    async (token) => {
      const bucket = await freshBucket();
      await putLifecycle(bucket, rule(expiresAfter(1)));
      const target = `/${bucket}?lifecycle&dry-run=${day(1)}&continuation-token=${encodeURIComponent(token)}`;
      await expectS3Error(await send("GET", target), {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName: "continuation-token", ArgumentValue: token },
      });
    },
  );

  it("requires rules, a bucket and a signature", async () => {
    const bucket = await freshBucket();
    await expectS3Error(await send("GET", `/${bucket}?lifecycle&dry-run=${day(1)}`), {
      status: 404,
      code: "NoSuchLifecycleConfiguration",
      fields: { BucketName: bucket },
    });
    await expectS3Error(await deliver(anonymous("GET", `/${bucket}?lifecycle&dry-run=${day(1)}`)), {
      status: 403,
      code: "AccessDenied",
    });
    const missing = freshBucketName();
    await expectS3Error(await send("GET", `/${missing}?lifecycle&dry-run=${day(1)}`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
  });
});
