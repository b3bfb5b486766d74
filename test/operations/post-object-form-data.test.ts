// PostObject's multipart/form-data: the file's field, malformed forms, and forms whose length is misleading.
import { describe, expect, it } from "vitest";

import { anonymous, deliver, streamOf } from "../support/client.ts";
import { checksum, expectBytes, md5Base64, md5Hex, noise, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { BOUNDARY, formOf, sendForm, signPolicy, type FormPart } from "../support/forms.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expectNothingLeftOver, expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { expectRefused, get, partsFor } from "./post-object-fixture.ts";

describe("PostObject", () => {
  describe("a file that is shorter than the form's length suggests", () => {
    const endings: readonly (readonly [string, (body: Uint8Array) => Uint8Array, readonly FormPart[]])[] = [
      ["with a button after it", (body) => body, [["submit", "Upload"]]],
      ["with another file after it", (body) => body, [["file", noise(300_000, 7), "second"]]],
      ["without a line break at its form's end", (body) => body.slice(0, -2), []],
      ["with an epilogue", (body) => new Uint8Array([...body, ...utf8("--epilogue\r\n")]), []],
    ];

    it.each(endings)("is stored unchanged: %s", async (_, change, after) => {
      const bucket = await freshBucket();
      for (const length of [10, 262_144, 262_145, 700_000]) {
        const bytes = noise(length);
        const headers: Record<string, string> = {};
        const body = change(formOf(partsFor(bucket, "k", ["file", bytes, "f"], after)));
        const response = await sendForm(bucket, body, headers);
        expect(response.status, String(length)).toBe(204);
        expect(response.headers.get("etag")).toBe(`"${md5Hex(bytes)}"`);
        expect(response.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", bytes));
        await expectBytes(await get(bucket, "k"), bytes);
        expectNothingLeftOver(await storedStateOf(bucket));
      }
    });

    it("is verified, and nothing is stored when a digest is wrong", async () => {
      const bytes = noise(400_000);
      const bucket = await freshBucket();
      const wrong = { "x-amz-checksum-crc32": checksum("CRC32", utf8("another")) };
      for (const after of [[], [["submit", "Upload"]]] satisfies FormPart[][]) {
        const send = (digests: Record<string, string>) => {
          const conditions = Object.entries(digests).map(([name, value]) => ({ [name]: value }));
          const fields = { key: "k", ...digests, ...signPolicy([{ bucket }, { key: "k" }, ...conditions]) };
          return sendForm(bucket, formOf([...Object.entries(fields), ["file", bytes], ...after]));
        };
        await expectNoTrace(bucket, async () => {
          await expectS3Error(await send(wrong), { status: 400, code: "BadDigest" });
          await expectS3Error(await send({ "content-md5": md5Base64(utf8("another")) }), {
            status: 400,
            code: "BadDigest",
            fields: { ExpectedDigest: md5Base64(utf8("another")), CalculatedDigest: md5Base64(bytes) },
          });
        });
      }
      for (const after of [[], [["submit", "Upload"]]] satisfies FormPart[][]) {
        const right = { "x-amz-checksum-sha256": checksum("SHA256", bytes), "content-md5": md5Base64(bytes) };
        const conditions = Object.entries(right).map(([name, value]) => ({ [name]: value }));
        const fields = { key: "k", ...right, ...signPolicy([{ bucket }, { key: "k" }, ...conditions]) };
        const response = await sendForm(bucket, formOf([...Object.entries(fields), ["file", bytes], ...after]));
        expect(response.status).toBe(204);
        expect(response.headers.get("x-amz-checksum-sha256")).toBe(right["x-amz-checksum-sha256"]);
      }
    });
  });

  it("accepts a file that is a text field", async () => {
    const bucket = await freshBucket();
    const fields = { key: "text-${filename}", ...signPolicy([{ bucket }, ["starts-with", "$key", "text-"]]) };
    expect((await sendForm(bucket, formOf([...Object.entries(fields), ["file", "a\r\nb"]]))).status).toBe(204);
    await expectBytes(await get(bucket, "text-${filename}"), "a\r\nb");
  });

  it("substitutes the file's name in the key", async () => {
    const bucket = await freshBucket();
    const fields = { key: "u/${filename}", ...signPolicy([{ bucket }, ["starts-with", "$key", "u/"]]) };
    const form = formOf([...Object.entries(fields), ["file", "x", "C:\\dir\\ünï code.txt"]]);
    expect((await sendForm(bucket, form)).status).toBe(204);
    await expectBytes(await get(bucket, "u/ünï code.txt"), "x");
  });

  describe("an invalid form", () => {
    it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/mixed; boundary=x"])(
      "is rejected for its type: %s",
      async (type) => {
        const bucket = await freshBucket();
        const form = formOf(partsFor(bucket, "k", ["file", "x"]));
        await expectS3Error(await sendForm(bucket, form, { "content-type": type }), {
          status: 412,
          code: "PreconditionFailed",
          fields: { Condition: "Bucket POST must be of the enclosure-type multipart/form-data" },
        });
      },
    );

    it("is rejected when it breaks off", async () => {
      const bucket = await freshBucket();
      for (const length of [10, 500_000]) {
        const body = formOf(partsFor(bucket, "k", ["file", noise(length), "f"]));
        for (const missing of [6, 9, 50, length]) {
          await expectNoTrace(bucket, async () =>
            expectS3Error(await sendForm(bucket, body.slice(0, -missing)), {
              status: 400,
              code: "MalformedPOSTRequest",
            }),
          );
        }
      }
    });

    it("is rejected without a body, a length, or a file", async () => {
      const bucket = await freshBucket();
      const type = { "content-type": `multipart/form-data; boundary=${BOUNDARY}` };
      await expectS3Error(await deliver(anonymous("POST", `/${bucket}`, { headers: type })), {
        status: 400,
        code: "MalformedPOSTRequest",
      });
      const form = formOf(partsFor(bucket, "k", ["file", "x"]));
      await expectS3Error(await sendForm(bucket, streamOf([form])), { status: 411, code: "MissingContentLength" });
      await expectS3Error(await sendForm(bucket, formOf([["key", "k"]])), {
        status: 400,
        code: "InvalidArgument",
        message: "POST requires exactly one file upload per request.",
        fields: { ArgumentName: "file", ArgumentValue: "0" },
      });
    });

    it("is rejected when its fields are too long", async () => {
      await expectRefused(
        { status: 400, code: "MaxPostPreDataLengthExceeded", fields: { MaxPostPreDataLengthBytes: "20480" } },
        { "x-ignore-padding": "x".repeat(21_000) },
      );
    });
  });

  it("is rejected before its file is read", async () => {
    const bucket = await freshBucket();
    const head = formOf([
      ["key", "k"],
      ["x-ignore", "x".repeat(300)],
      ["file", "x".repeat(300_000)],
    ]);
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled += 1;
          controller.enqueue(pulled === 1 ? head.slice(0, 262_144) : new Uint8Array(65_536));
        },
      },
      { highWaterMark: 0 },
    );
    await expectS3Error(await sendForm(bucket, body, { "content-length": "1000000000" }), {
      status: 403,
      code: "AccessDenied",
    });
    expect(pulled).toBeLessThan(4);
  });
});
