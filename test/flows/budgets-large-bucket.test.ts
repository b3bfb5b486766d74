// What a change costs does not depend on the number of objects in its bucket.
import { beforeAll, describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { metadata } from "../support/metadata.ts";
import { createUpload, putPart } from "../support/multipart.ts";
import { bucketId } from "../support/stored-state.ts";

const OBJECTS = 400;
let bucket = "";

beforeAll(async () => {
  bucket = await freshBucket();
  await putAll(bucket, { a: "1", b: "2", c: "3", d: "4", e: "5", f: "6" });
  await metadata
    .prepare(
      `INSERT INTO objects (bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, blob_id, storage_class)
       SELECT o.bucket_id, 'many/' || n.value, 'v' || n.value, 1, o.size, o.etag, o.modified_at, o.owner_id,
         o.bucket_id || '/many-' || n.value, o.storage_class
       FROM json_each(?2) n CROSS JOIN objects o ON o.bucket_id = ?1 AND o.key = 'a'`,
    )
    .bind(await bucketId(bucket), JSON.stringify(Array.from({ length: OBJECTS }, (_, index) => index)))
    .run();
});

describe(`in a bucket of ${OBJECTS} objects`, () => {
  it.each([
    ["a put over an object", "PUT", "/a", {}],
    ["a copy", "PUT", "/new", { "x-amz-copy-source": "a" }],
    ["a copy over an object", "PUT", "/b", { "x-amz-copy-source": "a" }],
    ["a rename", "PUT", "/renamed?renameObject", { "x-amz-rename-source": "c" }],
    ["a rename over an object", "PUT", "/e?renameObject", { "x-amz-rename-source": "d" }],
    ["a deletion", "DELETE", "/f", {}],
    ["a deletion of the null version", "DELETE", "/e?versionId=null", {}],
  ] as const)("%s reads a few rows", async (_, method, target, headers: Record<string, string>) => {
    const source = headers["x-amz-copy-source"];
    const sent = source === undefined ? headers : { "x-amz-copy-source": `/${bucket}/${source}` };
    const response = await send(method, `/${bucket}${target}`, { headers: sent });
    await response.body?.cancel();
    expect(response.ok).toBe(true);
    expect(costOf(response).rowsRead).toBeLessThan(60);
  });

  it("a completion reads a few rows", async () => {
    const uploadId = await createUpload(bucket, "a");
    const { etag } = await putPart(bucket, "a", uploadId, 1, "x");
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
    const response = await send("POST", `/${bucket}/a?uploadId=${uploadId}`, { body });
    await response.body?.cancel();
    expect(costOf(response).rowsRead).toBeLessThan(60);
  });
});
