// Quotas of users: what all buckets that a user created store together.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { countQuotas } from "../../src/jobs/count-quotas.ts";
import { send, type SendOptions } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { freshBucketName } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { jobContext } from "../support/jobs.ts";
import { completionOf, createUpload, putPart } from "../support/multipart.ts";
import { succeed } from "../support/query-api.ts";
import { setQuota, storedOf, tagUser } from "../support/quotas.ts";
import { bucketId } from "../support/stored-state.ts";
import { freshUser, type TestUser } from "../support/users.ts";

const EVERYTHING = { Effect: "Allow", Action: "s3:*", Resource: "*" };

/** Creates a bucket as the user. */
async function bucketOf({ credentials }: Pick<TestUser, "credentials">): Promise<string> {
  const name = freshBucketName();
  expect((await send("PUT", `/${name}`, { credentials })).status).toBe(200);
  return name;
}

async function statusOfPut(bucket: string, key: string, body: string, options: SendOptions = {}): Promise<number> {
  const response = await send("PUT", `/${bucket}/${key}`, { ...options, body });
  const text = await response.text();
  if (response.status !== 200) expect(text).toContain("<Code>QuotaExceeded</Code>");
  return response.status;
}

async function storedFor(bucket: string): Promise<unknown> {
  return env.DB.prepare(
    "SELECT bytes, objects, counted_to IS NULL AS is_counted FROM bucket_quotas WHERE bucket_id = ?",
  )
    .bind(await bucketId(bucket))
    .first();
}

