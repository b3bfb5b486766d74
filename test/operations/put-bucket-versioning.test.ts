import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { utf8, md5Base64 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { bucketId } from "../support/stored-state.ts";
import { createUpload, putPart } from "../support/multipart.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { expectBalanced, expectUntouched, rowsOfId } from "../support/rows.ts";
import { bodyOf, deleteKey, putVersion, removeVersion, setVersioning, versionsOf } from "../support/versioning.ts";

async function statusOf(bucket: string): Promise<string | undefined> {
  return textOf(readXml(await (await send("GET", `/${bucket}?versioning`)).text()), "Status");
}

function configuration(content: string): string {
  return `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</VersioningConfiguration>`;
}

describe("PutBucketVersioning", () => {
  it("enables and suspends versioning, and returns 200 without a body", async () => {
    const bucket = await freshBucket();
    for (const status of ["Enabled", "Suspended", "Enabled"]) {
      const body = configuration(`<Status>${status}</Status>`);
      const response = await send("PUT", `/${bucket}?versioning`, { body });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe("");
      expectAnswerHeaders(response);
      expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 0, blobCalls: 0 });
      expect(await statusOf(bucket)).toBe(status);
    }
  });

  it("warns when a lifecycle rule expires objects that would stay as noncurrent versions", async () => {
    const rule = (id: string, content: string): string =>
      `<Rule><ID>${id}</ID><Filter/><Status>Enabled</Status>${content}</Rule>`;
    const expiring = rule("e", "<Expiration><Days>1</Days></Expiration>");
    const ending = rule(
      "n",
      "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>",
    );
    const forMarkers = rule(
      "m",
      "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
    );
    for (const [rules, status, isWarned] of [
      [expiring, "Enabled", true],
      [expiring, "Suspended", false],
      [expiring + ending, "Enabled", false],
      [forMarkers, "Enabled", false],
      [expiring.replace("Enabled", "Disabled"), "Enabled", false],
      ["", "Enabled", false],
    ] as const) {
      const bucket = await freshBucket();
      const body = `<LifecycleConfiguration>${rules}</LifecycleConfiguration>`;
      const headers = { "content-md5": md5Base64(utf8(body)) };
      if (rules !== "") expect((await send("PUT", `/${bucket}?lifecycle`, { body, headers })).status).toBe(200);
      const response = await send("PUT", `/${bucket}?versioning`, {
        body: configuration(`<Status>${status}</Status>`),
      });
      expect(response.status).toBe(200);
      expect(response.headers.has("warning"), `${rules} ${status}`).toBe(isWarned);
    }
  });

  it("accepts Suspended for a bucket whose versioning was never enabled", async () => {
    const bucket = await freshBucket();
    await setVersioning(bucket, "Suspended");
    expect(await statusOf(bucket)).toBe("Suspended");
  });

  it("keeps existing objects as their keys' null versions", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "before" });
    await setVersioning(bucket, "Enabled");
    expect(await versionsOf(bucket)).toEqual([{ kind: "Version", key: "k", versionId: "null", isLatest: true }]);
    const after = await putVersion(bucket, "k", "after");
    expect(after).toMatch(/^[0-9a-v]{32}$/);
    expect(await bodyOf(bucket, "k", "null")).toBe("before");
    expect(await bodyOf(bucket, "k")).toBe("after");
  });

  it("keeps every version while enabled: PUTs and delete markers stack, and an older version becomes current again", async () => {
    const bucket = await freshBucket();
    await setVersioning(bucket, "Enabled");
    const first = await putVersion(bucket, "k", "1");
    const below = await deleteKey(bucket, "k");
    const above = await deleteKey(bucket, "k");
    expect(new Set([first, below, above]).size).toBe(3);
    const current = await send("GET", `/${bucket}/k`);
    expect(current.headers.get("x-amz-delete-marker")).toBe("true");
    expect(current.headers.get("x-amz-version-id")).toBe(above);
    await expectS3Error(current, { status: 404, code: "NoSuchKey", fields: { Key: "k" } });
    for (const method of ["GET", "HEAD"]) {
      const byId = await send(method, `/${bucket}/k?versionId=${below}`);
      expect(byId.status).toBe(405);
      expect(byId.headers.get("allow")).toBe("DELETE");
      expect(byId.headers.get("x-amz-delete-marker")).toBe("true");
      expect(byId.headers.get("last-modified")).not.toBeNull();
      await byId.text();
    }
    expect(await bodyOf(bucket, "k", first)).toBe("1");
    const removed = await removeVersion(bucket, "k", above);
    expect(removed.headers.get("x-amz-delete-marker")).toBe("true");
    expect(removed.headers.get("x-amz-version-id")).toBe(above);
    expect(await bodyOf(bucket, "k")).toBe("404 NoSuchKey");
    await removeVersion(bucket, "k", below);
    expect(await bodyOf(bucket, "k")).toBe("1");
    const second = await putVersion(bucket, "k", "2");
    await removeVersion(bucket, "k", second);
    expect(await bodyOf(bucket, "k")).toBe("1");
    expect((await removeVersion(bucket, "k", "0".repeat(32))).headers.get("x-amz-version-id")).toBe("0".repeat(32));
    await expectBalanced(bucket);
  });

  it("replaces the null version while suspended, by objects and by markers, and keeps the others", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "before" });
    await setVersioning(bucket, "Enabled");
    const kept = await putVersion(bucket, "k", "kept");
    await setVersioning(bucket, "Suspended");
    const ids = async () => (await versionsOf(bucket)).map(({ kind, versionId }) => `${kind} ${versionId}`);
    // A PUT that creates a null version returns no version id.
    expect(await putVersion(bucket, "k", "null 1")).toBe("");
    expect(await ids()).toEqual(["Version null", `Version ${kept}`]);
    expect((await send("HEAD", `/${bucket}/k`)).headers.get("x-amz-version-id")).toBe("null");
    expect(await putVersion(bucket, "k", "null 2")).toBe("");
    expect(await bodyOf(bucket, "k", "null")).toBe("null 2");
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await deleteKey(bucket, "k")).toBe("null");
      expect(await ids()).toEqual(["DeleteMarker null", `Version ${kept}`]);
      expect(await bodyOf(bucket, "k")).toBe("404 NoSuchKey");
      expect(await bodyOf(bucket, "k", "null")).toBe("405 MethodNotAllowed");
    }
    await putVersion(bucket, "k", "null 3");
    expect(await ids()).toEqual(["Version null", `Version ${kept}`]);
    await removeVersion(bucket, "k", "null");
    expect(await bodyOf(bucket, "k")).toBe("kept");
    expect(await deleteKey(bucket, "never-there")).toBe("null");
    await setVersioning(bucket, "Enabled");
    const newer = await putVersion(bucket, "never-there", "x");
    expect((await versionsOf(bucket)).map(({ versionId }) => versionId)).toEqual([kept, newer, "null"]);
    await expectBalanced(bucket);
  });

  it("costs two rows for a PUT over an existing object once it is enabled", async () => {
    const bucket = await freshBucket();
    await setVersioning(bucket, "Enabled");
    await putVersion(bucket, "k", "1");
    const cost = costOf(await send("PUT", `/${bucket}/k`, { body: "2" }, IN_STORE));
    expect(cost).toMatchObject({ roundTrips: 2, rowsWritten: 2, coordinatorCalls: 1, blobCalls: 1 });
  });

  it("prevents the deletion of a bucket with a version or marker, but not with an open upload", async () => {
    const bucket = await freshBucket();
    await setVersioning(bucket, "Enabled");
    const version = await putVersion(bucket, "k", "x");
    const marker = await deleteKey(bucket, "k");
    const uploadId = await createUpload(bucket, "k");
    await putPart(bucket, "k", uploadId, 1, "part");
    const id = await bucketId(bucket);
    for (const versionId of [version, marker]) {
      await expectUntouched(bucket, async () =>
        expectS3Error(await send("DELETE", `/${bucket}`), {
          status: 409,
          code: "BucketNotEmpty",
          message: "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
          fields: { BucketName: bucket },
        }),
      );
      await removeVersion(bucket, "k", versionId);
    }
    expect((await send("DELETE", `/${bucket}`)).status).toBe(204);
    const rows = await rowsOfId(id);
    expect(rows["uploads"]).toEqual([]);
    expect(rows["garbage"]).toHaveLength(rows["blobs"]?.length ?? -1);
    await send("PUT", `/${bucket}`);
    expect((await send("GET", `/${bucket}/k?uploadId=${uploadId}`)).status).toBe(404);
  });

  it("verifies a digest that is sent", async () => {
    const bucket = await freshBucket();
    const body = configuration("<Status>Enabled</Status>");
    const wrong = { "content-md5": md5Base64(utf8("something else")) };
    await expectUntouched(bucket, async () =>
      expectS3Error(await send("PUT", `/${bucket}?versioning`, { body, headers: wrong }), {
        status: 400,
        code: "BadDigest",
        fields: { ExpectedDigest: md5Base64(utf8("something else")), CalculatedDigest: md5Base64(utf8(body)) },
      }),
    );
    const headers = { "content-md5": md5Base64(utf8(body)) };
    expect((await send("PUT", `/${bucket}?versioning`, { body, headers })).status).toBe(200);
    expect(await statusOf(bucket)).toBe("Enabled");
  });

  it.each([
    ["no status", configuration(""), 400, "IllegalVersioningConfigurationException", {}],
    ["another status", configuration("<Status>On</Status>"), 400, "MalformedXML", {}],
    ["a status in lower case", configuration("<Status>enabled</Status>"), 400, "MalformedXML", {}],
    ["two statuses", configuration("<Status>Enabled</Status><Status>Enabled</Status>"), 400, "MalformedXML", {}],
    ["another element", configuration("<State>Enabled</State>"), 400, "MalformedXML", {}],
    ["another document", "<Versioning><Status>Enabled</Status></Versioning>", 400, "MalformedXML", {}],
    ["no XML", "Enabled", 400, "MalformedXML", {}],
    ["nothing", "", 400, "MalformedXML", {}],
    [
      "MFA delete",
      configuration("<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>"),
      501,
      "NotImplemented",
      { Header: "MfaDelete" },
    ],
  ] as const)("refuses %s and changes nothing", async (_name, body, status, code, fields) => {
    const bucket = await freshBucket();
    await expectUntouched(bucket, async () =>
      expectS3Error(await send("PUT", `/${bucket}?versioning`, { body }), { status, code, fields }),
    );
    expect(await statusOf(bucket)).toBeUndefined();
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const body = configuration("<Status>Enabled</Status>");
    const missing = freshBucketName();
    await expectS3Error(await send("PUT", `/${missing}?versioning`, { body }), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await freshBucket();
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("PUT", `/${bucket}?versioning`, { body })), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });
});
