// Digests of request documents: no operation requires one, and every operation verifies one that is sent.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { checksum, md5Base64, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";

const TAGGING = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
const OTHER = utf8("another document");

/** Every operation with a request document; `BUCKET` stands for the bucket. */
const DOCUMENTS: readonly (readonly [name: string, method: string, target: string, document: string])[] = [
  ["DeleteObjects", "POST", "?delete", "<Delete><Object><Key>none</Key></Object></Delete>"],
  ["PutObjectTagging", "PUT", "/k?tagging", TAGGING],
  ["PutBucketTagging", "PUT", "?tagging", TAGGING],
  [
    "PutBucketCors",
    "PUT",
    "?cors",
    "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>",
  ],
  [
    "PutBucketLifecycleConfiguration",
    "PUT",
    "?lifecycle",
    "<LifecycleConfiguration><Rule><ID>r</ID><Filter/><Status>Enabled</Status><Expiration><Days>9</Days></Expiration></Rule></LifecycleConfiguration>",
  ],
  [
    "PutBucketEncryption",
    "PUT",
    "?encryption",
    "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
  ],
  [
    "PutBucketVersioning",
    "PUT",
    "?versioning",
    "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
  ],
  [
    "PutPublicAccessBlock",
    "PUT",
    "?publicAccessBlock",
    "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>",
  ],
  [
    "PutBucketOwnershipControls",
    "PUT",
    "?ownershipControls",
    "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>",
  ],
  [
    "PutBucketPolicy",
    "PUT",
    "?policy",
    '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:DeleteBucket","Resource":"arn:aws:s3:::BUCKET"}]}',
  ],
];

/** The elements of a Content-MD5 error. */
function fieldsOf(value: string, body: string, code: string): Record<string, string> {
  return code === "InvalidDigest"
    ? { "Content-MD5": value }
    : { ExpectedDigest: value, CalculatedDigest: md5Base64(utf8(body)) };
}

describe.each(DOCUMENTS)("the document of %s", (_name, method, target, document) => {
  const at = async (): Promise<{ readonly path: string; readonly body: string; readonly bucket: string }> => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    return { bucket, path: `/${bucket}${target}`, body: document.replace("BUCKET", bucket) };
  };

  it("needs no digest", async () => {
    const { path, body } = await at();
    const response = await send(method, path, { body });
    expect(response.status, await response.text()).toBeLessThan(300);
  });

  it.each([
    ["another Content-MD5", "content-md5", md5Base64(OTHER), "BadDigest"],
    ["a malformed Content-MD5", "content-md5", "abc", "InvalidDigest"],
    ["an empty Content-MD5", "content-md5", "", "InvalidDigest"],
    ["another CRC32", "x-amz-checksum-crc32", checksum("CRC32", OTHER), "BadDigest"],
    ["another SHA-256", "x-amz-checksum-sha256", checksum("SHA256", OTHER), "BadDigest"],
    ["a malformed checksum", "x-amz-checksum-crc32", "abc", "InvalidRequest"],
  ])("is refused with %s, and nothing is changed", async (_what, header, value, code) => {
    const { path, body, bucket } = await at();
    const fields = header === "content-md5" ? fieldsOf(value, body, code) : {};
    await expectNoTrace(bucket, async () =>
      expectS3Error(await send(method, path, { body, headers: { [header]: value } }), { status: 400, code, fields }),
    );
  });

  it("is accepted with a correct digest", async () => {
    const { path, body } = await at();
    for (const headers of [
      { "content-md5": md5Base64(utf8(body)) },
      { "x-amz-checksum-crc32c": checksum("CRC32C", utf8(body)) },
    ]) {
      expect((await send(method, path, { body, headers })).status).toBeLessThan(300);
    }
  });
});

describe("the document of CreateBucket", () => {
  it("verifies a digest that is sent, and needs none", async () => {
    const name = freshBucketName();
    const body = "<CreateBucketConfiguration><LocationConstraint>auto</LocationConstraint></CreateBucketConfiguration>";
    const headers = { "content-md5": md5Base64(OTHER) };
    const fields = fieldsOf(md5Base64(OTHER), body, "BadDigest");
    await expectS3Error(await send("PUT", `/${name}`, { body, headers }), { status: 400, code: "BadDigest", fields });
    expect((await send("HEAD", `/${name}`)).status).toBe(404);
    expect((await send("PUT", `/${name}`, { body })).status).toBe(200);
  });
});
