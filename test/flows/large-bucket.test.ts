// No request's work grows with its bucket: each operation reads only a few rows of a bucket full of other things.
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import { digest } from "../../src/bytes/digest.ts";
import { toBase64 } from "../../src/bytes/hex-base64.ts";
import { utf8 } from "../../src/bytes/text.ts";
import { send, type SendOptions } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

const CROWD = 5000;
const ENABLED = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";

/**
 * A bucket with 5000 each of objects, noncurrent versions, uploads, parts, manifests, references, garbage and tokens. The
 * last two are of the far future, so that no other test's pass over the whole store has to purge them.
 */
async function crowdedBucket(): Promise<string> {
  const bucket = await freshBucket();
  const numbers = JSON.stringify(Array.from({ length: CROWD }, (_, index) => index));
  const id = "(SELECT id FROM buckets WHERE name = ?1)";
  const crowd = (sql: string) => env.DB.prepare(sql).bind(bucket, numbers);
  await env.DB.batch([
    crowd(`INSERT INTO objects (bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, blob_id,
             storage_class)
           SELECT ${id}, 'crowd/' || value, printf('g%031d', value), 1, 1, 'e', 0, 'o', ?1 || '/o' || value, 'STANDARD'
           FROM json_each(?2)`),
    crowd(`INSERT INTO versions (bucket_id, key, version_id, is_null_version, is_delete_marker, size, etag, modified_at,
             owner_id, blob_id, storage_class)
           SELECT ${id}, 'crowd/' || value, printf('h%031d', value), 0, 0, 1, 'e', 0, 'o', ?1 || '/v' || value, 'STANDARD'
           FROM json_each(?2)`),
    crowd(`INSERT INTO uploads (bucket_id, key, upload_id, initiated_at, owner_id, storage_class)
           SELECT ${id}, 'crowd/' || value, ?1 || 'u' || value, 0, 'o', 'STANDARD' FROM json_each(?2)`),
    crowd(`INSERT INTO parts (upload_id, part_number, holding_id, size, etag, modified_at)
           SELECT ?1 || 'u' || value, 1, ?1 || '/p' || value, 1, 'e', 0 FROM json_each(?2)`),
    crowd(`INSERT INTO manifests (manifest_id, page, slices, parts, holdings)
           SELECT ?1 || '/m' || value, 0, '[]', '[]', '[]' FROM json_each(?2)`),
    crowd(`INSERT INTO shared_blobs (blob_id, holders) SELECT ?1 || '/o' || value, 1 FROM json_each(?2)`),
    crowd(`INSERT INTO garbage (blob_id, dropped_at) SELECT ?1 || '/g' || value, 9e15 FROM json_each(?2)`),
    crowd(`INSERT INTO scan_tombstones (blob_id, condemned_at) SELECT ?1 || '/t' || value, 0 FROM json_each(?2)`),
    crowd(`INSERT INTO rename_tokens (bucket_id, token, fingerprint, created_at)
           SELECT ${id}, 't' || value, 'f', 9e15 FROM json_each(?2)`),
    crowd(`INSERT INTO completed_uploads (bucket_id, key, upload_id, fingerprint, version_id, etag, completed_at)
           SELECT ${id}, 'crowd/' || value, 'c' || value, 'f', 'v', 'e', 9e15 FROM json_each(?2)`),
  ]);
  return bucket;
}

async function withMd5(body: string): Promise<SendOptions> {
  return { body, headers: { "content-md5": toBase64(await digest("MD5", utf8(body))) } };
}

