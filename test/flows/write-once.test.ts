// The write-once policy of docs/access.md, against every operation.
import { describe, expect, it } from "vitest";

import { send, type SendOptions } from "../support/client.ts";
import { formOf, sendForm, signPolicy } from "../support/forms.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { completionOf, createUpload, putPart } from "../support/multipart.ts";
import { documented, PREPARATIONS } from "../support/operation-requests.ts";
import { putPolicy } from "../support/policies.ts";
import { childrenOf, readXml, textOf } from "../support/read-xml.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import { freshUser, type TestUser } from "../support/users.ts";
import { bodyOf, setVersioning } from "../support/versioning.ts";

const [GUIDE = ""] = Object.values(
  import.meta.glob<string>("../../docs/access.md", { query: "?raw", import: "default", eager: true }),
);
const POLICY = /```json\n(\{[^`]*"WriteOnce"[^`]*\})\n```/.exec(GUIDE)?.[1] ?? "";

const ALL = { Effect: "Allow", Action: "s3:*", Resource: "*" };
const ADD = { "if-none-match": "*" };

async function closeForOverwriting(bucket: string): Promise<void> {
  const text = POLICY.replaceAll("checkpoints", bucket);
  expect((await putPolicy(bucket, text)).status).toBe(204);
}

/** Every version of a bucket, and the current ones. */
async function holdingsOf(bucket: string): Promise<string[]> {
  const listing = readXml(await (await send("GET", `/${bucket}?versions`)).text());
  return childrenOf(listing, "Version").map((version) =>
    ["Key", "VersionId", "ETag", "IsLatest"].map((name) => textOf(version, name)).join(" "),
  );
}

/** A bucket with two objects and the write-once policy. */
async function closedBucket(isVersioned = false) {
  const bucket = await freshBucket();
  if (isVersioned) await setVersioning(bucket, "Enabled");
  await putAll(bucket, { k: "first", other: "second" });
  await closeForOverwriting(bucket);
  return bucket;
}

describe("the write-once policy", () => {
  const POLICY_CHANGES = new Set(["PutBucketPolicy", "DeleteBucketPolicy"]);

  it.each(Object.keys(PREPARATIONS))("preserves all existing objects from %s", async (name) => {
    const { credentials } = await freshUser(ALL);
    for (const prepare of PREPARATIONS[name] ?? []) {
      // Only root may replace the policy.
      for (const requester of POLICY_CHANGES.has(name) ? [{ credentials }] : [{ credentials }, {}]) {
        const { method, target, options } = await prepare();
        const bucket = /^\/([a-z0-9.-]+)/.exec(target)?.[1];
        if (bucket === undefined || (await send("HEAD", `/${bucket}`)).status !== 200) continue;
        await closeForOverwriting(bucket);
        const before = await holdingsOf(bucket);
        await (await send(method, target, { ...options, ...requester })).arrayBuffer();
        // An empty bucket may be deleted.
        const after = before.length === 0 ? [] : await holdingsOf(bucket);
        expect(after, `${method} ${target}`).toEqual(expect.arrayContaining(before));
      }
    }
  });

  const ATTEMPTS: readonly (readonly [string, string, string, SendOptions])[] = [
    ["a put", "PUT", "/k", { body: "x" }],
    ["a put with If-Match", "PUT", "/k", { body: "x", headers: { "if-match": "8b04d5e3775d298e78455efc5ca404d5" } }],
    ["a copy", "PUT", "/k", { headers: { "x-amz-copy-source": "BUCKET/other" } }],
    [
      "a copy onto itself",
      "PUT",
      "/k",
      { headers: { "x-amz-copy-source": "BUCKET/k", "x-amz-metadata-directive": "REPLACE" } },
    ],
    ["a rename onto it", "PUT", "/k", { headers: { "x-amz-rename-source": "other" } }],
    ["a rename away", "PUT", "/new", { headers: { "x-amz-rename-source": "k" } }],
    ["a rename away that overwrites nothing", "PUT", "/new", { headers: { "x-amz-rename-source": "k", ...ADD } }],
    ["a delete", "DELETE", "/k", {}],
    ["a delete with headers it ignores", "DELETE", "/k", { headers: ADD }],
    ["a delete of the version", "DELETE", "/k?versionId=null", {}],
    ["a batch delete", "POST", "?delete", documented("<Delete><Object><Key>k</Key></Object></Delete>")],
    [
      "a lifecycle rule",
      "PUT",
      "?lifecycle",
      documented(
        "<LifecycleConfiguration><Rule><ID>r</ID><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
      ),
    ],
    ["another policy", "PUT", "?policy", { body: '{"Version":"2012-10-17","Statement":[]}' }],
    ["no policy", "DELETE", "?policy", {}],
    ["deleting the bucket", "DELETE", "", {}],
  ];

  it.each(ATTEMPTS)("rejects %s", async (_what, method, target, options) => {
    const bucket = await closedBucket();
    const before = await holdingsOf(bucket);
    const { credentials } = await freshUser(ALL);
    const headers = Object.fromEntries(
      Object.entries(options.headers ?? {}).map(([name, value]) => [name, value.replace("BUCKET", bucket)]),
    );
    const response = await send(method, `/${bucket}${target}`, { ...options, headers, credentials });
    const text = await response.text();
    if (target === "?delete") expect(text).toContain("<Code>AccessDenied</Code>");
    else expect(response.status, text).toBe(method === "DELETE" && target === "" ? 409 : 403);
    expect(await holdingsOf(bucket)).toEqual(before);
  });

  it("rejects a completion unless it overwrites nothing", async () => {
    const bucket = await closedBucket();
    const { credentials } = await freshUser(ALL);
    const complete = async (key: string, headers: Record<string, string>) => {
      const uploadId = await createUpload(bucket, key);
      const body = completionOf([await putPart(bucket, key, uploadId, 1, "x")]);
      return (await send("POST", `/${bucket}/${key}?uploadId=${uploadId}`, { body, headers, credentials })).status;
    };
    expect(await complete("k", {})).toBe(403);
    expect(await complete("k", ADD)).toBe(412);
    expect(await complete("new", ADD)).toBe(200);
    expect(await bodyOf(bucket, "k")).toBe("first");
  });

  it("rejects a POST form, also with the header or a field of its name", async () => {
    const bucket = await closedBucket();
    for (const fields of [{ key: "k" }, { key: "k", "If-None-Match": "*" }]) {
      const conditions = [{ bucket }, ...Object.entries(fields).map(([name, value]) => ({ [name]: value }))];
      const signed = Object.entries({ ...fields, ...signPolicy(conditions) });
      for (const headers of [{}, ADD]) {
        expect((await sendForm(bucket, formOf([...signed, ["file", "x", "f.bin"]]), headers)).status).not.toBe(204);
      }
    }
    expect(await bodyOf(bucket, "k")).toBe("first");
  });

  it("rejects the restoration of a snapshot, with any headers", async () => {
    const bucket = await freshBucket();
    await setVersioning(bucket, "Enabled");
    await putAll(bucket, { k: "old" });
    await takeSnapshot(bucket, "s");
    await putAll(bucket, { k: "new", late: "x" });
    await closeForOverwriting(bucket);
    const { credentials }: TestUser = await freshUser(ALL);
    for (const headers of [{}, ADD] as Record<string, string>[]) {
      for (const requester of [{ credentials }, {}]) {
        const response = await send("POST", `/${bucket}?restoreSnapshot=s`, { headers, ...requester });
        expect(response.status).toBe(403);
      }
    }
    expect([await bodyOf(bucket, "k"), await bodyOf(bucket, "late")]).toEqual(["new", "x"]);
  });

  it("accepts puts and copies that overwrite nothing, and rejects all overwrites", async () => {
    const bucket = await closedBucket(true);
    const { credentials } = await freshUser(ALL);
    const put = (key: string, headers: Record<string, string>, requester: SendOptions = { credentials }) =>
      send("PUT", `/${bucket}/${key}`, { headers: { ...headers, ...ADD }, ...requester });
    expect((await put("new", {})).status).toBe(200);
    expect((await put("copy", { "x-amz-copy-source": `${bucket}/k` })).status).toBe(200);
    expect((await put("k", {})).status).toBe(412);
    expect((await send("PUT", `/${bucket}/k`, { body: "x" })).status).toBe(403);
    expect((await send("DELETE", `/${bucket}/k`)).status).toBe(403);
    expect((await send("DELETE", `/${bucket}?policy`)).status).toBe(204);
    expect((await send("DELETE", `/${bucket}/k`)).status).toBe(204);
  });
});
