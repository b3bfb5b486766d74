// CompleteMultipartUpload with checksums of the object and of its parts, and with the object's size.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { ALGORITHMS, checksumHeader, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { joined, sendCompletion } from "../support/multipart.ts";
import { textOf } from "../support/read-xml.ts";
import { expectUntouched } from "../support/rows.ts";
import { LARGE, LARGER, LAST, answerOf, base64, digestOf, uploadOf } from "./complete-multipart-upload-fixture.ts";

describe("CompleteMultipartUpload", () => {
  describe("checksums", () => {
    const BODIES = [LARGE, LARGER, LAST];

    it.each([
      ...ALGORITHMS.filter((algorithm) => algorithm !== "CRC64NVME").map((name) => [name, "COMPOSITE"] as const),
      ["CRC32", "FULL_OBJECT"] as const,
      ["CRC32C", "FULL_OBJECT"] as const,
      ["CRC64NVME", "FULL_OBJECT"] as const,
    ])("of %s, %s, are computed over the parts or the whole", async (algorithm, type) => {
      const bucket = await freshBucket();
      const headers = { "x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": type };
      const { uploadId, parts } = await uploadOf(bucket, BODIES, headers);
      const digests = BODIES.map((body) => digestOf(algorithm, body));
      const expected =
        type === "COMPOSITE"
          ? `${base64(digestOf(algorithm, joined(digests)))}-3`
          : base64(digestOf(algorithm, joined(BODIES)));
      const root = await answerOf(await sendCompletion(bucket, "k", uploadId, parts));
      expect([textOf(root, `Checksum${algorithm}`), textOf(root, "ChecksumType")]).toEqual([expected, type]);
      const mode = { headers: { "x-amz-checksum-mode": "ENABLED" } };
      const head = await send("HEAD", `/${bucket}/k`, mode);
      expect(head.headers.get(checksumHeader(algorithm))).toBe(expected);
      expect(head.headers.get("x-amz-checksum-type")).toBe(type);
      // For a single part its own checksum is returned; for a range, none.
      const second = await send("HEAD", `/${bucket}/k?partNumber=2`, mode);
      expect(second.headers.get(checksumHeader(algorithm))).toBe(base64(digests[1] ?? utf8("")));
      const ranged = await send("HEAD", `/${bucket}/k`, { headers: { ...mode.headers, range: "bytes=0-9" } });
      expect(ranged.headers.get(checksumHeader(algorithm))).toBeNull();
    });

    it("in the completion's headers are verified", async () => {
      const bucket = await freshBucket();
      const headers = { "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "FULL_OBJECT" };
      const { uploadId, parts } = await uploadOf(bucket, BODIES, headers);
      await expectUntouched(bucket, async () => {
        const wrong = { "x-amz-checksum-crc32": base64(digestOf("CRC32", LAST)) };
        await expectS3Error(await sendCompletion(bucket, "k", uploadId, parts, wrong), {
          status: 400,
          code: "BadDigest",
          message: "The CRC32 you specified did not match the calculated checksum.",
        });
        await expectS3Error(
          await sendCompletion(bucket, "k", uploadId, parts, { "x-amz-checksum-type": "COMPOSITE" }),
          {
            status: 400,
            code: "InvalidRequest",
            message:
              "The upload was created using the FULL_OBJECT checksum mode. The complete request must use the same checksum mode.",
          },
        );
      });
      const right = {
        "x-amz-checksum-crc32": base64(digestOf("CRC32", joined(BODIES))),
        "x-amz-checksum-type": "FULL_OBJECT",
      };
      expect((await sendCompletion(bucket, "k", uploadId, parts, right)).status).toBe(200);
    });

    it("of parts are required and verified for a composite upload", async () => {
      const bucket = await freshBucket();
      const { uploadId, parts } = await uploadOf(bucket, [LAST], { "x-amz-checksum-algorithm": "CRC32" });
      const without = parts.map(({ partNumber, etag }) => ({ partNumber, etag }));
      const wrong = without.map(({ partNumber, etag }) => ({
        partNumber,
        etag,
        checksums: { ChecksumCRC32: "AAAAAA==" },
      }));
      const others = without.map(({ partNumber, etag }) => ({
        partNumber,
        etag,
        checksums: { ChecksumSHA1: "AAAAAA==" },
      }));
      await expectUntouched(bucket, async () => {
        for (const listed of [without, others]) {
          await expectS3Error(await sendCompletion(bucket, "k", uploadId, listed), {
            status: 400,
            code: "InvalidRequest",
            message:
              "The upload was created using a crc32 checksum. The complete request must include the checksum for each part. It was missing for part 1 in the request.",
          });
        }
        await expectS3Error(await sendCompletion(bucket, "k", uploadId, wrong), {
          status: 400,
          code: "BadDigest",
          message: "The crc32 you specified for part 1 did not match what we received.",
        });
      });
      expect((await sendCompletion(bucket, "k", uploadId, parts)).status).toBe(200);
    });

    it("of parts are optional when the upload announced none or a full-object one", async () => {
      for (const headers of [{}, { "x-amz-checksum-algorithm": "CRC64NVME" }]) {
        const bucket = await freshBucket();
        const { uploadId, parts } = await uploadOf(bucket, [LAST], headers);
        const listed = parts.map(({ partNumber, etag }) => ({ partNumber, etag }));
        expect((await sendCompletion(bucket, "k", uploadId, listed)).status).toBe(200);
      }
    });
  });

  it("include the size of the object when it is sent", async () => {
    const bucket = await freshBucket();
    const { uploadId, parts } = await uploadOf(bucket, [LAST]);
    await expectUntouched(bucket, async () => {
      for (const size of ["8", "0", "x"]) {
        await expectS3Error(await sendCompletion(bucket, "k", uploadId, parts, { "x-amz-mp-object-size": size }), {
          status: 400,
          code: "InvalidRequest",
          message: `The provided 'x-amz-mp-object-size' header value ${size} does not match what was computed: 7`,
        });
      }
    });
    expect((await sendCompletion(bucket, "k", uploadId, parts, { "x-amz-mp-object-size": "7" })).status).toBe(200);
  });
});
