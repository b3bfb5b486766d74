// A tenant may use every object operation in its own folder.
import assert from "node:assert/strict";
import { textIn, textsIn } from "../../../scripts/tenancy/caller.ts";
import type { Check } from "../harness.ts";
import { assertDone, completionOf, deletionOf, PART_BYTES, type TenancyTools } from "./tools.ts";

export function ownChecks({ bucket, one: { name, caller } }: TenancyTools): Check[] {
  const at = (key: string): string => `/${bucket}/${name}/${key}`;
  const send = (method: string, key: string, headers: Record<string, string> = {}, body?: string | Uint8Array) =>
    assertDone(
      caller.s3(method, at(key), {
        headers,
        ...(body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }),
      }),
      `${method} ${key}`,
    );
  const keys = async (query: string) => {
    const page = await assertDone(caller.s3("GET", `/${bucket}?${query}`), query);
    return [...textsIn(page, "Key"), ...textsIn(page, "Prefix").slice(1)];
  };
  const source = (key: string) => ({ "x-amz-copy-source": at(key) });
  return [
    {
      name: `${name} puts, reads, tags, copies, renames and deletes below its own name`,
      async run() {
        await send("PUT", "a/report", { "x-amz-tagging": "color=blue" }, "0123456789");
        assert.equal(await send("GET", "a/report", { range: "bytes=3-5" }), "345");
        await send("HEAD", "a/report");
        assert.equal(textIn(await send("GET", "a/report?tagging"), "Value"), "blue");
        await send("PUT", "a/copy", source("a/report"));
        await send("PUT", "a/moved", { "x-amz-rename-source": at("a/copy") });
        assert.equal(await send("GET", "a/moved"), "0123456789");
        await send("DELETE", "a/moved");
        const { headers, body } = deletionOf(`${name}/a/report`, `${name}/a/never-put`);
        const deleted = await assertDone(caller.s3("POST", `/${bucket}?delete`, { headers, body }));
        assert.equal(textsIn(deleted, "Key").length, 2);
        assert.doesNotMatch(deleted, /<Error>/);
      },
    },
    {
      name: `${name} lists its own folder and what is below it, by both versions, with and without a delimiter`,
      async run() {
        for (const key of ["secret", "b/1", "b/2"]) await send("PUT", key, {}, `${key} of ${name}`);
        const all = ["b/1", "b/2", "secret"].map((key) => `${name}/${key}`);
        assert.deepEqual(await keys(`list-type=2&prefix=${name}%2F`), all);
        assert.deepEqual(await keys(`prefix=${name}/`), all);
        assert.deepEqual(await keys(`list-type=2&prefix=${name}%2Fb%2F`), all.slice(0, 2));
        assert.deepEqual(await keys(`list-type=2&prefix=${name}%2F&delimiter=%2F`), [`${name}/secret`, `${name}/b/`]);
      },
    },
    {
      name: `${name} uploads in parts, copies a part, lists parts, completes and aborts`,
      async run() {
        await send("PUT", "large", {}, Buffer.alloc(PART_BYTES, "l"));
        const id = textIn(await send("POST", "parts?uploads"), "UploadId");
        const part = await caller.s3("PUT", at(`parts?partNumber=1&uploadId=${id}`), {
          body: new Uint8Array(PART_BYTES),
        });
        const copied = await send("PUT", `parts?partNumber=2&uploadId=${id}`, source("large"));
        assert.equal(textsIn(await send("GET", `parts?uploadId=${id}`), "PartNumber").length, 2);
        const completion = completionOf(part.headers.get("etag") ?? "", textIn(copied, "ETag"));
        assert.match(await send("POST", `parts?uploadId=${id}`, {}, completion), /<ETag>/);
        assert.equal((await send("GET", "parts")).length, 2 * PART_BYTES);
        const other = textIn(await send("POST", "parts?uploads"), "UploadId");
        await send("DELETE", `parts?uploadId=${other}`);
        for (const key of ["large", "parts"]) await send("DELETE", key);
      },
    },
  ];
}
