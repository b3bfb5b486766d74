// The storage classes of docs/lifecycle.md in every request that can contain one.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { post } from "../support/forms.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { completionOf, createUpload, putPart } from "../support/multipart.ts";

const CLASSES: readonly (readonly [asked: string, shown: string | null])[] = [
  ["STANDARD", null],
  ["REDUCED_REDUNDANCY", "REDUCED_REDUNDANCY"],
  ["STANDARD_IA", "STANDARD_IA"],
  ["ONEZONE_IA", "ONEZONE_IA"],
  ["INTELLIGENT_TIERING", "INTELLIGENT_TIERING"],
  ["GLACIER_IR", "GLACIER_IR"],
  ["GLACIER", "GLACIER_IR"],
  ["DEEP_ARCHIVE", "GLACIER_IR"],
];

describe.each(CLASSES)("the storage class %s", (asked, shown) => {
  const headers = { "x-amz-storage-class": asked };

  async function expectStored(bucket: string, text: string): Promise<void> {
    const head = await send("HEAD", `/${bucket}/k`);
    expect(head.headers.get("x-amz-storage-class")).toBe(shown);
    expect(await (await send("GET", `/${bucket}/k`)).text()).toBe(text);
    const listed = await (await send("GET", `/${bucket}?list-type=2&prefix=k`)).text();
    expect(listed).toContain(`<StorageClass>${shown ?? "STANDARD"}</StorageClass>`);
  }

  it("is accepted by PutObject", async () => {
    const bucket = await freshBucket();
    expect((await send("PUT", `/${bucket}/k`, { headers, body: "put" })).status).toBe(200);
    await expectStored(bucket, "put");
  });

  it("is accepted by CopyObject, also of an object onto itself", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { from: "copied" });
    const copy = (source: string) =>
      send("PUT", `/${bucket}/k`, { headers: { ...headers, "x-amz-copy-source": `${bucket}/${source}` } });
    expect((await copy("from")).status).toBe(200);
    expect((await copy("k")).status).toBe(200);
    await expectStored(bucket, "copied");
  });

  it("is accepted by a form", async () => {
    const bucket = await freshBucket();
    expect((await post(bucket, { key: "k", ...headers }, "posted")).status).toBe(204);
    await expectStored(bucket, "posted");
  });

  it("is accepted by a multipart upload", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k", headers);
    const part = await putPart(bucket, "k", uploadId, 1, "parts");
    const completed = await send("POST", `/${bucket}/k?uploadId=${uploadId}`, { body: completionOf([part]) });
    expect(completed.status).toBe(200);
    await expectStored(bucket, "parts");
  });
});
