// Appends beside Cairn's other features: quotas, locks, snapshots, events, annotations, lists, policies, storage classes,
// copied parts, damaged blobs.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { annotate, namesOf } from "../support/annotations.ts";
import { aclBucket, grantsOf, PUBLIC_READ } from "../support/acl.ts";
import { appendAll, expectContent, sendAppend } from "../support/appends.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send } from "../support/client.ts";
import { md5Base64, noise, utf8 } from "../support/digests.ts";
import { mockErrorLog } from "../support/error-log.ts";
import { eventsOf, recordAll } from "../support/events.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { r2With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { runPass } from "../support/jobs.ts";
import { createUpload, joined, putPart, sendCompletion, uploadInParts } from "../support/multipart.ts";
import { inDays, lockedBucket, retentionHeaders } from "../support/object-lock.ts";
import { setQuota } from "../support/quotas.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import { expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { freshUser } from "../support/users.ts";
import { versionedBucket } from "../support/versioning.ts";

mockErrorLog();

const HOUR_MS = 3_600_000;
const LONG = noise(200_000);

describe("an append", () => {
  it("counts against the bucket's quota by the bytes that it adds", async () => {
    const bucket = await freshBucket();
    await appendAll(bucket, "k", [LONG]);
    await setQuota(bucket, "<MaxBytes>200010</MaxBytes>");
    await appendAll(bucket, "k", ["12345"], {}, 200_000);
    await expectNoTrace(bucket, async () =>
      expectS3Error(await sendAppend(bucket, "k", 200_005, "123456"), { status: 403, code: "QuotaExceeded" }),
    );
    await appendAll(bucket, "k", ["67890"], {}, 200_005);
    await expectContent(bucket, "k", joined([LONG, utf8("1234567890")]));
  });

  it("makes a new version in a bucket with Object Lock, and leaves the lock of the older one", async () => {
    const bucket = await lockedBucket();
    const locked = { ...retentionHeaders("COMPLIANCE", 5), "content-md5": md5Base64(LONG) };
    const first = await send("PUT", `/${bucket}/k`, { body: LONG, headers: locked });
    const oldId = first.headers.get("x-amz-version-id") ?? "";
    await appendAll(bucket, "k", ["more"], {}, LONG.length);
    expect((await send("HEAD", `/${bucket}/k`)).headers.get("x-amz-object-lock-mode")).toBeNull();
    const relocked = { ...retentionHeaders("GOVERNANCE", 1), "content-md5": md5Base64(utf8("!")) };
    await appendAll(bucket, "k", ["!"], relocked, LONG.length + 4);
    expect((await send("HEAD", `/${bucket}/k`)).headers.get("x-amz-object-lock-mode")).toBe("GOVERNANCE");
    await expectS3Error(await sendAppend(bucket, "k", LONG.length + 5, "?", retentionHeaders("GOVERNANCE", 1)), {
      status: 400,
      code: "InvalidRequest",
    });
    const old = await send("HEAD", `/${bucket}/k?versionId=${oldId}`);
    expect(old.headers.get("x-amz-object-lock-mode")).toBe("COMPLIANCE");
    expect(Date.parse(old.headers.get("x-amz-object-lock-retain-until-date") ?? "")).toBeGreaterThan(
      Date.parse(inDays(4)),
    );
    expect((await send("DELETE", `/${bucket}/k?versionId=${oldId}`)).status).toBe(403);
    await expectContent(bucket, "k", joined([LONG, utf8("more!")]));
  });

  it("leaves what a snapshot shows", async () => {
    const bucket = await versionedBucket();
    await appendAll(bucket, "k", [LONG, "before"]);
    const address = await takeSnapshot(bucket, "then");
    await appendAll(bucket, "k", ["after"], {}, LONG.length + 6);
    await runPass(collectGarbage, Date.now() + 48 * HOUR_MS);
    const then = await send("GET", `/${address}/k`);
    expect((await then.bytes()).length).toBe(LONG.length + 6);
    await expectContent(bucket, "k", joined([LONG, utf8("beforeafter")]));
    await expectSoundReferences(bucket);
  });

  it("reports an event like any PutObject", async () => {
    const bucket = await freshBucket();
    await recordAll(bucket);
    await appendAll(bucket, "k", ["one", "two"]);
    const events = await eventsOf(bucket);
    expect(events).toHaveLength(2);
    expect(new Set(events).size).toBe(1);
  });

  it("keeps annotations", async () => {
    const bucket = await freshBucket();
    for (const body of ["short", LONG]) {
      await send("PUT", `/${bucket}/k`, { body });
      expect((await annotate(`${bucket}/k`, "note", "text")).status).toBe(200);
      await appendAll(bucket, "k", ["more", "again"], {}, body.length);
      expect((await namesOf(`${bucket}/k`)).names).toEqual(["note"]);
    }
  });

  it("keeps the list, and refuses another one", async () => {
    const bucket = await aclBucket();
    await send("PUT", `/${bucket}/k`, { body: "12345", headers: { "x-amz-acl": "public-read" } });
    await appendAll(bucket, "k", ["6"], {}, 5);
    expect(await grantsOf(`${bucket}/k?acl`)).toEqual(PUBLIC_READ);
    await expectS3Error(await sendAppend(bucket, "k", 6, "7", { "x-amz-acl": "public-read-write" }), {
      status: 400,
      code: "InvalidRequest",
      message: "Cannot specify both a write offset value and an access control list for existing objects.",
    });
  });

  it("needs s3:PutObject, and to read only with If-Match", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "12345" });
    const { etag = "" } = (await storedStateOf(bucket)).objects["k"] ?? {};
    const resource = `arn:aws:s3:::${bucket}/*`;
    const writer = await freshUser({ Effect: "Allow", Action: "s3:PutObject", Resource: resource });
    const as = (credentials: typeof writer.credentials, headers: Record<string, string>) =>
      send("PUT", `/${bucket}/k`, { body: "6", headers: { "x-amz-write-offset-bytes": "5", ...headers }, credentials });
    expect((await as(writer.credentials, { "if-match": etag })).status).toBe(403);
    const reader = await freshUser({ Effect: "Allow", Action: "s3:GetObject", Resource: resource });
    expect((await as(reader.credentials, {})).status).toBe(403);
    expect((await as(writer.credentials, {})).status).toBe(200);
  });

  it("stores its blobs in the object's storage class", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: LONG, headers: { "x-amz-storage-class": "STANDARD_IA" } });
    const classes: unknown[] = [];
    const BLOBS = r2With({
      put: async (key, body, options) => {
        if (!key.endsWith("-proof")) classes.push(options.storageClass);
        return env.BLOBS.put(key, body, options);
      },
    });
    expect((await sendAppend(bucket, "k", LONG.length, "more", {}, { BLOBS })).status).toBe(200);
    expect((await sendAppend(bucket, "k", LONG.length + 4, "again", {}, { BLOBS })).status).toBe(200);
    expect(classes).toEqual(["InfrequentAccess", "InfrequentAccess"]);
  });

  it("continues an object of parts that were copied from others, which may be deleted", async () => {
    const bucket = await freshBucket();
    const large = noise(5 * 1024 ** 2, 3);
    await uploadInParts(bucket, "source", [large, "end of the source"]);
    const uploadId = await createUpload(bucket, "k");
    const headers = { "x-amz-copy-source": `/${bucket}/source` };
    const copied = await send("PUT", `/${bucket}/k?partNumber=1&uploadId=${uploadId}`, { headers });
    const etag = textOf(readXml(await copied.text()), "ETag") ?? "";
    const last = await putPart(bucket, "k", uploadId, 3, "last");
    expect((await sendCompletion(bucket, "k", uploadId, [{ partNumber: 1, etag }, last])).status).toBe(200);
    const whole = joined([large, utf8("end of the sourcelast, and more")]);
    await appendAll(bucket, "k", [", and", " more"], {}, large.length + 21);
    await send("DELETE", `/${bucket}/source`);
    for (const hours of [48, 96]) await runPass(collectGarbage, Date.now() + hours * HOUR_MS);
    await expectContent(bucket, "k", whole);
    await expectSoundReferences(bucket);
    await send("DELETE", `/${bucket}/k`);
    for (const hours of [48, 96, 144, 192]) await runPass(collectGarbage, Date.now() + hours * HOUR_MS);
    const { blobs, garbage } = await storedStateOf(bucket);
    expect({ blobs, garbage }).toEqual({ blobs: {}, garbage: [] });
  });

  it.each(["flipped", "missing"])("gives no new checksum to bytes that it merges and finds %s", async (damage) => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "12345" }, IN_STORE);
    const { blob_id: id = "" } = (await storedStateOf(bucket)).objects["k"] ?? {};
    if (damage === "missing") await env.BLOBS.delete(id);
    else await env.BLOBS.put(id, "12346");
    expect((await sendAppend(bucket, "k", 5, "6")).status).toBeGreaterThanOrEqual(500);
    expect((await storedStateOf(bucket)).objects["k"]?.size).toBe(5);
  });
});