describe("a user's quota", () => {
  it("limits what all buckets that the user created store together, by any writer", async () => {
    const user = await freshUser(EVERYTHING);
    await tagUser(user.name, { "cairn:max-bytes": "10", "Cairn:Max-Objects": "3" });
    const [one, two] = [await bucketOf(user), await bucketOf(user)];
    const others = await bucketOf(await freshUser(EVERYTHING));
    expect(await statusOfPut(one, "a", "12345", user)).toBe(200);
    expect(await statusOfPut(two, "a", "123456", user)).toBe(403);
    expect(await statusOfPut(two, "a", "123456")).toBe(403);
    expect(await statusOfPut(two, "a", "12345")).toBe(200);
    expect(await statusOfPut(one, "b", "", user)).toBe(200);
    expect(await statusOfPut(two, "b", "", user)).toBe(403);
    expect(await statusOfPut(others, "a", "12345678901", user)).toBe(200);
    expect((await send("DELETE", `/${two}/a`, user)).status).toBe(204);
    expect(await statusOfPut(one, "c", "123", user)).toBe(200);
  });

  it("counts the user's existing buckets, and enforces new limits at once", async () => {
    const user = await freshUser(EVERYTHING);
    const [one, two] = [await bucketOf(user), await bucketOf(user)];
    expect(await statusOfPut(one, "a", "12345")).toBe(200);
    expect(await statusOfPut(two, "a", "123")).toBe(200);
    await tagUser(user.name, { "cairn:max-bytes": "8" });
    expect(await storedFor(one)).toEqual({ bytes: 5, objects: 1, is_counted: 1 });
    expect(await statusOfPut(two, "b", "1")).toBe(403);
    await tagUser(user.name, { "cairn:max-bytes": "9" });
    expect(await statusOfPut(two, "b", "1")).toBe(200);
    await tagUser(user.name, { "cairn:max-bytes": "0" });
    expect(await statusOfPut(two, "c", "1")).toBe(403);
    await succeed("iam", "UntagUser", { UserName: user.name, "TagKeys.member.1": "CAIRN:max-bytes" });
    expect(await statusOfPut(two, "c", "1")).toBe(200);
    expect(await storedFor(one)).toBeNull();
  });

  it("accepts overwrites that do not grow, deletions and renames when it is full or exceeded", async () => {
    const user = await freshUser(EVERYTHING);
    const bucket = await bucketOf(user);
    for (const key of ["a", "b"]) expect(await statusOfPut(bucket, key, "12345")).toBe(200);
    for (const limits of [
      { "cairn:max-bytes": "10", "cairn:max-objects": "2" },
      { "cairn:max-bytes": "4", "cairn:max-objects": "1" },
    ]) {
      await tagUser(user.name, limits);
      expect(await statusOfPut(bucket, "a", "54321")).toBe(200);
      expect(await statusOfPut(bucket, "a", "123456")).toBe(403);
      const renamed = await send("PUT", `/${bucket}/c?renameObject`, { headers: { "x-amz-rename-source": "b" } });
      expect([renamed.status, await renamed.text()]).toEqual([200, ""]);
      const back = await send("PUT", `/${bucket}/b?renameObject`, { headers: { "x-amz-rename-source": "c" } });
      expect(back.status).toBe(200);
    }
    expect((await send("DELETE", `/${bucket}/b`)).status).toBe(204);
    expect((await send("DELETE", `/${bucket}/a`)).status).toBe(204);
    expect(await storedFor(bucket)).toEqual({ bytes: 0, objects: 0, is_counted: 1 });
  });

  it("holds for versions, copies and completions, beside the bucket's own quota", async () => {
    const user = await freshUser(EVERYTHING);
    await tagUser(user.name, { "cairn:max-bytes": "12" });
    const [versioned, plain] = [await bucketOf(user), await bucketOf(user)];
    const body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    expect((await send("PUT", `/${versioned}?versioning`, { body })).status).toBe(200);
    await setQuota(plain, "<MaxObjects>1</MaxObjects>");
    expect(await statusOfPut(versioned, "a", "12345")).toBe(200);
    expect(await statusOfPut(versioned, "a", "12345")).toBe(200);
    expect(await statusOfPut(versioned, "a", "123")).toBe(403);
    const copied = await send("PUT", `/${plain}/a`, { headers: { "x-amz-copy-source": `/${versioned}/a` } });
    expect(copied.status).toBe(403);
    const upload = await createUpload(plain, "b");
    const etag = await putPart(plain, "b", upload, 1, "123");
    const complete = async () =>
      (await send("POST", `/${plain}/b?uploadId=${upload}`, { body: completionOf([etag]) })).status;
    expect(await complete()).toBe(403);
    await tagUser(user.name, { "cairn:max-bytes": "13" });
    expect(await complete()).toBe(200);
    expect(await storedOf(plain)).toEqual({ State: "Enforced", Bytes: "3", Objects: "1" });
    await tagUser(user.name, { "cairn:max-bytes": "99" });
    expect(await statusOfPut(plain, "c", "1")).toBe(403);
    // The bucket still counts for its user when its own quota ends.
    expect((await send("DELETE", `/${plain}?quota`)).status).toBe(204);
    expect(await statusOfPut(plain, "c", "1")).toBe(200);
    expect(await storedFor(plain)).toEqual({ bytes: 4, objects: 2, is_counted: 1 });
    await setQuota(plain, "<MaxObjects>2</MaxObjects>");
    await succeed("iam", "UntagUser", { UserName: user.name, "TagKeys.member.1": "cairn:max-bytes" });
    expect(await statusOfPut(plain, "d", "1")).toBe(403);
  });

  it("is not exceeded by concurrent writers of several buckets", async () => {
    const user = await freshUser(EVERYTHING);
    await tagUser(user.name, { "cairn:max-bytes": "50", "cairn:max-objects": "7" });
    const buckets = [await bucketOf(user), await bucketOf(user), await bucketOf(user)];
    const statuses = await Promise.all(
      Array.from({ length: 21 }, async (_, index) => statusOfPut(buckets[index % 3] ?? "", `k${index}`, "12345")),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(7);
  });

  it("makes room when a bucket is deleted, and counts a bucket that is created again from nothing", async () => {
    const user = await freshUser(EVERYTHING);
    await tagUser(user.name, { "cairn:max-objects": "1" });
    const [one, two] = [await bucketOf(user), await bucketOf(user)];
    expect(await statusOfPut(one, "a", "1")).toBe(200);
    expect(await statusOfPut(two, "a", "1")).toBe(403);
    await send("DELETE", `/${one}/a`);
    expect((await send("DELETE", `/${one}`)).status).toBe(204);
    expect((await send("PUT", `/${one}`, user)).status).toBe(200);
    expect(await storedFor(one)).toEqual({ bytes: 0, objects: 0, is_counted: 1 });
    expect(await statusOfPut(two, "a", "1")).toBe(200);
    expect(await statusOfPut(one, "a", "1")).toBe(403);
  });

  it("costs a write one row, and none where the creator has no quota", async () => {
    const [limited, free] = [await freshUser(EVERYTHING), await freshUser(EVERYTHING)];
    await tagUser(limited.name, { "cairn:max-bytes": "100" });
    const [counted, plain] = [await bucketOf(limited), await bucketOf(free)];
    const cost = async (bucket: string) => costOf(await send("PUT", `/${bucket}/k`, { body: "1" }, IN_STORE));
    expect(await cost(plain)).toMatchObject({ roundTrips: 2, rowsWritten: 1 });
    expect(await cost(counted)).toMatchObject({ roundTrips: 2, rowsWritten: 2 });
  });

  it("ends with the user, whose buckets stay", async () => {
    const { name } = await freshUser();
    await tagUser(name, { "cairn:max-bytes": "3" });
    const find = async () => env.DB.prepare("SELECT count(*) AS n FROM user_quotas").first<{ n: number }>();
    const before = await find();
    const keys = await succeed("iam", "ListAccessKeys", { UserName: name });
    const id = /AKIA\w+/.exec(JSON.stringify(keys))?.[0] ?? "";
    await succeed("iam", "DeleteAccessKey", { UserName: name, AccessKeyId: id });
    await succeed("iam", "DeleteUser", { UserName: name });
    expect((await find())?.n).toBe((before?.n ?? 0) - 1);
  });

  it("of a new user is in its tags, and is enforced while a bucket is counted by what is counted", async () => {
    const user = await freshUser(EVERYTHING);
    await tagUser(user.name, { "cairn:max-objects": "2" });
    const [one, two] = [await bucketOf(user), await bucketOf(user)];
    expect(await statusOfPut(one, "a", "1")).toBe(200);
    expect(await statusOfPut(one, "b", "1")).toBe(200);
    // As if the first bucket had to be counted again.
    await env.DB.prepare("UPDATE bucket_quotas SET counted_to = '', objects = 0, bytes = 0 WHERE bucket_id = ?")
      .bind(await bucketId(one))
      .run();
    expect(await statusOfPut(two, "a", "1")).toBe(200);
    for (let cursor: string | null = null, step = 0; step === 0 || cursor !== null; step += 1) {
      ({ cursor } = await countQuotas.step(jobContext(Date.now()), cursor));
    }
    expect(await storedFor(one)).toEqual({ bytes: 2, objects: 2, is_counted: 1 });
    expect(await statusOfPut(two, "b", "1")).toBe(403);
  });
});