describe.each(["never versioned", "versioned"])("in a crowded bucket that is %s", (versioning) => {
  let bucket = "";

  beforeAll(async () => {
    bucket = await crowdedBucket();
    if (versioning === "versioned") await send("PUT", `/${bucket}?versioning`, { body: ENABLED });
  });

  /** Sends a request and expects it to succeed at the cost of the same request in an empty bucket. */
  async function cheap(method: string, target: string, options: SendOptions = {}, most = 150): Promise<string> {
    const response = await send(method, `/${bucket}${target}`, options);
    const text = method === "HEAD" ? "" : await response.text();
    expect(response.status, `${method} ${target}: ${text}`).toBeLessThan(300);
    expect(costOf(response).rowsRead, `${method} ${target}`).toBeLessThan(most);
    return text;
  }

  it("reads, writes, tags, copies and deletes of objects read a few rows", async () => {
    await cheap("PUT", "/k", { body: "one" });
    await cheap("PUT", "/k", { body: "two" });
    await cheap("GET", "/k");
    await cheap("HEAD", "/k");
    await cheap("GET", "/k", { headers: { range: "bytes=-1" } });
    await cheap("GET", "/k?versionId=null", {}, 150).catch((error: unknown) => {
      if (versioning === "never versioned") throw error;
    });
    await cheap(
      "PUT",
      "/k?tagging",
      await withMd5("<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"),
    );
    await cheap("GET", "/k?attributes", { headers: { "x-amz-object-attributes": "ETag,ObjectParts" } });
    await cheap("PUT", "/copy", { headers: { "x-amz-copy-source": `/${bucket}/k` } });
    await cheap("DELETE", "/copy");
    await cheap("DELETE", "/copy?versionId=null");
    await cheap("DELETE", "/k?versionId=00000000000000000000000000000000");
    const plain = "<Delete><Object><Key>k</Key></Object><Object><Key>crowd/7</Key></Object></Delete>";
    await cheap("POST", "?delete", await withMd5(plain));
    const named = "<Delete><Object><Key>crowd/9</Key><VersionId>null</VersionId></Object></Delete>";
    await cheap("POST", "?delete", await withMd5(named));
  });

  it("a rename, where the bucket allows it, reads a few rows", async () => {
    if (versioning === "versioned") return;
    await cheap("PUT", "/from", { body: "x" });
    await cheap("PUT", "/to", { headers: { "x-amz-rename-source": "from", "x-amz-client-token": "mine" } });
  });

  it("multipart uploads read a few rows", async () => {
    const created = await cheap("POST", "/big?uploads");
    const uploadId = /<UploadId>(.*?)<\/UploadId>/.exec(created)?.[1] ?? "";
    await cheap("PUT", `/big?partNumber=1&uploadId=${uploadId}`, { body: "x" });
    await cheap("PUT", `/big?partNumber=1&uploadId=${uploadId}`, { body: "one part" });
    await cheap("PUT", "/source", { body: "source" });
    await cheap("PUT", `/big?partNumber=2&uploadId=${uploadId}`, {
      headers: { "x-amz-copy-source": `/${bucket}/source` },
    });
    const parts = await cheap("GET", `/big?uploadId=${uploadId}`);
    const etag = /<ETag>&quot;(.*?)&quot;<\/ETag>/.exec(parts)?.[1] ?? "";
    const document = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
    await cheap("POST", `/big?uploadId=${uploadId}`, { body: document });
    await cheap("POST", `/big?uploadId=${uploadId}`, { body: document });
    const second = /<UploadId>(.*?)<\/UploadId>/.exec(await cheap("POST", "/big?uploads"))?.[1] ?? "";
    await cheap("DELETE", `/big?uploadId=${second}`);
  });

  it.each([
    ["?list-type=2&max-keys=10", 60],
    ["?list-type=2&max-keys=10&delimiter=/", 60],
    ["?list-type=2&max-keys=10&prefix=crowd/4", 60],
    ["?versions&max-keys=10", 400],
    ["?versions&max-keys=10&delimiter=/", 400],
    ["?uploads&max-uploads=10", 150],
    ["?uploads&max-uploads=10&delimiter=/", 150],
  ])("the page %s reads what it shows", async (query, most) => {
    await cheap("GET", query, {}, most);
  });
});
