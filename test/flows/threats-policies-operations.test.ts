// Attempts to get more than policies grant through operations on several objects: copies, restores, DeleteObjects.
import { describe, expect, it } from "vitest";

import { send, type SendOptions } from "../support/client.ts";
import { checksum, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { createUpload } from "../support/multipart.ts";
import { expectUntouched } from "../support/rows.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import { allow, freshUser } from "../support/users.ts";
import { putVersion, versionedBucket } from "../support/versioning.ts";
import { DENIED, as, bucketWith, ofKey, on, police } from "./threats-policies-fixture.ts";

describe("a copy", () => {
  it("requires permission to read its source and the source's tags, also as a part copy", async () => {
    const [from, to] = [await freshBucket(), await freshBucket()];
    await putAll(from, { plain: "text" });
    expect((await send("PUT", `/${from}/tagged`, { body: "text", headers: { "x-amz-tagging": "a=b" } })).status).toBe(
      200,
    );
    const uploadId = await createUpload(to, "k");
    const user = await freshUser(on(to, "Allow", "s3:*"));
    const copy = async (source: string, target = `/${to}/k`): Promise<number> =>
      (await as(user, "PUT", target, { headers: { "x-amz-copy-source": `/${from}/${source}` } })).status;
    const part = `/${to}/k?partNumber=1&uploadId=${uploadId}`;
    for (const source of ["plain", "tagged", "missing"]) {
      expect([await copy(source), await copy(source, part)]).toEqual([403, 403]);
    }
    await allow(user, on(to, "Allow", "s3:*"), on(from, "Allow", "s3:GetObject"));
    // A part has no tags.
    expect([await copy("plain"), await copy("tagged"), await copy("tagged", part)]).toEqual([200, 403, 200]);
    // A caller who may not list does not learn what is missing.
    expect([await copy("missing"), await copy("missing", part)]).toEqual([403, 403]);
    await allow(user, on(to, "Allow", "s3:*"), on(from, "Allow", ["s3:GetObject", "s3:GetObjectTagging"]));
    expect(await copy("tagged")).toBe(200);
    // A deny on reading the source applies to every encoding of it.
    await allow(user, on(to, "Allow", "s3:*"), on(from, "Allow", "s3:*"), on(from, "Deny", "s3:GetObject"));
    for (const source of ["plain", "%70lain", "plain?versionId="])
      expect([source, (await copy(source)) >= 400]).toEqual([source, true]);
    expect(await copy("plain")).toBe(403);
  });

  it("from a denied source is rejected with another encoding and from a snapshot", async () => {
    const from = await versionedBucket();
    const versionId = await putVersion(from, "secret/k", "text");
    await putVersion(from, "open/k", "text");
    const snapshot = await takeSnapshot(from, "s");
    const to = await freshBucket();
    const user = await freshUser({ Effect: "Allow", Action: "s3:*", Resource: "*" });
    const copy = async (source: string): Promise<number> =>
      (await as(user, "PUT", `/${to}/k`, { headers: { "x-amz-copy-source": source } })).status;
    for (const Condition of [
      { StringLike: { "s3:x-amz-copy-source": `${from}/secret/*` } },
      { StringLike: { "s3:x-amz-copy-source": `/${from}/secret/*` } },
      { StringNotLike: { "s3:x-amz-copy-source": `${from}/open/*` } },
    ]) {
      await police(to, on(to, "Deny", "s3:PutObject", { Principal: { AWS: user.arn }, Condition, ...ofKey(to, "*") }));
      for (const source of [`${from}/secret/k`, `/${from}/secret/k`, `${from}/%73ecret/k`, `${from}%2Fsecret%2Fk`]) {
        expect([source, await copy(source)]).toEqual([source, 403]);
      }
      expect(await copy(`/${from}/secret/k?versionId=${versionId}`)).toBe(403);
      expect(await copy(`${snapshot}/secret/k`)).toBe(403);
      expect([await copy(`/${from}/open/k`), await copy(`${from}%2Fopen/k`)]).toEqual([200, 200]);
    }
  });

  it("honours the expected owner of its source", async () => {
    const bucket = await bucketWith("k");
    const headers = { "x-amz-copy-source": `/${bucket}/k` };
    for (const [name, owner, status] of [
      ["x-amz-source-expected-bucket-owner", "111122223333", 403],
      ["x-amz-expected-bucket-owner", "111122223333", 403],
      ["x-amz-source-expected-bucket-owner", "me", 400],
      ["x-amz-source-expected-bucket-owner", "000000000000", 200],
    ] as const) {
      const response = await send("PUT", `/${bucket}/copy`, { headers: { ...headers, [name]: owner } });
      expect([name, owner, response.status]).toEqual([name, owner, status]);
      await response.arrayBuffer();
    }
  });
});

describe("RestoreBucketSnapshot", () => {
  it("changes no explicitly denied key, and otherwise requires only its own permission", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "fixed/k", "old");
    await putVersion(bucket, "free/k", "old");
    await takeSnapshot(bucket, "s");
    await putVersion(bucket, "fixed/k", "new");
    await putVersion(bucket, "fixed/later", "new");
    await putVersion(bucket, "free/k", "new");
    const user = await freshUser(on(bucket, "Allow", "s3:RestoreBucketSnapshot"));
    const restore = async (query = ""): Promise<number> =>
      (await as(user, "POST", `/${bucket}?restoreSnapshot=s${query}`)).status;
    for (const [action, key] of [
      ["s3:PutObject", "fixed/k"],
      ["s3:DeleteObject", "fixed/later"],
    ] as const) {
      await police(bucket, on(bucket, "Deny", action, { Principal: "*", ...ofKey(bucket, key) }));
      await expectUntouched(bucket, async () => expect([action, await restore()]).toEqual([action, 403]));
    }
    await expectUntouched(bucket, async () => expect(await restore("&prefix=fixed/")).toBe(403));
    expect(await restore("&prefix=free/")).toBe(200);
    expect(await (await send("GET", `/${bucket}/free/k`)).text()).toBe("old");
    expect((await send("DELETE", `/${bucket}?policy`)).status).toBe(204);
    expect(await restore()).toBe(200);
    expect((await send("GET", `/${bucket}/fixed/later`)).status).toBe(404);
  });
});

