// Presigned URLs end to end: any bearer can do exactly what was signed, and nothing else.
import { AwsClient } from "aws4fetch";
import { describe, expect, it } from "vitest";

import { anonymous, deliver, ENDPOINT, presigned, ROOT, send, streamOf } from "../support/client.ts";
import { checksum, expectBytes, md5Hex, noise, sha256Hex, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { freshUser } from "../support/users.ts";

const MINUTE = 60_000;

interface Signing {
  readonly signedAt?: number;
  readonly expires?: number;
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

/** A URL that any bearer can use, with only the host signed besides it. */
async function urlOf(method: string, target: string, signing: Signing = {}): Promise<string> {
  const { signedAt = Date.now(), expires = 60, credentials = ROOT } = signing;
  const url = new URL(`${ENDPOINT}${target}`);
  url.searchParams.set("X-Amz-Expires", String(expires));
  const client = new AwsClient({ ...credentials, service: "s3", region: "us-east-1" });
  const datetime = new Date(signedAt).toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  return (await client.sign(url.href, { method, aws: { signQuery: true, datetime } })).url;
}

/** Uses a URL as a browser does. */
async function use(
  method: string,
  url: string,
  body?: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return deliver(anonymous(method, url.slice(ENDPOINT.length), { body, headers }));
}

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
    const bucket = `t-${crypto.randomUUID()}`;
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

  it("still requires a length for an upload", async () => {
    const bucket = await freshBucket();
    const url = await urlOf("PUT", `/${bucket}/k`);
    const body = streamOf([utf8("text")]);
    await expectS3Error(await deliver(anonymous("PUT", url.slice(ENDPOINT.length), { body })), {
      status: 411,
      code: "MissingContentLength",
    });
  });
});

