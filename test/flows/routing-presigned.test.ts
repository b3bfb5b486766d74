// Presigned URLs of every operation: parameters in the query, signed and additional headers, expiry.
import { describe, expect, it } from "vitest";

import { deliver, ENDPOINT, presigned, send, signed } from "../support/client.ts";
import { checksum, expectBytes, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";
import { bucketOfOne } from "./routing-fixture.ts";

describe("presigned URLs", () => {
  it("support every kind of request", async () => {
    const bucket = freshBucketName();
    const go = async (method: string, target: string, body?: string) =>
      deliver(await presigned(method, target, body === undefined ? {} : { body }));
    expect((await go("PUT", `/${bucket}`)).status).toBe(200);
    expect((await go("PUT", `/${bucket}/a%20b`, "x")).status).toBe(200);
    expect((await go("HEAD", `/${bucket}/a%20b`)).status).toBe(200);
    await expectBytes(await go("GET", `/${bucket}/a%20b`), "x");
    expect(await (await go("GET", `/${bucket}?list-type=2&prefix=a%20`)).text()).toContain("<Key>a b</Key>");
    expect((await go("DELETE", `/${bucket}/a%20b`)).status).toBe(204);
    expect((await go("DELETE", `/${bucket}`)).status).toBe(204);
  });

  it("obey metadata, storage class and conditions in their query like headers", async () => {
    const bucket = await freshBucket();
    const query =
      "x-amz-meta-a=b%20c&X-Amz-Meta-Name=Gr%C3%BC%C3%9Fe&x-amz-storage-class=STANDARD_IA&x-amz-acl=private";
    expect((await deliver(await presigned("PUT", `/${bucket}/k?${query}`, { body: "x" }))).status).toBe(200);
    const { headers } = await send("HEAD", `/${bucket}/k`);
    expect(headers.get("x-amz-meta-a")).toBe("b c");
    expect(headers.get("x-amz-meta-name")).toBe(`=?UTF-8?B?${btoa("Gr\u00c3\u00bc\u00c3\u009fe")}?=`);
    expect(headers.get("x-amz-storage-class")).toBe("STANDARD_IA");
    await expectS3Error(await deliver(await presigned("PUT", `/${bucket}/k?x-amz-acl=public-read`, { body: "x" })), {
      status: 400,
      code: "AccessControlListNotSupported",
    });
  });

  it("ignore a checksum in their query, because SDKs put that of an empty body there", async () => {
    const bucket = await freshBucket();
    const query = "x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32";
    const response = await deliver(await presigned("PUT", `/${bucket}/k?${query}`, { body: "not empty" }));
    expect(response.status).toBe(200);
    expect(response.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", utf8("not empty")));
    const sent = { "x-amz-checksum-crc32": "AAAAAA==" };
    await expectNoTrace(bucket, async () =>
      expectS3Error(await deliver(await presigned("PUT", `/${bucket}/k`, { body: "not empty", headers: sent })), {
        status: 400,
        code: "BadDigest",
      }),
    );
  });

  it("fix the headers that they sign", async () => {
    const bucket = await freshBucket();
    const headers = { "content-type": "text/css", "if-none-match": "*" };
    const request = await presigned("PUT", `/${bucket}/k`, { body: "x", headers });
    const { url } = request;
    for (const changed of [{}, { "content-type": "text/html", "if-none-match": "*" }, { "content-type": "text/css" }]) {
      await expectNoTrace(bucket, async () => {
        const sent = { "content-length": "1", ...changed };
        const response = await deliver(new Request(url, { method: "PUT", headers: sent, body: utf8("x") }));
        expect(response.status).toBe(403);
        expect(await response.text()).toContain("<Code>SignatureDoesNotMatch</Code>");
      });
    }
    expect((await deliver(request)).status).toBe(200);
    expect((await send("HEAD", `/${bucket}/k`)).headers.get("content-type")).toBe("text/css");
    const again = new Request(url, { method: "PUT", headers: { ...headers, "content-length": "1" }, body: utf8("y") });
    await expectS3Error(await deliver(again), {
      status: 412,
      code: "PreconditionFailed",
      fields: { Condition: "If-None-Match" },
    });
  });

  it("accept additional harmless headers, and reject additional meaningful ones", async () => {
    const bucket = await freshBucket();
    const { url } = await presigned("PUT", `/${bucket}/k`);
    const put = async (headers: Record<string, string>) =>
      deliver(new Request(url, { method: "PUT", headers: { "content-length": "1", ...headers }, body: utf8("x") }));
    for (const headers of [{ "x-amz-meta-a": "1" }, { "x-amz-acl": "private" }, { "content-md5": "x" }]) {
      await expectNoTrace(bucket, async () =>
        expectS3Error(await put(headers), {
          status: 403,
          code: "AccessDenied",
          message: "There were headers present in the request which were not signed",
          fields: { HeadersNotSigned: Object.keys(headers).join(", ") },
        }),
      );
    }
    expect((await put({ "content-type": "text/css", "cache-control": "no-cache" })).status).toBe(200);
    expect((await send("HEAD", `/${bucket}/k`)).headers.get("content-type")).toBe("text/css");
  });

  it("are rejected before their date and after their expiry", async () => {
    const bucket = await bucketOfOne();
    for (const [expires, message] of [
      ["604801", /^X-Amz-Expires must be less than a week/],
      ["-1", "X-Amz-Expires must be non-negative"],
      ["x", "X-Amz-Expires should be a number"],
    ] as const) {
      const request = await presigned("GET", `/${bucket}/k?X-Amz-Expires=${expires}`);
      await expectS3Error(await deliver(request), { status: 400, code: "AuthorizationQueryParametersError", message });
    }
    const request = await presigned("GET", `/${bucket}/k`, { expires: 604_800 });
    await expectBytes(await deliver(request), "as it was");
  });

  it("are rejected with an Authorization header, unless its scheme is not S3's", async () => {
    const bucket = await bucketOfOne();
    const { url } = await presigned("GET", `/${bucket}/k`);
    const { headers } = await signed("GET", `/${bucket}/k`);
    const both = await deliver(new Request(url, { headers }));
    expect(both.status).toBe(400);
    expect(await both.text()).toContain("<Code>InvalidArgument</Code>");
    const foreign = new Request(url, { headers: { authorization: "Bearer for-another-service" } });
    await expectBytes(await deliver(foreign), "as it was");
  });

  it("are valid for one method, key, bucket and query only", async () => {
    const bucket = await bucketOfOne();
    await putAll(bucket, { other: "secret" });
    const { url } = await presigned("GET", `/${bucket}/k`);
    for (const changed of [
      new Request(url, { method: "DELETE" }),
      new Request(url, { method: "HEAD" }),
      new Request(url.replace("/k?", "/other?")),
      new Request(url.replace(ENDPOINT, "http://localhost:9001")),
      new Request(`${url}&versionId=null`),
      new Request(url.replace("/k?", "/k?acl&")),
    ]) {
      await expectNoTrace(bucket, async () => {
        const response = await deliver(changed);
        expect(response.status, changed.url).toBe(403);
        await response.arrayBuffer();
      });
    }
  });
});
