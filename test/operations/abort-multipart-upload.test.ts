import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { storedStateOf } from "../support/stored-state.ts";
import { createUpload, putPart, sendCompletion, sendPart } from "../support/multipart.ts";
import { expectBalanced, expectUntouched, rowsOf } from "../support/rows.ts";
import { bodyOf } from "../support/versioning.ts";

function abort(bucket: string, key: string, uploadId: string): Promise<Response> {
  return send("DELETE", `/${bucket}/${key}?uploadId=${uploadId}`);
}

describe("AbortMultipartUpload", () => {
  it("aborts the upload, turns its parts into garbage and returns 204 without a body", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    await putPart(bucket, "k", uploadId, 1, "one");
    await putPart(bucket, "k", uploadId, 7, "seven");
    const response = await abort(bucket, "k", uploadId);
    expect(response.status).toBe(204);
    expect(response.body).toBeNull();
    expectAnswerHeaders(response);
    const { blobs, garbage } = await storedStateOf(bucket);
    expect(garbage).toEqual(Object.keys(blobs));
    expect(garbage).toHaveLength(2);
    const rows = await rowsOf(bucket);
    expect(rows["uploads"]).toEqual([]);
    expect(rows["parts"]).toEqual([]);
    await expectBalanced(bucket);
  });

  it("does not affect the key and its other uploads", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "as it was" });
    const [aborted, other] = [await createUpload(bucket, "k"), await createUpload(bucket, "k")];
    await putPart(bucket, "k", aborted, 1, "x");
    const part = await putPart(bucket, "k", other, 1, "new");
    expect((await abort(bucket, "k", aborted)).status).toBe(204);
    expect(await bodyOf(bucket, "k")).toBe("as it was");
    expect((await sendCompletion(bucket, "k", other, [part])).status).toBe(200);
    expect(await bodyOf(bucket, "k")).toBe("new");
    await expectBalanced(bucket);
  });

  it("costs two round trips, and rows for what it deletes", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    for (const number of [1, 2, 3]) await putPart(bucket, "k", uploadId, number, "x");
    const cost = costOf(await abort(bucket, "k", uploadId));
    expect(cost).toMatchObject({ roundTrips: 2, rowsWritten: 7, coordinatorCalls: 0, blobCalls: 0 });
  });

  it("makes every later use of the upload's id return NoSuchUpload", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    const part = await putPart(bucket, "k", uploadId, 1, "x");
    await abort(bucket, "k", uploadId);
    await expectUntouched(bucket, async () => {
      for (const response of [
        await abort(bucket, "k", uploadId),
        await sendPart(bucket, "k", uploadId, 2, "y"),
        await sendCompletion(bucket, "k", uploadId, [part]),
        await send("GET", `/${bucket}/k?uploadId=${uploadId}`),
      ]) {
        await expectS3Error(response, { status: 404, code: "NoSuchUpload", fields: { UploadId: uploadId } });
      }
    });
  });

  it("does not undo an earlier completion", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    const part = await putPart(bucket, "k", uploadId, 1, "whole");
    await sendCompletion(bucket, "k", uploadId, [part]);
    await expectUntouched(bucket, async () =>
      expectS3Error(await abort(bucket, "k", uploadId), {
        status: 404,
        code: "NoSuchUpload",
        fields: { UploadId: uploadId },
      }),
    );
    expect(await bodyOf(bucket, "k")).toBe("whole");
  });

  it("either wins or loses against a concurrent completion", async () => {
    for (let turn = 0; turn < 6; turn += 1) {
      const bucket = await freshBucket();
      const uploadId = await createUpload(bucket, "k");
      const part = await putPart(bucket, "k", uploadId, 1, "whole");
      const requests = [() => abort(bucket, "k", uploadId), () => sendCompletion(bucket, "k", uploadId, [part])];
      if (turn % 2 === 1) requests.reverse();
      const statuses = (await Promise.all(requests.map((request) => request()))).map(({ status }) => status);
      if (turn % 2 === 1) statuses.reverse();
      expect([
        [204, 404],
        [404, 200],
      ]).toContainEqual(statuses);
      expect(await bodyOf(bucket, "k")).toBe(statuses[1] === 200 ? "whole" : "404 NoSuchKey");
      await expectBalanced(bucket);
    }
  });

  it("discards a part that arrives during the abort", async () => {
    for (let turn = 0; turn < 6; turn += 1) {
      const bucket = await freshBucket();
      const uploadId = await createUpload(bucket, "k");
      const [part, aborted] = await Promise.all([
        sendPart(bucket, "k", uploadId, 1, "late"),
        abort(bucket, "k", uploadId),
      ]);
      expect(aborted.status).toBe(204);
      expect([200, 404]).toContain(part.status);
      await expectBalanced(bucket);
    }
  });

  it("returns 204 once among concurrent aborts", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    await putPart(bucket, "k", uploadId, 1, "x");
    const statuses = (await Promise.all([1, 2, 3, 4].map(() => abort(bucket, "k", uploadId)))).map((r) => r.status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([204, 404, 404, 404]);
    await expectBalanced(bucket);
  });

  it("finds an upload only by its own bucket and key", async () => {
    const [bucket, other] = [await freshBucket(), await freshBucket()];
    const uploadId = await createUpload(bucket, "k");
    await putPart(bucket, "k", uploadId, 1, "x");
    await expectUntouched(bucket, async () => {
      for (const [inBucket, key, id] of [
        [other, "k", uploadId],
        [bucket, "K", uploadId],
        [bucket, "k/", uploadId],
        [bucket, "k", uploadId.toUpperCase()],
        [bucket, "k", "nonsense"],
        [bucket, "k", ""],
      ] as const) {
        await expectS3Error(await abort(inBucket, key, id), {
          status: 404,
          code: "NoSuchUpload",
          fields: { UploadId: id },
        });
      }
    });
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await abort(missing, "k", "x"), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("DELETE", `/${bucket}/k?uploadId=${uploadId}`)), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });
});
