// Reads of completed multipart objects by range and by part number.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectBytes } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { joined, uploadInParts } from "../support/multipart.ts";
import { LARGE, LARGER, LAST, etagOf } from "./complete-multipart-upload-fixture.ts";

describe("CompleteMultipartUpload", () => {
  describe("creates an object that is readable", () => {
    const BODIES = [LARGE, LARGER, LAST];
    const WHOLE = joined(BODIES);
    const [one, two] = [LARGE.length, LARGE.length + LARGER.length];

    it("by ranges over any of its parts", async () => {
      const bucket = await freshBucket();
      await uploadInParts(bucket, "k", BODIES);
      const last = WHOLE.length - 1;
      const ranges = [
        [`bytes=0-0`, 0, 0],
        [`bytes=${one - 1}-${one}`, one - 1, one],
        [`bytes=${one - 1}-${one - 1}`, one - 1, one - 1],
        [`bytes=${one}-${one}`, one, one],
        [`bytes=${one - 5}-${two + 2}`, one - 5, two + 2],
        [`bytes=${two - 1}-`, two - 1, last],
        [`bytes=${two}-${two + 100}`, two, last],
        ["bytes=-7", last - 6, last],
        ["bytes=-8", last - 7, last],
        ["bytes=-99999999", 0, last],
      ] as const;
      for (const [range, from, to] of ranges) {
        const response = await send("GET", `/${bucket}/k`, { headers: { range } });
        expect(response.status, range).toBe(206);
        expect(response.headers.get("content-range"), range).toBe(`bytes ${from}-${to}/${WHOLE.length}`);
        await expectBytes(response, WHOLE.subarray(from, to + 1));
      }
      await expectS3Error(await send("GET", `/${bucket}/k`, { headers: { range: `bytes=${WHOLE.length}-` } }), {
        status: 416,
        code: "InvalidRange",
        fields: { RangeRequested: `bytes=${WHOLE.length}-`, ActualObjectSize: String(WHOLE.length) },
      });
    });

    it("by part number", async () => {
      const bucket = await freshBucket();
      await uploadInParts(bucket, "k", BODIES);
      let start = 0;
      for (const [index, body] of BODIES.entries()) {
        for (const method of ["GET", "HEAD"]) {
          const response = await send(method, `/${bucket}/k?partNumber=${index + 1}`);
          expect(response.status).toBe(206);
          expect(Object.fromEntries(response.headers)).toMatchObject({
            "content-range": `bytes ${start}-${start + body.length - 1}/${WHOLE.length}`,
            "content-length": String(body.length),
            "x-amz-mp-parts-count": "3",
            etag: `"${etagOf(BODIES)}"`,
          });
          if (method === "GET") await expectBytes(response, body);
        }
        start += body.length;
      }
      await expectS3Error(await send("GET", `/${bucket}/k?partNumber=4`), {
        status: 416,
        code: "InvalidPartNumber",
        fields: { ActualPartCount: "3", PartNumberRequested: "4" },
      });
    });

    it("in one round trip", async () => {
      const bucket = await freshBucket();
      await uploadInParts(bucket, "k", BODIES);
      const small = { range: "bytes=0-9" };
      const ranged = await send("GET", `/${bucket}/k`, { headers: small });
      expect(costOf(ranged)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 1 });
      expect(costOf(await send("HEAD", `/${bucket}/k`))).toMatchObject({ roundTrips: 1, blobCalls: 0 });
      expect(costOf(await send("HEAD", `/${bucket}/k?partNumber=2`))).toMatchObject({ roundTrips: 1, blobCalls: 0 });
    });
  });
});
