import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { BLOCKED, customerKey, encryptionDocument, keyHeaders, putEncryption } from "../support/encryption.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { createUpload, sendPart } from "../support/multipart.ts";

const KEY = keyHeaders(customerKey(1));

async function shown(bucket: string): Promise<string> {
  const response = await send("GET", `/${bucket}?encryption`);
  expect(response.status).toBe(200);
  return response.text();
}

function ruleOf(inner: string): string {
  return `<ServerSideEncryptionConfiguration><Rule>${inner}</Rule></ServerSideEncryptionConfiguration>`;
}

describe("PutBucketEncryption", () => {
  it("accepts the only supported default, and the other elements of its rule", async () => {
    const bucket = await freshBucket();
    const put = await putEncryption(bucket, encryptionDocument(`<BucketKeyEnabled>true</BucketKeyEnabled>${BLOCKED}`));
    expect(put.status).toBe(200);
    expect(await put.text()).toBe("");
    const text = await shown(bucket);
    expect(text).toContain("<SSEAlgorithm>AES256</SSEAlgorithm>");
    expect(text).toContain(`<BucketKeyEnabled>true</BucketKeyEnabled>${BLOCKED}`);
    expect((await putEncryption(bucket, encryptionDocument())).status).toBe(200);
    expect(await shown(bucket)).not.toContain("BlockedEncryptionTypes");
    expect((await putEncryption(bucket, ruleOf(BLOCKED.replace("SSE-C", "NONE")))).status).toBe(200);
    expect(await shown(bucket)).toContain("<EncryptionType>NONE</EncryptionType>");
  });

  it.each([
    ["no rule", "<ServerSideEncryptionConfiguration/>"],
    ["two rules", "<ServerSideEncryptionConfiguration><Rule/><Rule/></ServerSideEncryptionConfiguration>"],
    ["another root", "<Encryption/>"],
    ["an unknown element", encryptionDocument("<X/>")],
    ["a default without algorithm", ruleOf("<ApplyServerSideEncryptionByDefault/>")],
    ["an unknown algorithm", encryptionDocument().replace("AES256", "AES128")],
    ["a flag that is none", encryptionDocument("<BucketKeyEnabled>yes</BucketKeyEnabled>")],
    ["an unknown type to block", encryptionDocument(BLOCKED.replace("SSE-C", "SSE-S3"))],
    ["no type to block", encryptionDocument("<BlockedEncryptionTypes/>")],
    ["no XML", "encrypt it all"],
  ])("rejects %s and keeps the configuration", async (_what, document) => {
    const bucket = await freshBucket();
    await putEncryption(bucket, encryptionDocument(BLOCKED));
    await expectS3Error(await putEncryption(bucket, document), { status: 400, code: "MalformedXML" });
    expect(await shown(bucket)).toContain(BLOCKED);
  });

  it.each(["aws:kms", "aws:kms:dsse"])("returns NotImplemented for %s", async (algorithm) => {
    const bucket = await freshBucket();
    await expectS3Error(await putEncryption(bucket, encryptionDocument().replace("AES256", algorithm)), {
      status: 501,
      code: "NotImplemented",
      fields: { SSEAlgorithm: algorithm },
      message: /AWS KMS is not implemented/,
    });
  });

  it("rejects a KMS key with AES256, and accepts an empty one", async () => {
    const bucket = await freshBucket();
    const withKey = (id: string) =>
      encryptionDocument().replace("</SSEAlgorithm>", `$&<KMSMasterKeyID>${id}</KMSMasterKeyID>`);
    await expectS3Error(await putEncryption(bucket, withKey("arn:aws:kms:x")), {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "KMSMasterKeyID", ArgumentValue: "arn:aws:kms:x" },
    });
    expect((await putEncryption(bucket, withKey(""))).status).toBe(200);
  });

  it("returns 404 for a missing bucket", async () => {
    await expectS3Error(await putEncryption("no-such-bucket-here", encryptionDocument()), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: "no-such-bucket-here" },
    });
  });
});

describe("a bucket that blocks SSE-C", () => {
  const refusal = { status: 403, code: "AccessDenied", message: /is blocked by the bucket's encryption configuration/ };

  it("rejects every write with a customer's key", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "upload", KEY);
    expect((await send("PUT", `/${bucket}/before`, { body: "x", headers: KEY })).status).toBe(200);
    expect((await putEncryption(bucket, encryptionDocument(BLOCKED))).status).toBe(200);

    await expectS3Error(await send("PUT", `/${bucket}/k`, { body: "x", headers: KEY }), refusal);
    await expectS3Error(await send("POST", `/${bucket}/k?uploads`, { headers: KEY }), refusal);
    await expectS3Error(await sendPart(bucket, "upload", uploadId, 1, "x", KEY), refusal);
    expect((await send("PUT", `/${bucket}/plain`, { body: "x" })).status).toBe(200);
    const from = { "x-amz-copy-source": `/${bucket}/plain` };
    await expectS3Error(await send("PUT", `/${bucket}/k`, { headers: { ...KEY, ...from } }), refusal);
    const part = `/${bucket}/upload?partNumber=1&uploadId=${uploadId}`;
    await expectS3Error(await send("PUT", part, { headers: { ...KEY, ...from } }), refusal);
    expect((await send("HEAD", `/${bucket}/k`)).status).toBe(404);
  });

  it("still serves existing SSE-C objects, and accepts keys again once they are unblocked", async () => {
    const bucket = await freshBucket();
    expect((await send("PUT", `/${bucket}/k`, { body: "before", headers: KEY })).status).toBe(200);
    await putEncryption(bucket, encryptionDocument(BLOCKED));
    expect(await (await send("GET", `/${bucket}/k`, { headers: KEY })).text()).toBe("before");
    await putEncryption(bucket, encryptionDocument(BLOCKED.replace("SSE-C", "NONE")));
    expect((await send("PUT", `/${bucket}/k`, { body: "after", headers: KEY })).status).toBe(200);
  });
});
