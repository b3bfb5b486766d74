// PutObject with If-Match and If-None-Match.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { md5Hex } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";
import { expectRefused, expectStored } from "./put-object-fixture.ts";

describe("PutObject", () => {
  describe("conditions", () => {
    const notMet = (condition: string) => ({
      status: 412,
      code: "PreconditionFailed",
      message: "At least one of the pre-conditions you specified did not hold",
      fields: { Condition: condition },
    });

    it("If-None-Match: * creates an object and never replaces one", async () => {
      const bucket = await freshBucket();
      const headers = { "if-none-match": "*" };
      expect((await send("PUT", `/${bucket}/k`, { body: "1", headers })).status).toBe(200);
      await expectNoTrace(bucket, async () =>
        expectS3Error(await send("PUT", `/${bucket}/k`, { body: "2", headers }), notMet("If-None-Match")),
      );
      await expectStored(bucket, "k", "1");
      await send("DELETE", `/${bucket}/k`);
      expect((await send("PUT", `/${bucket}/k`, { body: "3", headers })).status).toBe(200);
    });

    it("If-None-Match with any other value is rejected", async () => {
      for (const value of ['"d41d8cd98f00b204e9800998ecf8427e"', "abc", "*, *", ""]) {
        await expectRefused({ status: 400, code: "InvalidRequest" }, { headers: { "if-none-match": value } });
      }
    });

    it("If-Match replaces the object with the ETag in any notation", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "0" });
      for (const [index, write] of [
        (etag: string) => `"${etag}"`,
        (etag: string) => etag,
        (etag: string) => `W/"${etag}"`,
      ].entries()) {
        const headers = { "if-match": write(md5Hex(String(index))) };
        expect((await send("PUT", `/${bucket}/k`, { body: String(index + 1), headers })).status).toBe(200);
      }
      await expectStored(bucket, "k", "3");
    });

    it("If-Match with another ETag fails, and returns NoSuchKey for a missing key", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "0" });
      for (const etag of ['"bad"', md5Hex("1"), '"', ""]) {
        const headers = { "if-match": etag };
        await expectNoTrace(bucket, async () => {
          await expectS3Error(await send("PUT", `/${bucket}/k`, { body: "1", headers }), notMet("If-Match"));
          await expectS3Error(await send("PUT", `/${bucket}/new`, { body: "1", headers }), {
            status: 404,
            code: "NoSuchKey",
            fields: { Key: "new" },
          });
        });
      }
    });

    it("that fail cost one read: the body is not stored", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "0" });
      let pulled = 0;
      const body = new ReadableStream<Uint8Array>({ pull: () => void (pulled += 1) }, { highWaterMark: 0 });
      const headers = { "if-none-match": "*", "content-length": "10" };
      await expectS3Error(await send("PUT", `/${bucket}/k`, { body, headers }), notMet("If-None-Match"));
      expect(pulled).toBe(0);
    });

    it("If-Match: * and both conditions at once return NotImplemented, as on AWS", async () => {
      await expectRefused(
        {
          status: 501,
          code: "NotImplemented",
          fields: { Header: "If-Match", additionalMessage: expect.any(String) },
        },
        { headers: { "if-match": "*" } },
      );
      await expectRefused(
        {
          status: 501,
          code: "NotImplemented",
          fields: {
            Header: "If-Match,If-None-Match",
            additionalMessage: "Multiple conditional request headers present in the request",
          },
        },
        { headers: { "if-match": '"x"', "if-none-match": "*" } },
      );
    });
  });
});
