import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { md5Hex } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { bucketId } from "../support/stored-state.ts";
import { childrenOf, namesOf, plain, readXml, textOf, type Element } from "../support/read-xml.ts";

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";
const ACCOUNT = "000000000000";

async function bucketOf(keys: readonly string[]): Promise<string> {
  const bucket = await freshBucket();
  await putAll(bucket, Object.fromEntries(keys.map((key) => [key, key])));
  return bucket;
}

/** A bucket of many keys: only rows, because the tests read no bytes. */
async function bucketOfMany(keys: readonly string[]): Promise<string> {
  const bucket = await freshBucket();
  await env.DB.prepare(
    `INSERT INTO objects (bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, storage_class)
     SELECT ?1, value, value, 1, 1, 'e', 0, 'o', 'STANDARD' FROM json_each(?2)`,
  )
    .bind(await bucketId(bucket), JSON.stringify(keys))
    .run();
  return bucket;
}

async function list(bucket: string, query = ""): Promise<Element> {
  const response = await send("GET", `/${bucket}?list-type=2${query}`);
  expect(response.status).toBe(200);
  return readXml(await response.text());
}

function shown(root: Element): { readonly keys: string[]; readonly prefixes: string[] } {
  return {
    keys: childrenOf(root, "Contents").map((entry) => textOf(entry, "Key") ?? ""),
    prefixes: childrenOf(root, "CommonPrefixes").map((entry) => textOf(entry, "Prefix") ?? ""),
  };
}

/** Every page from the first to the one without a token. */
async function pagesOf(bucket: string, query: string): Promise<Element[]> {
  const pages: Element[] = [];
  for (let token: string | undefined; ;) {
    const page = await list(bucket, token === undefined ? query : `${query}&continuation-token=${token}`);
    pages.push(page);
    const next = textOf(page, "NextContinuationToken");
    expect(textOf(page, "ContinuationToken")).toBe(token);
    expect(textOf(page, "IsTruncated")).toBe(String(next !== undefined));
    token = next;
    if (token === undefined) return pages;
  }
}

