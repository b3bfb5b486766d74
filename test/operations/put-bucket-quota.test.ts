import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { countQuotas } from "../../src/jobs/count-quotas.ts";
import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { runPass } from "../support/jobs.ts";
import { completionOf, createUpload, putPart } from "../support/multipart.ts";
import { quotaDocument, setQuota, storedOf } from "../support/quotas.ts";
import { bucketId } from "../support/stored-state.ts";
import { deleteKey, versionedBucket } from "../support/versioning.ts";

async function statusOfPut(bucket: string, key: string, body: string): Promise<number> {
  const response = await send("PUT", `/${bucket}/${key}`, { body });
  const text = await response.text();
  if (response.status !== 200) expect(text).toContain("<Code>QuotaExceeded</Code>");
  return response.status;
}

const enforced = (bytes: number, objects: number) => ({
  State: "Enforced",
  Bytes: String(bytes),
  Objects: String(objects),
});

describe("PutBucketQuota", () => {
  it("counts what an existing bucket stores, and enforces the limits at once", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "12345", b: "123" });
    await setQuota(bucket, "<MaxBytes>10</MaxBytes><MaxObjects>3</MaxObjects>");
    expect(await storedOf(bucket)).toEqual(enforced(8, 2));
    expect(await statusOfPut(bucket, "c", "123")).toBe(403);
    expect(await statusOfPut(bucket, "c", "12")).toBe(200);
    expect(await statusOfPut(bucket, "d", "")).toBe(403);
    expect(await storedOf(bucket)).toEqual(enforced(10, 3));
  });

  it("accepts overwrites that do not grow, deletions and renames in a full bucket", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "12345", b: "12345" });
    await setQuota(bucket, "<MaxBytes>10</MaxBytes><MaxObjects>2</MaxObjects>");
    expect(await statusOfPut(bucket, "a", "54321")).toBe(200);
    expect(await statusOfPut(bucket, "a", "123456")).toBe(403);
    const renamed = await send("PUT", `/${bucket}/c?renameObject`, { headers: { "x-amz-rename-source": "a" } });
    expect([renamed.status, await renamed.text()]).toEqual([200, ""]);
    expect(await storedOf(bucket)).toEqual(enforced(10, 2));
    const copied = await send("PUT", `/${bucket}/d`, { headers: { "x-amz-copy-source": `/${bucket}/b` } });
    expect(copied.status).toBe(403);
    await deleteKey(bucket, "b");
    expect(await storedOf(bucket)).toEqual(enforced(5, 1));
    expect(await statusOfPut(bucket, "d", "12345")).toBe(200);
  });

  it("counts every version, and gives back what is purged, promoting an older version", async () => {
    const bucket = await versionedBucket();
    await setQuota(bucket, "<MaxBytes>10</MaxBytes>");
    expect(await statusOfPut(bucket, "a", "1234567")).toBe(200);
    const second = await send("PUT", `/${bucket}/a`, { body: "123" });
    expect(await storedOf(bucket)).toEqual(enforced(10, 2));
    expect(await statusOfPut(bucket, "a", "1")).toBe(403);
    // A delete marker needs no room.
    await deleteKey(bucket, "a");
    expect(await storedOf(bucket)).toEqual(enforced(10, 2));
    const version = second.headers.get("x-amz-version-id") ?? "";
    expect((await send("DELETE", `/${bucket}/a?versionId=${version}`)).status).toBe(204);
    expect(await storedOf(bucket)).toEqual(enforced(7, 1));
    expect(await statusOfPut(bucket, "a", "123")).toBe(200);
    const third = (await send("HEAD", `/${bucket}/a`)).headers.get("x-amz-version-id") ?? "";
    expect((await send("DELETE", `/${bucket}/a?versionId=${third}`)).status).toBe(204);
    expect(await storedOf(bucket)).toEqual(enforced(7, 1));
  });

  it("is not exceeded by concurrent writers", async () => {
    const bucket = await freshBucket();
    await setQuota(bucket, "<MaxBytes>50</MaxBytes><MaxObjects>7</MaxObjects>");
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => statusOfPut(bucket, `k${index}`, "12345")),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(7);
    expect(await storedOf(bucket)).toEqual(enforced(35, 7));
  });

  it("refuses a completion, whose parts stay, and accepts it when there is room", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "12345" });
    await setQuota(bucket, "<MaxBytes>9</MaxBytes>");
    const upload = await createUpload(bucket, "b");
    const etag = await putPart(bucket, "b", upload, 1, "12345");
    const complete = async (): Promise<number> =>
      (await send("POST", `/${bucket}/b?uploadId=${upload}`, { body: completionOf([etag]) })).status;
    expect(await complete()).toBe(403);
    await deleteKey(bucket, "a");
    expect(await complete()).toBe(200);
    expect(await storedOf(bucket)).toEqual(enforced(5, 1));
  });

  it("costs buckets without a quota no row, and others one", async () => {
    const [plain, limited] = [await freshBucket(), await freshBucket()];
    await setQuota(limited, "<MaxBytes>100</MaxBytes>");
    const cost = async (bucket: string) => costOf(await send("PUT", `/${bucket}/k`, { body: "1" }, IN_STORE));
    const [free, counted] = [await cost(plain), await cost(limited)];
    expect(free).toMatchObject({ roundTrips: 2, rowsWritten: 1 });
    expect(counted).toMatchObject({ roundTrips: 2, rowsWritten: 2 });
  });

  it("keeps all limits, and takes what GetBucketQuota returned", async () => {
    const bucket = await freshBucket();
    const rates = (scale: number): string =>
      `<MaxRequestsPerSecond>${scale}</MaxRequestsPerSecond><MaxBytesInPerSecond>${scale * 100}</MaxBytesInPerSecond>` +
      `<MaxBytesOutPerSecond>${scale * 200}</MaxBytesOutPerSecond>`;
    const limits = `<MaxBytes>0</MaxBytes><MaxObjects>7</MaxObjects>${rates(100)}<Anonymous>${rates(50)}</Anonymous>`;
    await setQuota(bucket, limits);
    const read = async () => (await send("GET", `/${bucket}?quota`)).text();
    const document = await read();
    expect(document).toContain(`${limits}<Stored><State>Enforced</State>`);
    expect((await send("PUT", `/${bucket}?quota`, { body: document })).status).toBe(200);
    expect(await read()).toBe(document);
    expect(await statusOfPut(bucket, "a", "1")).toBe(403);
  });

  it("counts nothing in a bucket that has only rates", async () => {
    const bucket = await freshBucket();
    await setQuota(bucket, "<MaxObjects>1</MaxObjects>");
    await setQuota(bucket, "<MaxRequestsPerSecond>1000</MaxRequestsPerSecond>");
    const put = await send("PUT", `/${bucket}/a`, { body: "1" }, IN_STORE);
    expect([put.status, costOf(put).rowsWritten]).toEqual([200, 1]);
    expect(await (await send("GET", `/${bucket}?quota`)).text()).not.toContain("Stored");
  });

  it("refuses documents that are no quota", async () => {
    const bucket = await freshBucket();
    for (const limits of [
      "",
      "<MaxBytes>-1</MaxBytes>",
      "<MaxBytes>1.5</MaxBytes>",
      "<MaxBytes/>",
      "<MaxBytes>99999999999999999999</MaxBytes>",
      "<MaxBytes>1</MaxBytes><MaxBytes>2</MaxBytes>",
      "<MaxFiles>1</MaxFiles>",
      "<MaxRequestsPerSecond>0</MaxRequestsPerSecond>",
      "<MaxRequestsPerSecond>-1</MaxRequestsPerSecond>",
      "<MaxRequestsPerSecond>NaN</MaxRequestsPerSecond>",
      "<MaxRequestsPerSecond>Infinity</MaxRequestsPerSecond>",
      "<MaxRequestsPerSecond>0.5</MaxRequestsPerSecond>",
      "<MaxRequestsPerSecond><a>1</a></MaxRequestsPerSecond>",
      "<MaxBytesInPerSecond>1e6</MaxBytesInPerSecond>",
      "<MaxBytesOutPerSecond/>",
      "<MaxRequestsPerSecond>1</MaxRequestsPerSecond><MaxRequestsPerSecond>2</MaxRequestsPerSecond>",
      "<Anonymous/>",
      "<Anonymous><MaxBytes>1</MaxBytes></Anonymous>",
      "<MaxBytes>1</MaxBytes><Anonymous><MaxRequestsPerSecond>0</MaxRequestsPerSecond></Anonymous>",
      "<Stored><Bytes>1</Bytes></Stored>",
    ]) {
      const response = await send("PUT", `/${bucket}?quota`, { body: quotaDocument(limits) });
      expect([limits, response.status, (await response.text()).includes("<Code>MalformedXML</Code>")]).toEqual([
        limits,
        400,
        true,
      ]);
    }
  });
});

describe("the counters of a quota", () => {
  it("are counted by the job while writes continue, on both sides of what is counted", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", c: "1", e: "1" });
    await setQuota(bucket, "<MaxObjects>4</MaxObjects>");
    // As if the first range had ended before "d".
    await env.DB.prepare("UPDATE bucket_quotas SET counted_to = 'd', objects = 2, bytes = 2 WHERE bucket_id = ?")
      .bind(await bucketId(bucket))
      .run();
    expect(await storedOf(bucket)).toEqual({ State: "Counting", Bytes: "2", Objects: "2" });
    await putAll(bucket, { b: "12", f: "12", g: "1" });
    await deleteKey(bucket, "a");
    await deleteKey(bucket, "e");
    await runPass(countQuotas, Date.now());
    expect(await storedOf(bucket)).toEqual(enforced(6, 4));
    expect(await statusOfPut(bucket, "h", "1")).toBe(403);
  });
});
