// CompleteMultipartUpload: the created object, repeated and concurrent completions, versions.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectBytes, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { storedStateOf } from "../support/stored-state.ts";
import { completionOf, joined, sendCompletion, sendPart, uploadInParts } from "../support/multipart.ts";
import { namesOf, textOf } from "../support/read-xml.ts";
import { expectBalanced, expectUntouched } from "../support/rows.ts";
import { bodyOf, deleteKey, putVersion, setVersioning, versionedBucket, versionsOf } from "../support/versioning.ts";
import {
  LARGE,
  LARGER,
  LAST,
  answerOf,
  base64,
  digestOf,
  etagOf,
  uploadOf,
} from "./complete-multipart-upload-fixture.ts";

describe("CompleteMultipartUpload", () => {
  it("creates an object of the parts and returns its ETag, checksum and location", async () => {
    const bucket = await freshBucket();
    const bodies = [LARGE, LARGER, LAST];
    const { uploadId, parts } = await uploadOf(bucket, bodies);
    const response = await sendCompletion(bucket, "k", uploadId, parts);
    expect(response.headers.get("content-type")).toBe("application/xml");
    expect(response.headers.get("x-amz-version-id")).toBeNull();
    expectAnswerHeaders(response);
    const root = await answerOf(response);
    expect(root.name).toBe("CompleteMultipartUploadResult");
    expect(root.attributes).toEqual({ xmlns: "http://s3.amazonaws.com/doc/2006-03-01/" });
    expect(namesOf(root)).toEqual(["Location", "Bucket", "Key", "ETag", "ChecksumCRC64NVME", "ChecksumType"]);
    const whole = joined(bodies);
    expect(["Bucket", "Key", "ETag", "ChecksumCRC64NVME", "ChecksumType"].map((name) => textOf(root, name))).toEqual([
      bucket,
      "k",
      `"${etagOf(bodies)}"`,
      base64(digestOf("CRC64NVME", whole)),
      "FULL_OBJECT",
    ]);
    const read = await send("GET", `/${bucket}/k`);
    expect(read.headers.get("etag")).toBe(`"${etagOf(bodies)}"`);
    expect(read.headers.get("content-length")).toBe(String(whole.length));
    expect(read.headers.get("x-amz-mp-parts-count")).toBeNull();
    await expectBytes(read, whole);
    await expectBalanced(bucket);
  });

  it("returns the object's URL under the host of the request", async () => {
    const bucket = await freshBucket();
    const key = "dir/a b+cé?.txt";
    const path = "dir/a%20b%2Bc%C3%A9%3F.txt";
    const complete = async (target: string, endpoint: string): Promise<string | undefined> => {
      const created = await send("POST", `${target}?uploads`, { endpoint });
      const uploadId = textOf(await answerOf(created), "UploadId") ?? "";
      const part = await send("PUT", `${target}?partNumber=1&uploadId=${uploadId}`, { endpoint, body: "x" });
      const body = completionOf([{ partNumber: 1, etag: part.headers.get("etag") ?? "" }]);
      const root = await answerOf(await send("POST", `${target}?uploadId=${uploadId}`, { endpoint, body }));
      expect(textOf(root, "Key")).toBe(key);
      return textOf(root, "Location");
    };
    const ofPath = `/${bucket}/${path}`;
    expect(await complete(ofPath, "http://localhost:9000")).toBe(`http://localhost:9000${ofPath}`);
    const host = `https://${bucket}.s3.example.com`;
    expect(await complete(`/${path}`, host)).toBe(`${host}/${path}`);
  });

  it("accepts parts uploaded in any order, with gaps, and discards unlisted parts", async () => {
    const bucket = await freshBucket();
    const { uploadId, parts } = await uploadOf(bucket, [LAST, LARGER, "unlisted", LARGE], {}, [10_000, 70, 5, 3]);
    const [last, larger, , large] = parts;
    const listed = [large, larger, last].flatMap((part) => part ?? []);
    expect((await sendCompletion(bucket, "k", uploadId, listed)).status).toBe(200);
    await expectBytes(await send("GET", `/${bucket}/k`), joined([LARGE, LARGER, LAST]));
    const { garbage } = await storedStateOf(bucket);
    expect(garbage).toHaveLength(1);
    expect((await storedStateOf(bucket)).blobs[garbage[0] ?? ""]).toBe("unlisted".length);
    await expectBalanced(bucket);
  });

  it.each([
    ["one part", [LAST]],
    ["one part of nothing", [utf8("")]],
    ["a last part of nothing", [LARGE, utf8("")]],
    ["a last part larger than the others", [LARGE, LARGER]],
  ] as const)("creates an object of %s", async (_name, bodies) => {
    const bucket = await freshBucket();
    const { uploadId, parts } = await uploadOf(bucket, bodies);
    const root = await answerOf(await sendCompletion(bucket, "k", uploadId, parts));
    expect(textOf(root, "ETag")).toBe(`"${etagOf(bodies)}"`);
    await expectBytes(await send("GET", `/${bucket}/k`), joined(bodies));
    await expectBalanced(bucket);
  });

  it("accepts ETags with quotes, without, and escaped", async () => {
    for (const write of [
      (etag: string) => etag.replaceAll('"', ""),
      (etag: string) => etag.replaceAll('"', "&quot;"),
    ]) {
      const bucket = await freshBucket();
      const { uploadId, parts } = await uploadOf(bucket, ["x"]);
      const listed = parts.map(({ partNumber, etag }) => ({ partNumber, etag: write(etag) }));
      expect((await sendCompletion(bucket, "k", uploadId, listed)).status).toBe(200);
    }
  });

  it("costs at most three round trips, and one row per part for its deletion", async () => {
    const bucket = await freshBucket();
    const costs = [];
    for (const count of [2, 4]) {
      const { uploadId, parts } = await uploadOf(bucket, [...Array.from({ length: count - 1 }, () => LARGE), LAST]);
      const cost = costOf(await sendCompletion(bucket, "k", uploadId, parts));
      expect(cost.roundTrips).toBeLessThanOrEqual(3);
      expect(cost).toMatchObject({ coordinatorCalls: 1, blobCalls: 1 });
      costs.push(cost.rowsWritten - count);
      await send("DELETE", `/${bucket}/k`);
    }
    expect(costs[1]).toBe(costs[0]);
    expect(costs[0]).toBeLessThanOrEqual(4);
  });

  describe("repeated", () => {
    it("returns the same response for the same list after the key was overwritten or deleted", async () => {
      const bucket = await freshBucket();
      const { uploadId, parts } = await uploadOf(bucket, [LARGE, LAST]);
      const first = await answerOf(await sendCompletion(bucket, "k", uploadId, parts));
      for (const meanwhile of [
        async () => undefined,
        () => putAll(bucket, { k: "newer" }),
        () => deleteKey(bucket, "k"),
      ]) {
        await meanwhile();
        await expectUntouched(bucket, async () => {
          const again = await sendCompletion(bucket, "k", uploadId, parts);
          expect(costOf(again)).toMatchObject({ roundTrips: 1, rowsWritten: 0 });
          expect(await answerOf(again)).toEqual(first);
        });
      }
    });

    it("names the version that it created in a versioned bucket", async () => {
      const bucket = await versionedBucket();
      const { uploadId, parts } = await uploadOf(bucket, ["x"]);
      const first = (await sendCompletion(bucket, "k", uploadId, parts)).headers.get("x-amz-version-id");
      await putVersion(bucket, "k", "newer");
      const again = await sendCompletion(bucket, "k", uploadId, parts);
      expect(again.status).toBe(200);
      expect(again.headers.get("x-amz-version-id")).toBe(first);
      expect(await versionsOf(bucket)).toHaveLength(2);
    });

    it("is rejected with another list", async () => {
      const bucket = await freshBucket();
      const { uploadId, parts } = await uploadOf(bucket, [LARGE, LAST]);
      await sendCompletion(bucket, "k", uploadId, parts);
      await expectUntouched(bucket, async () =>
        expectS3Error(await sendCompletion(bucket, "k", uploadId, parts.slice(0, 1)), {
          status: 404,
          code: "NoSuchUpload",
          fields: { UploadId: uploadId },
        }),
      );
    });

    it("concurrently creates one object and returns the same response", async () => {
      const bucket = await versionedBucket();
      const { uploadId, parts } = await uploadOf(bucket, ["x"]);
      const responses = await Promise.all([1, 2, 3, 4].map(() => sendCompletion(bucket, "k", uploadId, parts)));
      expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      expect(new Set(responses.map(({ headers }) => headers.get("x-amz-version-id"))).size).toBe(1);
      expect(await versionsOf(bucket)).toHaveLength(1);
      await expectBalanced(bucket);
    });
  });

  it("creates the object of one list when concurrent completions differ", async () => {
    const bucket = await freshBucket();
    const { uploadId, parts } = await uploadOf(bucket, [LARGE, LAST]);
    const [first, second] = parts.map((part) => [part]);
    const responses = await Promise.all(
      [first, second].map((list) => sendCompletion(bucket, "k", uploadId, list ?? [])),
    );
    const statuses = responses.map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 404]);
    await expectBytes(await send("GET", `/${bucket}/k`), statuses[0] === 200 ? LARGE : LAST);
    await expectBalanced(bucket);
  });

  it("uses the listed parts or none while one is concurrently replaced", async () => {
    for (let turn = 0; turn < 6; turn += 1) {
      const bucket = await freshBucket();
      const { uploadId, parts } = await uploadOf(bucket, ["first"]);
      const [completed, part] = await Promise.all([
        sendCompletion(bucket, "k", uploadId, parts),
        sendPart(bucket, "k", uploadId, 1, "second"),
      ]);
      expect([
        [200, 404],
        [400, 200],
        [200, 200],
      ]).toContainEqual([completed.status, part.status]);
      if (completed.status === 200) expect(await bodyOf(bucket, "k")).toBe("first");
      await expectBalanced(bucket);
    }
  });

  describe("in a bucket with versions", () => {
    it("creates and names a version, and keeps the existing one", async () => {
      const bucket = await versionedBucket();
      const old = await putVersion(bucket, "k", "old");
      const versionId = (await uploadInParts(bucket, "k", ["new"])).headers.get("x-amz-version-id") ?? "";
      expect(versionId).toMatch(/^[0-9a-v]{32}$/);
      expect(await bodyOf(bucket, "k", versionId)).toBe("new");
      expect(await bodyOf(bucket, "k", old)).toBe("old");
    });

    it("replaces the null version while versioning is suspended, and names none", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "null" });
      await setVersioning(bucket, "Enabled");
      const kept = await putVersion(bucket, "k", "kept");
      await setVersioning(bucket, "Suspended");
      expect((await uploadInParts(bucket, "k", ["new null"])).headers.get("x-amz-version-id")).toBeNull();
      expect((await versionsOf(bucket)).map(({ versionId }) => versionId)).toEqual(["null", kept]);
      expect(await bodyOf(bucket, "k", "null")).toBe("new null");
      await expectBalanced(bucket);
    });

    it("costs no more than without versioning, except for the noncurrent version", async () => {
      const bucket = await versionedBucket();
      await putVersion(bucket, "k", "old");
      const cost = costOf(await uploadInParts(bucket, "k", ["new"]));
      expect(cost.roundTrips).toBeLessThanOrEqual(3);
      expect(cost.rowsWritten).toBeLessThanOrEqual(6);
    });
  });
});