describe("DeleteObjects", () => {
  const document = (...objects: readonly string[]): SendOptions => {
    const body = `<Delete>${objects.map((object) => `<Object>${object}</Object>`).join("")}</Delete>`;
    return { body, headers: { "x-amz-checksum-crc32": checksum("CRC32", utf8(body)) } };
  };

  it("deletes key by key, as single deletions would", async () => {
    const bucket = await bucketWith("mine/a", "theirs/a", "theirs/b");
    const user = await freshUser(on(bucket, "Allow", "s3:DeleteObject", ofKey(bucket, "mine/*")));
    await police(bucket, on(bucket, "Deny", "s3:DeleteObject", { Principal: "*", ...ofKey(bucket, "theirs/b") }));
    const asked = document(
      "<Key>mine/a</Key>",
      "<Key>theirs/a</Key>",
      "<Key>theirs/b</Key>",
      "<Key>mine/../theirs/a</Key>",
    );
    const text = await (await as(user, "POST", `/${bucket}?delete`, asked)).text();
    expect(Array.from(text.matchAll(/<Deleted><Key>([^<]*)/g), ([, key]) => key)).toEqual([
      "mine/a",
      "mine/../theirs/a",
    ]);
    expect(Array.from(text.matchAll(/<Error><Key>([^<]*)/g), ([, key]) => key)).toEqual(["theirs/a", "theirs/b"]);
    const rootAsked = await send("POST", `/${bucket}?delete`, document("<Key>theirs/a</Key>", "<Key>theirs/b</Key>"));
    expect(await rootAsked.text()).toContain("<Error><Key>theirs/b</Key><Code>AccessDenied</Code>");
    expect((await send("HEAD", `/${bucket}/theirs/a`)).status).toBe(404);
    expect((await send("HEAD", `/${bucket}/theirs/b`)).status).toBe(200);
  });

  it("does not disclose through its conditions what exists to callers who may not list", async () => {
    const bucket = await bucketWith("there");
    const user = await freshUser(on(bucket, "Allow", ["s3:DeleteObject", "s3:GetObject"]));
    const asked = document("<Key>missing</Key><ETag>*</ETag>");
    const text = await (await as(user, "POST", `/${bucket}?delete`, asked)).text();
    expect(text).toContain("<Error><Key>missing</Key><Code>AccessDenied</Code><Message>Access Denied</Message>");
    const single = await as(user, "DELETE", `/${bucket}/missing`, { headers: { "if-match": "*" } });
    await expectS3Error(single, DENIED);
    await allow(user, on(bucket, "Allow", ["s3:DeleteObject", "s3:GetObject", "s3:ListBucket"]));
    const result = await (await as(user, "POST", `/${bucket}?delete`, asked)).text();
    expect(result).toContain("<Error><Key>missing</Key><Code>NoSuchKey</Code>");
  });
});
