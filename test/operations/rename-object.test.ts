// RenameObject: source and destination, properties of the object, concurrency and cost.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { nextVersionId } from "../../src/protocol/core/version-id.ts";
import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectBytes, noise } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { bucketId, storedStateOf } from "../support/stored-state.ts";
import { expiresAfter, prefixed, putLifecycle, rule } from "../support/lifecycle.ts";
import { joined, largePart, uploadInParts } from "../support/multipart.ts";
import { expectBalanced, expectUntouched } from "../support/rows.ts";
import { bodyOf, setVersioning, versionedBucket } from "../support/versioning.ts";
import { bucketOf, expectRefused, keysOf, rename } from "./rename-object-fixture.ts";

describe("RenameObject", () => {
  it("returns the expiration of the object under its new key, also when repeated", async () => {
    const bucket = await bucketOf({ "keep/a": "text" });
    await putLifecycle(bucket, rule(expiresAfter(1), { ...prefixed("tmp/"), id: "ends" }));
    const first = await rename(bucket, "keep/a", "tmp/a", { "x-amz-client-token": "token" });
    expect(first.headers.get("x-amz-expiration")).toMatch(/^expiry-date=".* GMT", rule-id="ends"$/);
    const shown = (await send("HEAD", `/${bucket}/tmp/a`)).headers.get("x-amz-expiration");
    expect(first.headers.get("x-amz-expiration")).toBe(shown);
    const again = await rename(bucket, "keep/a", "tmp/a", { "x-amz-client-token": "token" });
    expect([again.status, again.headers.get("x-amz-expiration")]).toEqual([200, shown]);
    expect((await rename(bucket, "tmp/a", "keep/b")).headers.get("x-amz-expiration")).toBeNull();
  });

  it("renames an object and returns 200 without a body", async () => {
    const bucket = await bucketOf({ "checkpoints/model.ckpt.tmp": "weights" });
    const response = await rename(bucket, "checkpoints/model.ckpt.tmp", "checkpoints/model.ckpt");
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
    expectAnswerHeaders(response);
    expect(await keysOf(bucket)).toEqual(["checkpoints/model.ckpt"]);
    expect(await bodyOf(bucket, "checkpoints/model.ckpt")).toBe("weights");
    expect(await bodyOf(bucket, "checkpoints/model.ckpt.tmp")).toBe("404 NoSuchKey");
    await expectBalanced(bucket);
  });

  it("replaces an object whose version is ahead of the database's clock", async () => {
    const bucket = await bucketOf({ a: "moved", b: "ahead" });
    const ahead = nextVersionId(Date.now() + 600_000, undefined);
    await env.DB.prepare("UPDATE objects SET version_id = ? WHERE bucket_id = ? AND key = 'b'")
      .bind(ahead, await bucketId(bucket))
      .run();
    expect((await rename(bucket, "a", "b")).status).toBe(200);
    expect(await bodyOf(bucket, "b")).toBe("moved");
    await expectBalanced(bucket);
  });

  it("is selected by the query and the header, or by the header alone", async () => {
    const bucket = await bucketOf({ a: "x" });
    for (const [target, source] of [
      ["b", "/a"],
      ["c?renameObject", "b"],
      ["d?renameObject=", "c"],
      ["e?x-id=RenameObject&renameObject=", "d"],
    ] as const) {
      const response = await send("PUT", `/${bucket}/${target}`, { headers: { "x-amz-rename-source": source } });
      expect(response.status, target).toBe(200);
    }
    expect(await keysOf(bucket)).toEqual(["e"]);
  });

  it("is not a PutObject when the query selects it and the header is missing", async () => {
    const bucket = await bucketOf({ a: "x" });
    await expectUntouched(bucket, async () => {
      const response = await send("PUT", `/${bucket}/a?renameObject`, { body: "replaced" });
      expect(response.status).toBeGreaterThanOrEqual(400);
    });
  });

  it("never reaches into another bucket", async () => {
    const [bucket, other] = [await bucketOf({ a: "x" }), await bucketOf({ k: "theirs" })];
    const source = `/${other}/k`;
    await expectRefused(bucket, () => rename(bucket, source, "b"), {
      status: 404,
      code: "NoSuchKey",
      fields: { Key: `${other}/k` },
    });
    expect(await bodyOf(other, "k")).toBe("theirs");
  });

  it("is rejected in a bucket that is or was versioned, and changes nothing", async () => {
    const bucket = await bucketOf({ a: "x" });
    for (const status of ["Enabled", "Suspended"] as const) {
      await setVersioning(bucket, status);
      for (const source of ["a", "missing"]) {
        await expectRefused(bucket, () => rename(bucket, source, "b"), {
          status: 409,
          code: "InvalidBucketState",
          fields: { BucketName: bucket },
        });
      }
    }
  });

  it("is rejected when the source or the destination ends in a slash", async () => {
    const bucket = await bucketOf({ "dir/": "", a: "x" });
    for (const [source, destination] of [
      ["dir/", "b"],
      ["/dir/", "b"],
      ["dir%2F", "b"],
      ["a", "dir2/"],
      ["dir/", "dir2/"],
    ] as const) {
      await expectRefused(bucket, () => rename(bucket, source, destination), { status: 400, code: "InvalidRequest" });
    }
  });

  it("is rejected when source and destination are the same key", async () => {
    const bucket = await bucketOf({ a: "x" });
    for (const source of ["a", "/a", `${bucket}/a`]) {
      await expectRefused(bucket, () => rename(bucket, source, "a"), { status: 400, code: "InvalidRequest" });
    }
  });

  it.each(["", "/"])("is rejected for the source %j", async (source) => {
    const bucket = await bucketOf({ a: "x" });
    await expectRefused(bucket, () => rename(bucket, source, "b"), {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "x-amz-rename-source", ArgumentValue: source },
    });
  });

  it("is rejected for keys that are too long", async () => {
    const bucket = await bucketOf({ a: "x" });
    const long = "k".repeat(1025);
    for (const [source, destination] of [
      ["a", long],
      [long, "b"],
    ] as const) {
      await expectRefused(bucket, () => rename(bucket, source, destination), {
        status: 400,
        code: "KeyTooLongError",
        fields: { Size: "1025", MaxSizeAllowed: "1024" },
      });
    }
  });

  it("returns NoSuchKey when the source is missing or already renamed", async () => {
    const bucket = await bucketOf({ a: "x" });
    expect((await rename(bucket, "a", "b")).status).toBe(200);
    for (const headers of [{}, { "x-amz-client-token": "another" }]) {
      await expectRefused(bucket, () => rename(bucket, "/a", "b", headers), {
        status: 404,
        code: "NoSuchKey",
        fields: { Key: "a" },
      });
    }
  });

  it("replaces the destination by default, whose bytes become garbage", async () => {
    const bucket = await bucketOf({ a: "new", b: "old" });
    const old = (await storedStateOf(bucket)).objects["b"];
    expect((await rename(bucket, "a", "b")).status).toBe(200);
    const { objects, garbage } = await storedStateOf(bucket);
    expect(Object.keys(objects)).toEqual(["b"]);
    expect(garbage).toEqual([old?.blob_id]);
    expect(await bodyOf(bucket, "b")).toBe("new");
    await expectBalanced(bucket);
  });

  it("keeps all properties of the object", async () => {
    const bucket = await freshBucket();
    const headers = {
      "content-type": "text/css",
      "cache-control": "max-age=60",
      "content-disposition": "inline",
      "content-encoding": "gzip",
      "content-language": "de",
      expires: "Wed, 21 Oct 2037 07:28:00 GMT",
      "x-amz-meta-m": "1",
      "x-amz-tagging": "a=1&b=2",
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-checksum-sha256": "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
    };
    await send("PUT", `/${bucket}/a`, { body: "abc", headers });
    const seen = (response: Response) => {
      const {
        date: _d,
        "x-amz-request-id": _r,
        "x-amz-id-2": _h,
        "server-timing": _s,
        ...rest
      } = Object.fromEntries(response.headers);
      return rest;
    };
    const options = { headers: { "x-amz-checksum-mode": "ENABLED" } };
    const before = seen(await send("HEAD", `/${bucket}/a`, options));
    expect(before["x-amz-checksum-sha256"]).toBe(headers["x-amz-checksum-sha256"]);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await rename(bucket, "a", "b");
    expect(seen(await send("HEAD", `/${bucket}/b`, options))).toEqual(before);
    const listing = await (await send("GET", `/${bucket}`)).text();
    expect(listing).toContain("<Key>b</Key>");
    expect(listing).not.toContain("<Key>a</Key>");
  });

  it("decodes every encoding of the source", async () => {
    const cases = [
      ["raw UTF-8", "src  a+é.txt", (key: string) => key],
      ["percent-encoded", "src  a+é.txt", encodeURIComponent],
      ["percent-encoded except for slashes", "d/a b", encodeURI],
      ["with a leading slash", "a/b", (key: string) => `/${key}`],
      ["with the bucket", "a/b", (key: string, bucket: string) => `${bucket}/${key}`],
      ["with a slash and the bucket, encoded", "a b", (key: string, bucket: string) => `/${bucket}/${encodeURI(key)}`],
      ["with a plus that stays one", "a+b", (key: string) => key],
      ["with an escape that is none", "100%", (key: string) => key],
      ["raw, where it reads like an escape", "a%20b", (key: string) => key],
      ["encoded, where it reads like an escape", "a%20b", encodeURIComponent],
    ] as const;
    for (const [name, key, write] of cases) {
      const bucket = await bucketOf({ [key]: name });
      const response = await rename(bucket, write(key, bucket), "dst é+1.txt");
      expect(response.status, name).toBe(200);
      expect(await bodyOf(bucket, "dst é+1.txt"), name).toBe(name);
    }
  });

  it("prefers the literal key to the one without the bucket, and the decoded to the raw one", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { [`${bucket}/k`]: "literal", k: "rest", "a b": "decoded", "a%20b": "raw" });
    await rename(bucket, `${bucket}/k`, "first");
    await rename(bucket, `${bucket}/k`, "second");
    await rename(bucket, "a%20b", "third");
    await rename(bucket, "a%20b", "fourth");
    const moved = await Promise.all(["first", "second", "third", "fourth"].map((key) => bodyOf(bucket, key)));
    expect(moved).toEqual(["literal", "rest", "decoded", "raw"]);
  });

  it("shows readers exactly one of the two keys at any time", async () => {
    const bucket = await bucketOf({ a: "x" });
    const id = await bucketId(bucket);
    const seen: number[] = [];
    const read = async (): Promise<void> => {
      const listing = await (await send("GET", `/${bucket}`)).text();
      seen.push(listing.split("<Key>").length - 1);
      const row = await env.DB.prepare("SELECT count(*) AS keys FROM objects WHERE bucket_id = ?")
        .bind(id)
        .first<{ keys: number }>();
      seen.push(row?.keys ?? -1);
    };
    for (let turn = 0; turn < 10; turn += 1) {
      const [from = "", to = ""] = turn % 2 === 0 ? ["a", "b"] : ["b", "a"];
      const [response] = await Promise.all([rename(bucket, from, to), read(), read(), read()]);
      expect(response.status).toBe(200);
    }
    expect(seen.length).toBeGreaterThan(4);
    expect(new Set(seen)).toEqual(new Set([1]));
  });

  it("loses nothing when renames and writes meet on the same keys", async () => {
    const bucket = await bucketOf({ a: "1" });
    await Promise.all([
      rename(bucket, "a", "b"),
      rename(bucket, "b", "a"),
      rename(bucket, "a", "c"),
      send("PUT", `/${bucket}/a`, { body: "2" }),
      send("PUT", `/${bucket}/b`, { body: "3" }),
      send("DELETE", `/${bucket}/c`),
    ]);
    await expectBalanced(bucket);
  });

  it("commits before versioning is enabled or is rejected, when both are concurrent", async () => {
    for (let turn = 0; turn < 8; turn += 1) {
      const bucket = await bucketOf({ a: "x" });
      const [renamed] = await Promise.all([rename(bucket, "a", "b"), setVersioning(bucket, "Enabled")]);
      expect([200, 409]).toContain(renamed.status);
      expect(await keysOf(bucket)).toEqual([renamed.status === 200 ? "b" : "a"]);
      await expectBalanced(bucket);
    }
  });

  it("costs the same for one byte as for an object of many parts", async () => {
    const bucket = await bucketOf({ small: "x" });
    await uploadInParts(bucket, "large", [largePart(1), largePart(2), largePart(3), "end"]);
    const costs = [];
    for (const key of ["small", "large"]) costs.push(costOf(await rename(bucket, key, `${key}.moved`)));
    expect(costs[1]).toEqual(costs[0]);
    expect(costs[0]).toMatchObject({ coordinatorCalls: 1, blobCalls: 0 });
    expect(costs[0]?.roundTrips).toBeLessThanOrEqual(3);
    expect(costs[0]?.rowsWritten).toBeLessThanOrEqual(5);
    await expectBytes(
      await send("GET", `/${bucket}/large.moved`),
      joined([largePart(1), largePart(2), largePart(3), noise(0), new TextEncoder().encode("end")]),
    );
    await expectBalanced(bucket);
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await rename(missing, "a", "b"), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await bucketOf({ a: "x" });
    const headers = { "x-amz-rename-source": "a" };
    await expectRefused(bucket, () => deliver(anonymous("PUT", `/${bucket}/b?renameObject`, { headers })), {
      status: 403,
      code: "AccessDenied",
    });
  });

  it("rejects a versioned bucket before it checks anything else", async () => {
    const bucket = await versionedBucket();
    await expectRefused(bucket, () => rename(bucket, "a", "a"), {
      status: 409,
      code: "InvalidBucketState",
      fields: { BucketName: bucket },
    });
  });
});
