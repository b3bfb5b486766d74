// CompleteMultipartUpload with invalid part lists, unknown uploads and missing permissions.
import { describe, expect, it } from "vitest";

import { anonymous, deliver } from "../support/client.ts";
import { md5Hex, utf8 } from "../support/digests.ts";
import { expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { completionOf, PART_MIN_BYTES, putPart, sendCompletion, type ListedPart } from "../support/multipart.ts";
import { expectUntouched } from "../support/rows.ts";
import { bodyOf } from "../support/versioning.ts";
import { uploadOf } from "./complete-multipart-upload-fixture.ts";

describe("CompleteMultipartUpload", () => {
  describe("rejects", () => {
    const small = utf8("small");

    const cases: readonly (readonly [
      name: string,
      list: (parts: readonly ListedPart[], uploadId: string) => readonly ListedPart[] | string,
      expected: (parts: readonly ListedPart[], uploadId: string) => ExpectedError,
    ])[] = [
      [
        "parts out of order",
        (parts) => parts.toReversed(),
        (_, id) => ({ status: 400, code: "InvalidPartOrder", fields: { UploadId: id } }),
      ],
      [
        "a part twice",
        ([part]) => (part === undefined ? [] : [part, part]),
        (_, id) => ({ status: 400, code: "InvalidPartOrder", fields: { UploadId: id } }),
      ],
      [
        "a part that was not uploaded",
        ([part]) => (part === undefined ? [] : [part, { ...part, partNumber: 9 }]),
        ([part], id) => ({
          status: 400,
          code: "InvalidPart",
          fields: { UploadId: id, PartNumber: "9", ETag: (part?.etag ?? "").replaceAll('"', "") },
        }),
      ],
      [
        "a part by another ETag",
        ([part]) => (part === undefined ? [] : [{ ...part, etag: '"0123456789abcdef0123456789abcdef"' }]),
        (_, id) => ({
          status: 400,
          code: "InvalidPart",
          fields: { UploadId: id, PartNumber: "1", ETag: "0123456789abcdef0123456789abcdef" },
        }),
      ],
      [
        "a part that is too small and not the last",
        (parts) => parts,
        () => ({
          status: 400,
          code: "EntityTooSmall",
          fields: {
            ProposedSize: String(small.length),
            MinSizeAllowed: String(PART_MIN_BYTES),
            PartNumber: "1",
            ETag: md5Hex(small),
          },
        }),
      ],
      [
        "no parts",
        () => [],
        () => ({ status: 400, code: "InvalidRequest", message: "You must specify at least one part" }),
      ],
      ["no document", () => "", () => ({ status: 400, code: "MalformedXML" })],
      ["no XML", () => "parts", () => ({ status: 400, code: "MalformedXML" })],
      ["another document", () => "<Complete/>", () => ({ status: 400, code: "MalformedXML" })],
      [
        "something else among the parts",
        () => "<CompleteMultipartUpload><Piece/></CompleteMultipartUpload>",
        () => ({ status: 400, code: "MalformedXML" }),
      ],
      [
        "a part without an ETag",
        () => "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
        () => ({ status: 400, code: "MalformedXML" }),
      ],
      [
        "a part without a number",
        () => "<CompleteMultipartUpload><Part><ETag>x</ETag></Part></CompleteMultipartUpload>",
        () => ({ status: 400, code: "MalformedXML" }),
      ],
      [
        "a number that is none",
        (parts) => completionOf(parts).replaceAll("<PartNumber>1<", "<PartNumber>one<"),
        () => ({ status: 400, code: "MalformedXML" }),
      ],
      [
        "part 0",
        (parts) => completionOf(parts).replaceAll("<PartNumber>1<", "<PartNumber>0<"),
        (_, id) => ({ status: 400, code: "InvalidPartOrder", fields: { UploadId: id } }),
      ],
    ];

    it.each(cases)("%s, and does not change the upload", async (_name, list, expected) => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "as it was" });
      const { uploadId, parts } = await uploadOf(bucket, [small, "end"]);
      await expectUntouched(bucket, async () =>
        expectS3Error(await sendCompletion(bucket, "k", uploadId, list(parts, uploadId)), expected(parts, uploadId)),
      );
      expect(await bodyOf(bucket, "k")).toBe("as it was");
      const [, last] = parts;
      expect((await sendCompletion(bucket, "k", uploadId, last === undefined ? [] : [last])).status).toBe(200);
      expect(await bodyOf(bucket, "k")).toBe("end");
    });

    it("a replaced part by its old ETag", async () => {
      const bucket = await freshBucket();
      const { uploadId, parts } = await uploadOf(bucket, ["first"]);
      await putPart(bucket, "k", uploadId, 1, "second");
      await expectUntouched(bucket, async () =>
        expectS3Error(await sendCompletion(bucket, "k", uploadId, parts), {
          status: 400,
          code: "InvalidPart",
          fields: { UploadId: uploadId, PartNumber: "1", ETag: md5Hex("first") },
        }),
      );
    });

    it("the upload of another bucket or key, and one that never existed", async () => {
      const [bucket, other] = [await freshBucket(), await freshBucket()];
      const { uploadId, parts } = await uploadOf(bucket, ["x"]);
      await expectUntouched(bucket, async () => {
        for (const [inBucket, key, id] of [
          [other, "k", uploadId],
          [bucket, "other", uploadId],
          [bucket, "k", "nonsense"],
          [bucket, "k", ""],
        ] as const) {
          await expectS3Error(await sendCompletion(inBucket, key, id, parts), {
            status: 404,
            code: "NoSuchUpload",
            fields: { UploadId: id },
          });
        }
      });
    });

    it("anonymous requests, and missing buckets", async () => {
      const bucket = await freshBucket();
      const { uploadId, parts } = await uploadOf(bucket, ["x"]);
      const body = completionOf(parts);
      await expectUntouched(bucket, async () =>
        expectS3Error(await deliver(anonymous("POST", `/${bucket}/k?uploadId=${uploadId}`, { body })), {
          status: 403,
          code: "AccessDenied",
        }),
      );
      const missing = freshBucketName();
      await expectS3Error(await sendCompletion(missing, "k", uploadId, parts), {
        status: 404,
        code: "NoSuchBucket",
        fields: { BucketName: missing },
      });
    });
  });
});
