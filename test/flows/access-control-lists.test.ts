// What access control lists grant to anonymous callers, and which settings revoke it.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { ALL_USERS, aclBucket, setOwnership } from "../support/acl.ts";
import { anonymous, deliver, send, type SendOptions } from "../support/client.ts";
import { freshBucketName, putAll } from "../support/fresh-bucket.ts";

async function statusOf(method: string, target: string, options: SendOptions = {}): Promise<number> {
  return (await deliver(anonymous(method, target, options))).status;
}

/** A bucket with an ACL, and an object `k` with a different ACL. */
async function bucketWith(bucketAcl: string, objectAcl: string): Promise<string> {
  const bucket = await aclBucket();
  expect((await send("PUT", `/${bucket}?acl`, { headers: { "x-amz-acl": bucketAcl } })).status).toBe(200);
  const options = { body: "x", headers: { "x-amz-acl": objectAcl } };
  expect((await send("PUT", `/${bucket}/k`, options)).status).toBe(200);
  return bucket;
}

async function setBlock(bucket: string, block: Readonly<Record<string, boolean>>): Promise<void> {
  const statement = env.DB.prepare("UPDATE buckets SET public_access_block = ? WHERE name = ?");
  await statement.bind(JSON.stringify(block), bucket).run();
}

describe("a public object", () => {
  it("is readable and not writable for anonymous callers, although its bucket is private", async () => {
    const bucket = await bucketWith("private", "public-read");
    expect(await statusOf("GET", `/${bucket}/k`)).toBe(200);
    expect(await statusOf("HEAD", `/${bucket}/k`)).toBe(200);
    for (const [method, target] of [
      ["PUT", "k"],
      ["DELETE", "k"],
      ["GET", "k?acl"],
      ["PUT", "k?acl"],
      ["GET", "?list-type=2"],
    ] as const) {
      expect(await statusOf(method, `/${bucket}/${target}`), `${method} ${target}`).toBe(403);
    }
  });

  it("can also come from a bucket created with an ownership, a copy or a completion with an ACL", async () => {
    const bucket = freshBucketName();
    await send("PUT", `/${bucket}`, { headers: { "x-amz-object-ownership": "ObjectWriter" } });
    await putAll(bucket, { k: "x" });
    const headers = { "x-amz-copy-source": `${bucket}/k`, "x-amz-acl": "public-read" };
    expect((await send("PUT", `/${bucket}/copy`, { headers })).status).toBe(200);
    expect(await statusOf("GET", `/${bucket}/copy`)).toBe(200);
    expect(await statusOf("GET", `/${bucket}/k`)).toBe(403);
  });

  it("stays public when it is renamed", async () => {
    const bucket = await bucketWith("private", "public-read");
    const headers = { "x-amz-rename-source": "k" };
    expect((await send("PUT", `/${bucket}/renamed?renameObject`, { headers })).status).toBe(200);
    expect(await statusOf("GET", `/${bucket}/renamed`)).toBe(200);
  });

  it("lets the granted grantees read and write its ACL", async () => {
    const bucket = await bucketWith("private", "private");
    const headers = { "x-amz-grant-read-acp": `uri="${ALL_USERS}"`, "x-amz-grant-write-acp": `uri="${ALL_USERS}"` };
    expect((await send("PUT", `/${bucket}/k?acl`, { headers })).status).toBe(200);
    expect(await statusOf("GET", `/${bucket}/k`)).toBe(403);
    expect(await statusOf("GET", `/${bucket}/k?acl`)).toBe(200);
    expect(await statusOf("PUT", `/${bucket}/k?acl`, { headers: { "x-amz-acl": "public-read" } })).toBe(200);
    expect(await statusOf("GET", `/${bucket}/k`)).toBe(200);
    expect(await statusOf("GET", `/${bucket}/k?acl`)).toBe(403);
  });

  it.each(["private", "authenticated-read", "bucket-owner-read", "bucket-owner-full-control", "aws-exec-read"])(
    "is private when its ACL is %s",
    async (acl) => {
      const bucket = await bucketWith("public-read-write", acl);
      expect(await statusOf("GET", `/${bucket}/k`)).toBe(403);
    },
  );

  it("is private after an overwrite, a private ACL, disabled ACLs or IgnorePublicAcls", async () => {
    const bucket = await bucketWith("private", "public-read");
    await setOwnership(bucket, "BucketOwnerEnforced");
    expect(await statusOf("GET", `/${bucket}/k`)).toBe(403);
    await setOwnership(bucket, "BucketOwnerPreferred");
    expect(await statusOf("GET", `/${bucket}/k`)).toBe(200);
    await setBlock(bucket, { IgnorePublicAcls: true });
    expect(await statusOf("GET", `/${bucket}/k`)).toBe(403);
    // BlockPublicAcls rejects new ACLs and does not change existing ones.
    await setBlock(bucket, { BlockPublicAcls: true });
    expect(await statusOf("GET", `/${bucket}/k`)).toBe(200);
    await putAll(bucket, { k: "y" });
    expect(await statusOf("GET", `/${bucket}/k`)).toBe(403);
  });
});

describe("a public bucket", () => {
  it("is listable for anonymous callers with public-read, and its objects stay private", async () => {
    const bucket = await bucketWith("public-read", "private");
    expect(await statusOf("GET", `/${bucket}?list-type=2`)).toBe(200);
    expect(await statusOf("GET", `/${bucket}/k`)).toBe(403);
    expect(await statusOf("PUT", `/${bucket}/new`, { body: "x" })).toBe(403);
    expect(await statusOf("PUT", `/${bucket}?acl`, { headers: { "x-amz-acl": "public-read-write" } })).toBe(403);
  });

  it("is writable for anonymous callers with public-write, and its ACLs need another permission", async () => {
    const bucket = await bucketWith("public-read-write", "private");
    expect(await statusOf("PUT", `/${bucket}/new`, { body: "x" })).toBe(200);
    const putWith = (acl: string) => statusOf("PUT", `/${bucket}/open`, { body: "x", headers: { "x-amz-acl": acl } });
    expect(await putWith("public-read")).toBe(403);
    expect((await send("HEAD", `/${bucket}/open`)).status).toBe(404);
    expect(await putWith("private")).toBe(200);
    expect(await statusOf("DELETE", `/${bucket}/new`)).toBe(204);
  });
});
