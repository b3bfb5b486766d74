// Presigned URLs end to end: any bearer can do exactly what was signed.
import { describe, expect, it } from "vitest";

import { deliver, ENDPOINT, presigned, send } from "../support/client.ts";
import { checksum, expectBytes, md5Hex, noise, sha256Hex, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { urlOf, use } from "./presigned-fixture.ts";

async function presignAndUse(method: string, target: string, body?: string | Uint8Array): Promise<Response> {
  return use(method, await urlOf(method, target), body);
}

describe("a presigned URL", () => {
  it("puts, gets, heads and deletes an object", async () => {
    const bucket = await freshBucket();
    const put = await presignAndUse("PUT", `/${bucket}/a%20b`, "text");
    expect([put.status, put.headers.get("etag")]).toEqual([200, `"${md5Hex("text")}"`]);
    expect(await (await presignAndUse("GET", `/${bucket}/a%20b`)).text()).toBe("text");
    const head = await presignAndUse("HEAD", `/${bucket}/a%20b`);
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "4"]);
    expect((await presignAndUse("DELETE", `/${bucket}/a%20b`)).status).toBe(204);
    await expectS3Error(await presignAndUse("GET", `/${bucket}/a%20b`), {
      status: 404,
      code: "NoSuchKey",
      fields: { Key: "a b" },
    });
  });

  it("creates and deletes a bucket, lists it, and lists all buckets", async () => {
    const bucket = freshBucketName();
    expect((await presignAndUse("PUT", `/${bucket}`)).status).toBe(200);
    await putAll(bucket, { "a/1": "", "b/2": "" });
    const text = await (await presignAndUse("GET", `/${bucket}?list-type=2&prefix=a%2F`)).text();
    expect(text).toContain("<Key>a/1</Key>");
    expect(text).not.toContain("b/2");
    expect((await presignAndUse("GET", "/")).status).toBe(200);
    const document = "<Delete><Object><Key>a/1</Key></Object><Object><Key>b/2</Key></Object></Delete>";
    const url = await urlOf("POST", `/${bucket}?delete`);
    const headers = { "x-amz-checksum-crc32": checksum("CRC32", utf8(document)) };
    // A checksum is one more header to sign.
    await expectS3Error(await use("POST", url, document, headers), {
      status: 403,
      code: "AccessDenied",
      fields: { HeadersNotSigned: "x-amz-checksum-crc32" },
    });
    for (const key of ["a/1", "b/2"]) await presignAndUse("DELETE", `/${bucket}/${key}`);
    expect((await presignAndUse("DELETE", `/${bucket}`)).status).toBe(204);
  });

  it("uploads a multipart object", async () => {
    const bucket = await freshBucket();
    const created = await (await presignAndUse("POST", `/${bucket}/k?uploads=`)).text();
    const uploadId = textOf(readXml(created), "UploadId") ?? "";
    const parts = [noise(5 * 1024 * 1024, 1), noise(100, 2)];
    const listed: string[] = [];
    for (const [index, part] of parts.entries()) {
      const target = `/${bucket}/k?partNumber=${index + 1}&uploadId=${uploadId}`;
      const response = await presignAndUse("PUT", target, part);
      expect(response.status).toBe(200);
      const etag = response.headers.get("etag") ?? "";
      listed.push(`<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
    }
    expect(await (await presignAndUse("GET", `/${bucket}/k?uploadId=${uploadId}`)).text()).toContain(
      "<Size>100</Size>",
    );
    const document = `<CompleteMultipartUpload>${listed.join("")}</CompleteMultipartUpload>`;
    expect((await presignAndUse("POST", `/${bucket}/k?uploadId=${uploadId}`, document)).status).toBe(200);
    const whole = new Uint8Array([...(parts[0] ?? []), ...(parts[1] ?? [])]);
    await expectBytes(await presignAndUse("GET", `/${bucket}/k`), whole);
    const other = textOf(readXml(await (await presignAndUse("POST", `/${bucket}/o?uploads`)).text()), "UploadId");
    expect((await presignAndUse("DELETE", `/${bucket}/o?uploadId=${other ?? ""}`)).status).toBe(204);
  });

  it("copies with a signed source", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { source: "text" });
    const source = encodeURIComponent(`/${bucket}/source`);
    expect((await presignAndUse("PUT", `/${bucket}/copy?x-amz-copy-source=${source}`)).status).toBe(200);
    expect(await (await send("GET", `/${bucket}/copy`)).text()).toBe("text");
    const renamed = await presignAndUse("PUT", `/${bucket}/renamed?renameObject&x-amz-rename-source=copy`);
    expect(renamed.status).toBe(200);
    expect(await (await send("GET", `/${bucket}/renamed`)).text()).toBe("text");
  });

  it("obeys the headers that are signed into its query", async () => {
    const bucket = await freshBucket();
    const query = new URLSearchParams({
      "x-amz-meta-Color": "sea blue",
      "X-Amz-Tagging": "a=1&b=2",
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-acl": "private",
      "x-amz-server-side-encryption": "AES256",
    });
    const url = await urlOf("PUT", `/${bucket}/k?${query.toString().replaceAll("+", "%20")}`);
    // Unsigned headers are allowed only without the x-amz- prefix.
    expect((await use("PUT", url, "text", { "content-type": "text/plain", "cache-control": "max-age=1" })).status).toBe(
      200,
    );
    const head = await send("HEAD", `/${bucket}/k`);
    expect(Object.fromEntries(head.headers)).toMatchObject({
      "x-amz-meta-color": "sea blue",
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-tagging-count": "2",
      "content-type": "text/plain",
      "cache-control": "max-age=1",
    });
    await expectS3Error(await presignAndUse("PUT", `/${bucket}/other?x-amz-storage-class=NONE`, "text"), {
      status: 400,
      code: "InvalidStorageClass",
      fields: { StorageClassRequested: "NONE" },
    });
  });

  it("ignores the checksum of an empty body in its query", async () => {
    const bucket = await freshBucket();
    const query = "x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&x-id=PutObject";
    const response = await presignAndUse("PUT", `/${bucket}/k?X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&${query}`, "text");
    expect(response.status).toBe(200);
    expect(response.headers.get("x-amz-checksum-crc32")).toBeNull();
    expect(response.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", utf8("text")));
    // In a header it is verified.
    const headers = { "x-amz-checksum-crc32": "AAAAAA==" };
    const signedHeader = await presigned("PUT", `/${bucket}/k`, { body: "text", headers });
    await expectS3Error(await deliver(signedHeader), { status: 400, code: "BadDigest" });
  });

  it("fixes the body's digest when it is signed", async () => {
    const bucket = await freshBucket();
    const headers = { "x-amz-content-sha256": sha256Hex(utf8("test")) };
    const { url } = await presigned("PUT", `/${bucket}/k`, { headers });
    expect((await use("PUT", url, "test", headers)).status).toBe(200);
    await expectNoTrace(bucket, async () => {
      const response = await use("PUT", url, "another", headers);
      expect(await response.text()).toContain("<Code>XAmzContentSHA256Mismatch</Code>");
    });
  });

  it("fixes the headers that it signs", async () => {
    const bucket = await freshBucket();
    const headers = { "content-type": "image/png", "if-none-match": "*" };
    const request = await presigned("PUT", `/${bucket}/k`, { headers });
    expect(new URL(request.url).searchParams.get("X-Amz-SignedHeaders")).toBe("content-type;host;if-none-match");
    for (const wrong of [{}, { ...headers, "content-type": "text/html" }, { "content-type": "image/png" }]) {
      await expectNoTrace(bucket, async () =>
        expect(await (await use("PUT", request.url, "x", wrong)).text()).toContain(
          "<Code>SignatureDoesNotMatch</Code>",
        ),
      );
    }
    expect((await use("PUT", request.url, "x", headers)).status).toBe(200);
    expect((await use("PUT", request.url, "x", headers)).status).toBe(412);
  });
});

describe("response header overrides in a presigned URL", () => {
  it("replace the stored headers", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const query = new URLSearchParams({
      "response-content-type": "text/plain",
      "response-content-language": "de",
      "response-expires": "Fri, 02 Jan 2026 03:04:05 GMT",
      "response-cache-control": "no-store",
      "response-content-disposition": 'attachment; filename="a b.txt"',
      "response-content-encoding": "identity",
    });
    const response = await presignAndUse("GET", `/${bucket}/k?${query.toString().replaceAll("+", "%20")}`);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/plain",
      "content-language": "de",
      expires: "Fri, 02 Jan 2026 03:04:05 GMT",
      "cache-control": "no-store",
      "content-disposition": 'attachment; filename="a b.txt"',
      "content-encoding": "identity",
    });
    await response.bytes();
  });

  it("never contain a line break", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    for (const value of ["x%0d%0aSet-Cookie:%20a=b", "x%0aSet-Cookie:%20a=b", "x%0d", "x%00"]) {
      const response = await presignAndUse("GET", `/${bucket}/k?response-content-disposition=${value}`);
      expect(response.headers.get("set-cookie")).toBeNull();
      expect(await response.text()).toContain("<ArgumentName>response-content-disposition</ArgumentName>");
      expect(response.status).toBe(400);
    }
  });

  it("are rejected in unsigned requests", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const body = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/*` }],
    });
    expect((await send("PUT", `/${bucket}?policy`, { body })).status).toBe(204);
    await expectS3Error(await use("GET", `${ENDPOINT}/${bucket}/k?response-content-type=text%2Fhtml`), {
      status: 400,
      code: "InvalidRequest",
      message: "Request specific response headers cannot be used for anonymous GET requests.",
    });
  });
});