describe("a presigned URL is rejected", () => {
  async function refused(response: Response): Promise<void> {
    expect([response.status, await response.text()]).toEqual([403, expect.stringContaining("SignatureDoesNotMatch")]);
  }

  it("for another method, bucket, key or version", async () => {
    const [bucket, other] = [await freshBucket(), await freshBucket()];
    await putAll(bucket, { k: "x", "k/": "x", K: "x" });
    await putAll(other, { k: "x" });
    const url = await urlOf("GET", `/${bucket}/k`);
    expect((await use("HEAD", url)).status).toBe(403);
    for (const method of ["PUT", "DELETE", "POST"]) await refused(await use(method, url));
    await refused(await use("GET", url.replace(bucket, other)));
    for (const key of ["K", "k/", "k%2F", "/k", "k%00", "j"]) {
      const response = await use("GET", url.replace("/k?", `/${key}?`));
      await response.bytes();
      expect([400, 403]).toContain(response.status);
    }
    expect((await use("GET", url)).status).toBe(200);
  });

  it.each([
    "acl",
    "acl=",
    "versionId=null",
    "response-content-type=text%2Fhtml",
    "x-amz-meta-a=1",
    "x-amz-copy-source=b%2Fk",
    "partNumber=1",
    "x-id=GetObject",
    "_=1",
  ])("with additional parameters in its query: %s", async (addition) => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    for (const method of ["GET", "PUT", "DELETE"]) {
      const url = await urlOf(method, `/${bucket}/k`);
      await expectNoTrace(bucket, async () => refused(await use(method, `${url}&${addition}`)));
    }
  });

  it("with parameters removed from its query", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const url = await urlOf("GET", `/${bucket}/k?response-content-type=text%2Fplain`);
    await refused(await use("GET", url.replace("response-content-type=text%2Fplain&", "")));
    await expectS3Error(await use("GET", url.replace(/&X-Amz-Signature=\w+/, "")), {
      status: 400,
      code: "AuthorizationQueryParametersError",
    });
  });

  it("with a duplicate signature parameter", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const url = await urlOf("GET", `/${bucket}/k`, { signedAt: Date.now() - 10 * MINUTE });
    for (const addition of [
      "X-Amz-Expires=604800",
      "x-amz-expires=604800",
      `X-Amz-Date=${new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, "")}`,
      "X-Amz-Signature=0",
      "X-Amz-SignedHeaders=host",
    ]) {
      for (const doubled of [`${url}&${addition}`, url.replace("?", `?${addition}&`)]) {
        const response = await use("GET", doubled);
        await response.bytes();
        expect([400, 403], addition).toContain(response.status);
      }
    }
  });

  it("with unsigned x-amz- headers", async () => {
    const bucket = await freshBucket();
    const url = await urlOf("PUT", `/${bucket}/k`);
    for (const [name, value] of [
      ["x-amz-meta-a", "1"],
      ["x-amz-acl", "public-read"],
      ["x-amz-copy-source", `${bucket}/other`],
      ["content-md5", "CY9rzUYh03PK3k6DJie09g=="],
    ] as const) {
      await expectNoTrace(bucket, async () =>
        expectS3Error(await use("PUT", url, "x", { [name]: value }), {
          status: 403,
          code: "AccessDenied",
          fields: { HeadersNotSigned: name },
        }),
      );
    }
  });

  it.each(["-1", "0", "604801", "1e3", "0x100", "NaN", "%20300", "300.5", "9".repeat(20), ""])(
    "with an expiry of %j",
    async (expires) => {
      const bucket = await freshBucket();
      const url = (await urlOf("GET", `/${bucket}/k`)).replace("X-Amz-Expires=60", `X-Amz-Expires=${expires}`);
      const response = await use("GET", url);
      expect([response.status, await response.text()]).toEqual([
        400,
        expect.stringContaining("<Code>AuthorizationQueryParametersError</Code>"),
      ]);
    },
  );

  it("before its date, after its expiry, and with an expiry over a week", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const status = async (signing: Signing): Promise<readonly [number, string | undefined]> => {
      const response = await use("GET", await urlOf("GET", `/${bucket}/k`, signing));
      return [response.status, /<Message>([^<]*)/.exec(await response.text())?.[1]];
    };
    const now = Date.now();
    expect(await status({ signedAt: now - 2 * MINUTE, expires: 60 })).toEqual([403, "Request has expired"]);
    expect(await status({ signedAt: now - 2 * MINUTE, expires: 180 })).toEqual([200, undefined]);
    expect(await status({ signedAt: now + 20 * MINUTE })).toEqual([403, "Request is not valid yet"]);
    expect(await status({ signedAt: now + 10 * MINUTE })).toEqual([200, undefined]);
    const WEEK = 7 * 24 * 60 * MINUTE;
    expect(await status({ signedAt: now - WEEK + MINUTE, expires: 604_800 })).toEqual([200, undefined]);
    expect(await status({ signedAt: now - WEEK - MINUTE, expires: 604_800 })).toEqual([403, "Request has expired"]);
  });

  it("with a session token that was never issued, or without its token", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const url = await urlOf("GET", `/${bucket}/k`, { credentials: { ...ROOT, sessionToken: "made-up" } });
    expect(url).toContain("X-Amz-Security-Token=made-up");
    expect(await (await use("GET", url)).text()).toContain("<Code>InvalidToken</Code>");
    await refused(await use("GET", url.replace("X-Amz-Security-Token=made-up&", "")));
  });

  it("when it is older than a policy allows", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const { arn, credentials } = await freshUser({
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${bucket}/*`,
    });
    const body = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Deny",
          Principal: { AWS: arn },
          Action: "s3:GetObject",
          Resource: `arn:aws:s3:::${bucket}/*`,
          Condition: { NumericGreaterThan: { "s3:signatureAge": 10 * MINUTE } },
        },
      ],
    });
    expect((await send("PUT", `/${bucket}?policy`, { body })).status).toBe(204);
    const statusAfter = async (age: number): Promise<number> => {
      const url = await urlOf("GET", `/${bucket}/k`, { signedAt: Date.now() - age, expires: 3600, credentials });
      const response = await use("GET", url);
      await response.bytes();
      return response.status;
    };
    expect(await statusAfter(5 * MINUTE)).toBe(200);
    expect(await statusAfter(15 * MINUTE)).toBe(403);
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