describe("ListObjectsV2", () => {
  it("returns every object in key order, without owners", async () => {
    const bucket = await bucketOf(["b", "a/1"]);
    const response = await send("GET", `/${bucket}?list-type=2`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/xml");
    expect(response.headers.get("x-amz-bucket-region")).toBe("auto");
    expectAnswerHeaders(response);
    const root = readXml(await response.text());
    expect(root.name).toBe("ListBucketResult");
    expect(root.attributes).toEqual({ xmlns: NAMESPACE });
    const heads = ["Name", "Prefix", "KeyCount", "MaxKeys", "IsTruncated"];
    expect(namesOf(root)).toEqual([...heads, "Contents", "Contents"]);
    expect(heads.map((name) => textOf(root, name))).toEqual([bucket, "", "2", "1000", "false"]);
    expect(childrenOf(root, "Contents").map(plain)).toEqual(
      ["a/1", "b"].map((key) => ({
        Key: key,
        LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        ETag: `"${md5Hex(key)}"`,
        ChecksumAlgorithm: "CRC64NVME",
        ChecksumType: "FULL_OBJECT",
        Size: String(key.length),
        StorageClass: "STANDARD",
      })),
    );
  });

  it("adds owners when fetch-owner is true", async () => {
    const bucket = await bucketOf(["a"]);
    const [entry] = childrenOf(await list(bucket, "&fetch-owner=true"), "Contents");
    if (entry === undefined) throw new Error("no entry");
    expect(namesOf(entry)).toContain("Owner");
    expect(plain(entry)).toMatchObject({ Owner: { ID: ACCOUNT, DisplayName: ACCOUNT } });
    const [without] = childrenOf(await list(bucket, "&fetch-owner=false"), "Contents");
    expect(without === undefined ? undefined : namesOf(without)).not.toContain("Owner");
  });

  it("is an empty page for an empty bucket", async () => {
    const root = await list(await freshBucket());
    expect(namesOf(root)).toEqual(["Name", "Prefix", "KeyCount", "MaxKeys", "IsTruncated"]);
    expect(textOf(root, "KeyCount")).toBe("0");
  });

  it("begins after start-after and returns it, also next to the token that overrides it", async () => {
    const bucket = await bucketOf(["a", "b", "c", "d"]);
    const first = await list(bucket, "&start-after=a&max-keys=1");
    expect(shown(first).keys).toEqual(["b"]);
    expect(textOf(first, "StartAfter")).toBe("a");
    expect(namesOf(first).slice(0, 4)).toEqual(["Name", "Prefix", "StartAfter", "NextContinuationToken"]);
    const token = textOf(first, "NextContinuationToken") ?? "";
    const second = await list(bucket, `&start-after=a&max-keys=1&continuation-token=${token}`);
    expect(shown(second).keys).toEqual(["c"]);
    expect(textOf(second, "StartAfter")).toBe("a");
    expect(namesOf(second).slice(0, 4)).toEqual(["Name", "Prefix", "StartAfter", "ContinuationToken"]);
    expect(textOf(second, "ContinuationToken")).toBe(token);
    expect(shown(await list(bucket, "&start-after=bb")).keys).toEqual(["c", "d"]);
    expect(shown(await list(bucket, "&start-after=d")).keys).toEqual([]);
  });

  it("skips the common prefix that contains start-after", async () => {
    const bucket = await bucketOf(["a/1", "a/2", "b"]);
    expect(shown(await list(bucket, "&delimiter=/&start-after=a/1"))).toEqual({ keys: ["b"], prefixes: [] });
    expect(shown(await list(bucket, "&delimiter=/&start-after=a/1&prefix=a/"))).toEqual({
      keys: ["a/2"],
      prefixes: [],
    });
  });

  it("counts keys and common prefixes together", async () => {
    const bucket = await bucketOf(["a", "b/1", "b/2", "c"]);
    const root = await list(bucket, "&delimiter=/&max-keys=2");
    expect(shown(root)).toEqual({ keys: ["a"], prefixes: ["b/"] });
    expect(textOf(root, "KeyCount")).toBe("2");
    expect(textOf(root, "MaxKeys")).toBe("2");
    expect(textOf(root, "Delimiter")).toBe("/");
    expect(textOf(root, "IsTruncated")).toBe("true");
  });

  it("returns every key and common prefix once over pages of any size", async () => {
    const keys = ["a", "a/", "a/1", "b/1", "b/2", "b//", "c", "d/e/f", "é/1", "\ue000", "\u{1f600}", "\u{1f600}/x"];
    const bucket = await bucketOf(keys);
    for (const size of [1, 2, 3, 7, 12, 1000]) {
      const flat = await pagesOf(bucket, `&max-keys=${size}`);
      expect(flat.flatMap((page) => shown(page).keys)).toEqual([
        "a",
        "a/",
        "a/1",
        "b//",
        "b/1",
        "b/2",
        "c",
        "d/e/f",
        "é/1",
        "\ue000",
        "\u{1f600}",
        "\u{1f600}/x",
      ]);
      const rolled = await pagesOf(bucket, `&max-keys=${size}&delimiter=/`);
      expect(rolled.flatMap((page) => shown(page).keys)).toEqual(["a", "c", "\ue000", "\u{1f600}"]);
      expect(rolled.flatMap((page) => shown(page).prefixes)).toEqual(["a/", "b/", "d/", "é/", "\u{1f600}/"]);
      expect(rolled.map((page) => textOf(page, "KeyCount"))).toEqual(
        rolled.map((page) => String(childrenOf(page, "Contents").length + childrenOf(page, "CommonPrefixes").length)),
      );
    }
  });

  it("pages through thousands of keys and of common prefixes at a few rows for each", async () => {
    const keys = Array.from({ length: 2500 }, (_, index) => `k${String(index).padStart(5, "0")}/x`);
    const bucket = await bucketOfMany(keys);
    const flat = await pagesOf(bucket, "");
    expect(flat.map((page) => textOf(page, "KeyCount"))).toEqual(["1000", "1000", "500"]);
    expect(flat.flatMap((page) => shown(page).keys)).toEqual(keys);
    const rolled = await pagesOf(bucket, "&delimiter=/");
    expect(rolled.map((page) => textOf(page, "KeyCount"))).toEqual(["1000", "1000", "500"]);
    expect(rolled.flatMap((page) => shown(page).prefixes)).toEqual(keys.map((key) => key.slice(0, -1)));
    const cost = costOf(await send("GET", `/${bucket}?list-type=2`));
    expect(cost).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    expect(cost.rowsRead).toBeLessThan(1100);
  });

  it("returns no token on a page that fits exactly, and none on an empty page", async () => {
    const bucket = await bucketOf(["a", "b"]);
    for (const query of ["&max-keys=2", "&max-keys=0", "&max-keys=0&delimiter=/", "&delimiter=/"]) {
      const root = await list(bucket, query);
      expect(textOf(root, "IsTruncated"), query).toBe("false");
      expect(textOf(root, "NextContinuationToken"), query).toBeUndefined();
    }
    expect(textOf(await list(bucket, "&max-keys=0"), "KeyCount")).toBe("0");
    expect(textOf(await list(bucket, "&max-keys=5000"), "MaxKeys")).toBe("5000");
  });

  it("continues from a token whose key was deleted", async () => {
    const bucket = await bucketOf(["a", "b", "c"]);
    const token = textOf(await list(bucket, "&max-keys=2"), "NextContinuationToken") ?? "";
    await send("DELETE", `/${bucket}/b`);
    expect(shown(await list(bucket, `&continuation-token=${token}`)).keys).toEqual(["c"]);
  });

  it("rejects a token that is garbled, or of another bucket, prefix or delimiter", async () => {
    const bucket = await bucketOf(["p/a", "p/b"]);
    const other = await bucketOf(["p/a", "p/b"]);
    const token = textOf(await list(bucket, "&prefix=p/&max-keys=1"), "NextContinuationToken") ?? "";
    expect(token).not.toBe("");
    expect(shown(await list(bucket, `&prefix=p/&continuation-token=${token}`)).keys).toEqual(["p/b"]);
    for (const [name, query, value] of [
      [bucket, "&prefix=p/", `${token.slice(0, -1)}_`],
      [bucket, "&prefix=p/", token.slice(0, 8)],
      [bucket, "&prefix=p/", ""],
      [bucket, "&prefix=p/", "eyJrZXkiOiJhIn0="],
      [bucket, "&prefix=p", token],
      [bucket, "&prefix=p/&delimiter=/", token],
      [other, "&prefix=p/", token],
    ] as const) {
      await expectS3Error(
        await send("GET", `/${name}?list-type=2${query}&continuation-token=${encodeURIComponent(value)}`),
        {
          status: 400,
          code: "InvalidArgument",
          message: "The continuation token provided is incorrect",
          fields: { ArgumentName: "continuation-token", ArgumentValue: value },
        },
      );
    }
  });

  it("encodes keys, prefixes, delimiter and start-after when requested, but no token", async () => {
    const bucket = await bucketOf(["a b/=&", "a b/ü+", "a b/c d/e"]);
    const root = await list(bucket, "&encoding-type=url&prefix=a+b/&delimiter=%20d/&start-after=a%20b/%21&max-keys=2");
    expect(namesOf(root).slice(0, 9)).toEqual([
      "Name",
      "Prefix",
      "StartAfter",
      "NextContinuationToken",
      "KeyCount",
      "MaxKeys",
      "Delimiter",
      "EncodingType",
      "IsTruncated",
    ]);
    expect(["Prefix", "StartAfter", "Delimiter", "EncodingType"].map((name) => textOf(root, name))).toEqual([
      "a%20b/",
      "a%20b/%21",
      "%20d/",
      "url",
    ]);
    expect(shown(root)).toEqual({ keys: ["a%20b/%3D%26"], prefixes: ["a%20b/c%20d/"] });
    expect(textOf(root, "NextContinuationToken")).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  it("rejects an invalid max-keys or encoding", async () => {
    const bucket = await freshBucket();
    for (const [name, value] of [
      ["max-keys", "-1"],
      ["max-keys", "1e3"],
      ["encoding-type", "URL"],
    ] as const) {
      await expectS3Error(await send("GET", `/${bucket}?list-type=2&${name}=${value}`), {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName: name, ArgumentValue: value },
      });
    }
  });

  it("reflects every acknowledged write and deletion", async () => {
    const bucket = await freshBucket();
    for (let turn = 0; turn < 20; turn += 1) {
      await putAll(bucket, { [`k${turn % 3}`]: String(turn) });
      const [entry] = childrenOf(await list(bucket, `&prefix=k${turn % 3}`), "Contents");
      expect(entry === undefined ? undefined : textOf(entry, "ETag")).toBe(`"${md5Hex(String(turn))}"`);
      await send("DELETE", `/${bucket}/k${turn % 3}`);
      expect(shown(await list(bucket)).keys).toEqual([]);
    }
  });

  it("returns NoSuchBucket for a missing bucket", async () => {
    const name = freshBucketName();
    await expectS3Error(await send("GET", `/${name}?list-type=2`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: name },
    });
  });

  it("rejects anonymous requests", async () => {
    await expectS3Error(await deliver(anonymous("GET", `/${await bucketOf(["a"])}?list-type=2`)), {
      status: 403,
      code: "AccessDenied",
    });
  });
});
