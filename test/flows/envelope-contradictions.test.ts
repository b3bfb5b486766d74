// Headers that announce an aws-chunked envelope while the payload hash denies it. Without the check the envelope would
// be stored as the object.
import { describe, expect, it } from "vitest";

import { anonymous, deliver, presigned, send } from "../support/client.ts";
import { expectBytes, sha256Hex, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { formOf, post, sendForm, signPolicy } from "../support/forms.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";
import { createUpload, sendPart } from "../support/multipart.ts";

const ENVELOPE = "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n";

const CONTRADICTIONS: readonly (readonly [name: string, value: string])[] = [
  ["content-encoding", "aws-chunked"],
  ["content-encoding", "AWS-Chunked"],
  ["content-encoding", "gzip, aws-chunked"],
  ["content-encoding", "aws-chunked,gzip"],
  ["x-amz-trailer", "x-amz-checksum-crc32"],
  ["x-amz-trailer", ""],
  ["x-amz-decoded-content-length", "3"],
  ["x-amz-decoded-content-length", "0"],
  ["x-amz-decoded-content-length", ""],
  ["x-amz-decoded-content-length", "x"],
];

const HASHES: readonly (readonly [kind: string, value: string])[] = [
  ["UNSIGNED-PAYLOAD", "UNSIGNED-PAYLOAD"],
  ["a hexadecimal hash", sha256Hex(utf8(ENVELOPE))],
];

function refusal(name: string, value: string) {
  return {
    status: 400,
    code: "InvalidArgument",
    fields: { ArgumentName: name, ArgumentValue: value },
  };
}

describe.each(CONTRADICTIONS)("%s: %j without a STREAMING- payload hash returns InvalidArgument", (name, value) => {
  it.each(HASHES)("for PutObject with %s, over an existing object and on a new key", async (_kind, hash) => {
    const bucket = await freshBucket();
    await putAll(bucket, { there: "as it was" });
    for (const key of ["there", "not-there"]) {
      const headers = { "x-amz-content-sha256": hash, [name]: value };
      await expectNoTrace(bucket, async () =>
        expectS3Error(await send("PUT", `/${bucket}/${key}`, { headers, body: ENVELOPE }), refusal(name, value)),
      );
    }
  });

  it.each(HASHES)("for UploadPart with %s", async (_kind, hash) => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    const headers = { "x-amz-content-sha256": hash, [name]: value };
    await expectNoTrace(bucket, async () =>
      expectS3Error(await sendPart(bucket, "k", uploadId, 1, ENVELOPE, headers), refusal(name, value)),
    );
  });

  it("for a presigned PUT that signs the header", async () => {
    const bucket = await freshBucket();
    await expectNoTrace(bucket, async () =>
      expectS3Error(
        await deliver(await presigned("PUT", `/${bucket}/k`, { headers: { [name]: value }, body: ENVELOPE })),
        refusal(name, value),
      ),
    );
  });

  it("for a form with such a field", async () => {
    const bucket = await freshBucket();
    await expectNoTrace(bucket, async () =>
      expectS3Error(await post(bucket, { key: "k", [name]: value }, ENVELOPE), refusal(name, value)),
    );
  });

  it("for a form sent with such a header", async () => {
    const bucket = await freshBucket();
    const fields = { key: "k", ...signPolicy([{ bucket }, ["eq", "$key", "k"]]) };
    const body = formOf([...Object.entries(fields), ["file", "abc", "f.bin"]]);
    await expectNoTrace(bucket, async () =>
      expectS3Error(await sendForm(bucket, body, { [name]: value }), refusal(name, value)),
    );
  });

  it("for an operation with a document", async () => {
    const bucket = await freshBucket();
    const body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    await expectNoTrace(bucket, async () =>
      expectS3Error(
        await send("PUT", `/${bucket}?versioning`, { headers: { [name]: value }, body }),
        refusal(name, value),
      ),
    );
  });
});

describe("envelope headers without a STREAMING- payload hash", () => {
  it("are rejected in the query of a presigned URL, which carries headers", async () => {
    const bucket = await freshBucket();
    for (const [name, value] of [
      ["x-amz-trailer", "x-amz-checksum-crc32"],
      ["x-amz-decoded-content-length", "3"],
    ] as const) {
      await expectNoTrace(bucket, async () =>
        expectS3Error(
          await deliver(await presigned("PUT", `/${bucket}/k?${name}=${value}`, { body: ENVELOPE })),
          refusal(name, value),
        ),
      );
    }
  });

  it("are rejected on an anonymous upload that a bucket policy allows", async () => {
    const bucket = await freshBucket();
    const Statement = [
      { Effect: "Allow", Principal: "*", Action: "s3:PutObject", Resource: `arn:aws:s3:::${bucket}/*` },
    ];
    const policy = JSON.stringify({ Version: "2012-10-17", Statement });
    expect((await send("PUT", `/${bucket}?policy`, { body: policy })).status).toBe(204);
    const headers = { "content-encoding": "aws-chunked" };
    await expectNoTrace(bucket, async () =>
      expectS3Error(
        await deliver(anonymous("PUT", `/${bucket}/k`, { headers, body: ENVELOPE })),
        refusal("content-encoding", "aws-chunked"),
      ),
    );
  });

  it("are accepted when the decoded length equals the body's length", async () => {
    const bucket = await freshBucket();
    const headers = { "x-amz-decoded-content-length": "3" };
    expect((await send("PUT", `/${bucket}/k`, { headers, body: "abc" })).status).toBe(200);
    await expectBytes(await send("GET", `/${bucket}/k`), "abc");
  });
});
