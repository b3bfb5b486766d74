// Parts whose commit was applied while its response was lost. The retried part must not replace a newer part, whose
// commit made the first one's blob garbage.
import { expect, it } from "vitest";

import { send, type RequestScope } from "../support/client.ts";
import { expectBytes } from "../support/digests.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { connectionLost, d1With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { createUpload, putPart, sendCompletion } from "../support/multipart.ts";

/** D1 that loses its response to a part's commit after another event, and its responses to the following checks. */
function losing(happens: () => Promise<unknown>, lostQuestions: number): RequestScope {
  let left = lostQuestions;
  let isFirst = true;
  return {
    DB: d1With(async (sql, send_) => {
      if (!isFirst && left > 0 && sql.length === 1) {
        left -= 1;
        throw connectionLost();
      }
      const results = await send_();
      if (!isFirst || !sql.some((text) => text.includes("upload_guard"))) return results;
      isFirst = false;
      await happens();
      throw connectionLost();
    }),
  };
}

it.each([
  ["is acknowledged, as it was there", 0, 200],
  ["is acknowledged, though D1 could not be asked at first", 1, 200],
  ["is left open where D1 cannot be asked at all", 9, 503],
] as const)("A part that was replaced before its response was lost %s", async (_, lostQuestions, status) => {
  const bucket = await freshBucket();
  const uploadId = await createUpload(bucket, "k");
  const target = `/${bucket}/k?partNumber=1&uploadId=${uploadId}`;
  const world = losing(() => putPart(bucket, "k", uploadId, 1, "second"), lostQuestions);
  const first = await send("PUT", target, { body: "first" }, world);
  expect(first.status).toBe(status);
  await first.text();
  await expectSoundReferences(bucket);
  const listed = await (await send("GET", `/${bucket}/k?uploadId=${uploadId}`)).text();
  const etag = /<ETag>(.*?)<\/ETag>/.exec(listed)?.[1]?.replaceAll("&quot;", '"') ?? "";
  expect((await sendCompletion(bucket, "k", uploadId, [{ partNumber: 1, etag }])).status).toBe(200);
  await expectBytes(await send("GET", `/${bucket}/k`), "second");
  await expectSoundReferences(bucket);
});

it("A part copy whose source is deleted before the retry is not acknowledged", async () => {
  const bucket = await freshBucket();
  await putAll(bucket, { source: "source" }, IN_STORE);
  const uploadId = await createUpload(bucket, "k");
  const headers = { "x-amz-copy-source": `/${bucket}/source` };
  let isFirst = true;
  const DB = d1With(async (sql, send_) => {
    if (!isFirst || !sql.some((text) => text.includes("upload_guard"))) return send_();
    isFirst = false;
    await send("DELETE", `/${bucket}/source`);
    throw connectionLost();
  });
  const response = await send("PUT", `/${bucket}/k?partNumber=1&uploadId=${uploadId}`, { headers }, { DB });
  expect(response.status).toBe(503);
  await response.text();
  expect(await (await send("GET", `/${bucket}/k?uploadId=${uploadId}`)).text()).not.toContain("<Part>");
  await expectSoundReferences(bucket);
});
