import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { checksum, md5Hex, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { createUpload, putPart } from "../support/multipart.ts";
import { childrenOf, namesOf, plain, readXml, textOf, type Element } from "../support/read-xml.ts";

const ACCOUNT = "000000000000";

async function list(bucket: string, uploadId: string, query = ""): Promise<Element> {
  const response = await send("GET", `/${bucket}/k?uploadId=${uploadId}${query}`);
  expect(response.status).toBe(200);
  return readXml(await response.text());
}

function numbersOf(root: Element): string[] {
  return childrenOf(root, "Part").map((part) => textOf(part, "PartNumber") ?? "");
}

/** An upload with parts of these numbers. */
async function uploadOf(bucket: string, numbers: readonly number[]): Promise<string> {
  const uploadId = await createUpload(bucket, "k");
  for (const number of numbers) await putPart(bucket, "k", uploadId, number, `part ${number}`);
  return uploadId;
}

describe("ListParts", () => {
  it("describes the upload and each part, in the order of numbers", async () => {
    const bucket = await freshBucket();
    const headers = { "x-amz-checksum-algorithm": "SHA256", "x-amz-storage-class": "STANDARD_IA" };
    const uploadId = await createUpload(bucket, "k", headers);
    await putPart(bucket, "k", uploadId, 10, "ten");
    await putPart(bucket, "k", uploadId, 2, "two");
    const response = await send("GET", `/${bucket}/k?uploadId=${uploadId}`);
    expect(response.status).toBe(200);
    expectAnswerHeaders(response);
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    const root = readXml(await response.text());
    expect(root.name).toBe("ListPartsResult");
    expect(root.attributes).toEqual({ xmlns: "http://s3.amazonaws.com/doc/2006-03-01/" });
    expect(namesOf(root)).toEqual([
      "Bucket",
      "Key",
      "UploadId",
      "Initiator",
      "Owner",
      "StorageClass",
      "PartNumberMarker",
      "NextPartNumberMarker",
      "MaxParts",
      "IsTruncated",
      "ChecksumAlgorithm",
      "ChecksumType",
      "Part",
      "Part",
    ]);
    const parts = childrenOf(root, "Part");
    expect(plain({ ...root, children: root.children.filter(({ name }) => name !== "Part") })).toEqual({
      Bucket: bucket,
      Key: "k",
      UploadId: uploadId,
      Initiator: { ID: ACCOUNT, DisplayName: ACCOUNT },
      Owner: { ID: ACCOUNT, DisplayName: ACCOUNT },
      StorageClass: "STANDARD_IA",
      PartNumberMarker: "0",
      NextPartNumberMarker: "10",
      MaxParts: "1000",
      IsTruncated: "false",
      ChecksumAlgorithm: "SHA256",
      ChecksumType: "COMPOSITE",
    });
    expect(parts.map(plain)).toEqual(
      [
        ["2", "two"],
        ["10", "ten"],
      ].map(([number, body = ""]) => ({
        PartNumber: number,
        LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
        ETag: `"${md5Hex(body)}"`,
        Size: "3",
        ChecksumSHA256: checksum("SHA256", utf8(body)),
      })),
    );
  });

  it("returns the latest part of each number", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    await putPart(bucket, "k", uploadId, 1, "first");
    await putPart(bucket, "k", uploadId, 1, "second!");
    const [part, ...others] = childrenOf(await list(bucket, uploadId), "Part");
    expect(others).toEqual([]);
    expect(part === undefined ? undefined : textOf(part, "ETag")).toBe(`"${md5Hex("second!")}"`);
    expect(part === undefined ? undefined : textOf(part, "Size")).toBe("7");
  });

  it("returns no parts when there are none", async () => {
    const bucket = await freshBucket();
    const root = await list(bucket, await createUpload(bucket, "k"));
    expect(numbersOf(root)).toEqual([]);
    expect(textOf(root, "NextPartNumberMarker")).toBe("0");
    expect(textOf(root, "IsTruncated")).toBe("false");
  });

  it("returns the same parts for any page size", async () => {
    const bucket = await freshBucket();
    const numbers = [1, 2, 3, 9, 10, 11, 100, 10_000];
    const uploadId = await uploadOf(bucket, numbers);
    for (const size of [1, 3, 4, 8, 9]) {
      const shown: string[] = [];
      let marker = "0";
      for (;;) {
        const root = await list(bucket, uploadId, `&max-parts=${size}&part-number-marker=${marker}`);
        expect(textOf(root, "PartNumberMarker")).toBe(marker);
        expect(textOf(root, "MaxParts")).toBe(String(size));
        shown.push(...numbersOf(root));
        marker = textOf(root, "NextPartNumberMarker") ?? "";
        expect(marker).toBe(shown.at(-1));
        if (textOf(root, "IsTruncated") === "false") break;
      }
      expect(shown).toEqual(numbers.map(String));
    }
  });

  it("begins after the marker, whether or not a part with that number exists", async () => {
    const bucket = await freshBucket();
    const uploadId = await uploadOf(bucket, [2, 4, 6]);
    for (const [marker, expected] of [
      ["1", ["2", "4", "6"]],
      ["2", ["4", "6"]],
      ["3", ["4", "6"]],
      ["6", []],
      ["99999", []],
    ] as const) {
      expect(numbersOf(await list(bucket, uploadId, `&part-number-marker=${marker}`))).toEqual(expected);
    }
  });

  it("returns no part for max-parts 0, and returns values over the limit unchanged", async () => {
    const bucket = await freshBucket();
    const uploadId = await uploadOf(bucket, [1, 2]);
    const none = await list(bucket, uploadId, "&max-parts=0");
    expect([numbersOf(none), textOf(none, "IsTruncated"), textOf(none, "MaxParts")]).toEqual([[], "false", "0"]);
    const many = await list(bucket, uploadId, "&max-parts=5000");
    expect([numbersOf(many), textOf(many, "MaxParts")]).toEqual([["1", "2"], "5000"]);
  });

  it.each(["max-parts", "part-number-marker"])("rejects a %s that is no number", async (name) => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    for (const value of ["-1", "x", "1.5", "99999999999"]) {
      await expectS3Error(await send("GET", `/${bucket}/k?uploadId=${uploadId}&${name}=${value}`), {
        status: 400,
        code: "InvalidArgument",
        message: `Provided ${name} not an integer or within integer range`,
        fields: { ArgumentName: name, ArgumentValue: value },
      });
    }
  });

  it("finds an upload only by its own bucket and key", async () => {
    const [bucket, other] = [await freshBucket(), await freshBucket()];
    const uploadId = await uploadOf(bucket, [1]);
    for (const [target, id] of [
      [`/${other}/k`, uploadId],
      [`/${bucket}/other`, uploadId],
      [`/${bucket}/k`, "nonsense"],
      [`/${bucket}/k`, ""],
    ] as const) {
      await expectS3Error(await send("GET", `${target}?uploadId=${id}`), {
        status: 404,
        code: "NoSuchUpload",
        fields: { UploadId: id },
      });
    }
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await send("GET", `/${missing}/k?uploadId=x`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    await expectS3Error(await deliver(anonymous("GET", `/${bucket}/k?uploadId=${uploadId}`)), {
      status: 403,
      code: "AccessDenied",
    });
  });
});
