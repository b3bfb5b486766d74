// Request routing: subresources, methods, hosts, and authentication.
import { describe, expect, it } from "vitest";

import { OPERATIONS } from "../../src/gateway/operation-table.ts";
import { anonymous, deliver, ENDPOINT, presigned, ROOT, send, signed } from "../support/client.ts";
import { checksum, expectBytes, md5Hex, utf8 } from "../support/digests.ts";
import { expectHeadError, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { readXml } from "../support/read-xml.ts";

/** A bucket with one object, `k`. */
async function bucketOfOne(): Promise<string> {
  const bucket = await freshBucket();
  await putAll(bucket, { k: "as it was" });
  return bucket;
}

const MISSING = OPERATIONS.filter(({ implementation }) => implementation === undefined);

describe("an operation that is not implemented", () => {
  it.each(MISSING.map((operation) => [operation.name, operation] as const))(
    "returns 501 with its name and changes nothing: %s",
    async (name, { route }) => {
      const bucket = await bucketOfOne();
      const terms = route.query ?? [];
      const query = terms.join("&");
      const withValues = terms.map((term) => (term.includes("=") ? term : `${term}=`)).join("&");
      const path = route.level === "service" ? "/" : route.level === "bucket" ? `/${bucket}` : `/${bucket}/k`;
      const headers: Record<string, string> = route.header === undefined ? {} : { [route.header]: `/${bucket}/k` };
      const body = route.method === "GET" || route.method === "HEAD" ? undefined : "";
      const expected = {
        status: 501,
        code: "NotImplemented",
        message: `${name} is not implemented.`,
        fields: { Operation: name },
      };
      await expectNoTrace(bucket, async () => {
        // Additional parameters do not select another operation.
        const withOthers = [...terms, "x-id=PutObject", "prefix=a", "versionId=null"].join("&");
        for (const spelled of [query, withValues, withOthers]) {
          const target = spelled === "" ? path : `${path}?${spelled}`;
          await expectS3Error(await send(route.method, target, { headers, body }), expected);
        }
        // A caller without checked permissions receives no details.
        const target = query === "" ? path : `${path}?${query}`;
        await expectS3Error(await deliver(anonymous(route.method, target, { headers })), {
          status: 403,
          code: "AccessDenied",
        });
      });
    },
  );
});

describe("a method that a resource does not support", () => {
  it.each([
    ["PUT", "/", "SERVICE", "GET"],
    ["DELETE", "/", "SERVICE", "GET"],
    ["POST", "/", "SERVICE", "GET"],
    ["PATCH", "/b", "BUCKET", "PUT, HEAD, DELETE, GET, POST"],
    ["PATCH", "/b/k", "OBJECT", "PUT, GET, HEAD, DELETE"],
    ["POST", "/b/k", "OBJECT", "PUT, GET, HEAD, DELETE"],
    ["POST", "/b?policy", "POLICY", "GET, PUT, DELETE"],
    ["PUT", "/b?location", "LOCATION", "GET"],
    ["DELETE", "/b?versions", "VERSIONS", "GET"],
    ["GET", "/b?delete", "DELETE", "POST"],
    ["PUT", "/b/k?torrent", "TORRENT", "GET"],
    ["DELETE", "/b/k?attributes", "ATTRIBUTES", "GET"],
    ["GET", "/b/k?restore", "RESTORE", "POST"],
  ])("is refused as MethodNotAllowed: %s %s", async (method, target, resource, allow) => {
    const bucket = await bucketOfOne();
    await expectNoTrace(bucket, async () => {
      const response = await send(method, target.replace("/b", `/${bucket}`));
      expect(new Set((response.headers.get("allow") ?? "").split(", "))).toEqual(new Set(allow.split(", ")));
      await expectS3Error(response, {
        status: 405,
        code: "MethodNotAllowed",
        fields: { Method: method, ResourceType: resource },
      });
    });
  });

  it("returns no body for HEAD", async () => {
    const bucket = await bucketOfOne();
    for (const target of ["/", `/${bucket}?policy`, `/${bucket}/k?torrent`]) {
      const response = await send("HEAD", target);
      expect(response.headers.get("allow")).not.toBeNull();
      await expectHeadError(response, 405);
    }
  });
});

describe("subresources", () => {
  it("return InvalidArgument when they exclude each other", async () => {
    const bucket = await bucketOfOne();
    await expectNoTrace(bucket, async () => {
      for (const [method, target, both] of [
        ["GET", `/${bucket}?acl&policy`, "acl, policy"],
        ["DELETE", `/${bucket}?cors&lifecycle`, "cors, lifecycle"],
        ["PUT", `/${bucket}/k?acl&tagging`, "acl, tagging"],
        ["DELETE", `/${bucket}/k?tagging&uploadId=x`, "tagging, uploadId"],
      ] as const) {
        const response = await send(method, target);
        const [, resource = ""] = /<ResourceType>([^<]*)</.exec(await response.clone().text()) ?? [];
        expect(new Set(resource.split(", "))).toEqual(new Set(both.split(", ")));
        await expectS3Error(response, {
          status: 400,
          code: "InvalidArgument",
          message: "Conflicting query string parameters",
          fields: { ResourceType: resource },
        });
      }
    });
  });

  it.each([
    ["DELETE", "?uploadId=x", "uploadId", "a bucket"],
    ["PUT", "?uploadId=x&partNumber=1", "uploadId", "a bucket"],
    ["PUT", "?renameObject", "renameObject", "a bucket"],
    ["DELETE", "/k?lifecycle", "lifecycle", "an object"],
    ["DELETE", "/k?policy", "policy", "an object"],
    ["PUT", "/k?versioning", "versioning", "an object"],
    ["POST", "/k?delete", "delete", "an object"],
  ])("of another kind of resource are refused for writes: %s %s", async (method, rest, name, kind) => {
    const bucket = await freshBucket();
    await expectNoTrace(bucket, async () =>
      expectS3Error(await send(method, `/${bucket}${rest}`, { body: method === "DELETE" ? undefined : "x" }), {
        status: 400,
        code: "InvalidRequest",
        message: `The subresource ${name} is not one of ${kind}.`,
      }),
    );
    expect((await send("HEAD", `/${bucket}`)).status).toBe(200);
  });

  it("differ from parameters with other names or another case", async () => {
    const bucket = await bucketOfOne();
    for (const query of ["Policy", "policies", "x-policy", "ACL"]) {
      expect(readXml(await (await send("GET", `/${bucket}?${query}`)).text()).name).toBe("ListBucketResult");
    }
    await expectBytes(await send("GET", `/${bucket}/k?Tagging&x=acl`), "as it was");
  });
});

describe("unknown parameters", () => {
  it("are signed and otherwise ignored", async () => {
    const bucket = await freshBucket();
    const noise = "x-id=PutObject&x-purpose=a%20b&_=1&%C3%A9=%26&empty";
    expect((await send("PUT", `/${bucket}/k?${noise}`, { body: "x" })).status).toBe(200);
    await expectBytes(await send("GET", `/${bucket}/k?${noise}`), "x");
    expect((await send("HEAD", `/${bucket}/k?${noise}`)).status).toBe(200);
    expect(readXml(await (await send("GET", `/${bucket}?${noise}`)).text()).name).toBe("ListBucketResult");
    expect((await send("DELETE", `/${bucket}/k?${noise}`)).status).toBe(204);
    expect((await send("DELETE", `/${bucket}?${noise}`)).status).toBe(204);
  });

  it("cannot be added after signing", async () => {
    const bucket = await bucketOfOne();
    const request = await signed("GET", `/${bucket}?prefix=k`);
    for (const added of ["&x=1", "&prefix=", "&policy"]) {
      const response = await deliver(new Request(`${request.url}${added}`, { headers: request.headers }));
      expect(response.status).toBe(403);
      expect(await response.text()).toContain("<Code>SignatureDoesNotMatch</Code>");
    }
  });
});

describe("virtual-hosted style", () => {
  const at = (bucket: string, domain = "s3.example.com"): { readonly endpoint: string } => ({
    endpoint: `http://${bucket}.${domain}`,
  });

  it("takes the bucket from the host: create, put, get, list, delete", async () => {
    const bucket = freshBucketName();
    expect((await send("PUT", "/", at(bucket))).status).toBe(200);
    expect((await send("PUT", "/a/k", { ...at(bucket), body: "x" })).status).toBe(200);
    await expectBytes(await send("GET", "/a/k", at(bucket)), "x");
    await expectBytes(await send("GET", `/${bucket}/a/k`), "x");
    const listing = await send("GET", "/?list-type=2&prefix=a/", at(bucket));
    expect(await listing.text()).toContain("<Key>a/k</Key>");
    expect((await send("HEAD", "/", at(bucket))).status).toBe(200);
    expect((await send("DELETE", "/a/k", at(bucket))).status).toBe(204);
    expect((await send("DELETE", "/", at(bucket))).status).toBe(204);
  });

  it("passes the whole path to the key: slashes, and a first segment that looks like a bucket", async () => {
    const bucket = await freshBucket();
    for (const [path, key] of [
      ["//key", "/key"],
      ["///", "//"],
      [`/${bucket}/k`, `${bucket}/k`],
    ] as const) {
      expect((await send("PUT", path, { ...at(bucket), body: key })).status).toBe(200);
      expect((await storedStateOf(bucket)).objects[key]?.etag).toBe(md5Hex(key));
      await expectBytes(await send("GET", path, at(bucket)), key);
    }
  });

  it("accepts the host in any case and with a port", async () => {
    const bucket = await bucketOfOne();
    const request = await signed("GET", "/k", { endpoint: `http://${bucket}.s3.example.com:8443` });
    request.headers.set("host", `${bucket}.s3.example.com:8443`);
    await expectBytes(await deliver(request), "as it was");
    const upper = await presigned("GET", "/k", at(bucket));
    upper.headers.set("host", `${bucket.toUpperCase()}.S3.Example.COM`);
    // The signature covers the host as it was sent, so this request reaches the bucket and then fails authentication.
    const response = await deliver(upper);
    expect(response.status).toBe(403);
    expect(await response.text()).toContain("<Code>SignatureDoesNotMatch</Code>");
  });

  it("applies only to the domains of the setting, several of them, and their subdomains", async () => {
    const bucket = await bucketOfOne();
    const settings = { DOMAINS: "one.test, two.test" };
    for (const domain of ["one.test", "two.test"]) {
      await expectBytes(await send("GET", "/k", at(bucket, domain), settings), "as it was");
    }
    for (const endpoint of [`http://${bucket}.three.test`, `http://${bucket}one.test`]) {
      await expectS3Error(await send("GET", "/k", { endpoint }, settings), {
        status: 400,
        code: "InvalidBucketName",
        fields: { BucketName: "k" },
      });
      await expectBytes(await send("GET", `/${bucket}/k`, { endpoint }, settings), "as it was");
    }
    await expectBytes(await send("GET", `/${bucket}/k`, { endpoint: "http://one.test" }, settings), "as it was");
  });

  it("rejects a host whose label is no valid bucket name", async () => {
    for (const bucket of ["a_b", "-ab", "ab"]) {
      const response = await send("GET", "/k", at(bucket));
      await expectS3Error(response, { status: 400, code: "InvalidBucketName", fields: { BucketName: bucket } });
    }
  });

  it("ignores X-Forwarded-Host", async () => {
    const bucket = await bucketOfOne();
    const response = await send("GET", `/${bucket}/k`, {
      headers: { "x-forwarded-host": `other.s3.example.com`, "x-http-method-override": "DELETE" },
    });
    await expectBytes(response, "as it was");
  });
});

describe("anonymous requests", () => {
  it.each([
    ["GET", "/"],
    ["PUT", "/b"],
    ["GET", "/b"],
    ["GET", "/b?list-type=2"],
    ["GET", "/b?location"],
    ["DELETE", "/b"],
    ["GET", "/b/k"],
    ["GET", "/b/not-there"],
    ["PUT", "/b/k"],
    ["DELETE", "/b/k"],
    ["POST", "/b?delete"],
    ["GET", "/b?policy"],
    ["GET", "/b/k?response-content-type=text%2Fhtml"],
  ])("are refused as AccessDenied and change nothing: %s %s", async (method, target) => {
    const bucket = await bucketOfOne();
    const body = method === "PUT" || method === "POST" ? "x" : undefined;
    await expectNoTrace(bucket, async () =>
      expectS3Error(await deliver(anonymous(method, target.replace("/b", `/${bucket}`), { body })), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });

  it("are rejected without a body for HEAD", async () => {
    const bucket = await bucketOfOne();
    for (const target of [`/${bucket}`, `/${bucket}/k`, `/${bucket}/not-there`]) {
      await expectHeadError(await deliver(anonymous("HEAD", target)), 403);
    }
  });

  it("are requests without any credentials: malformed credentials are rejected", async () => {
    const bucket = await bucketOfOne();
    for (const [authorization, status] of [
      ["AWS4-HMAC-SHA256 nonsense", 400],
      ["AWS AKID:signature", 400],
      ["Basic dXNlcjpwYXNz", 400],
    ] as const) {
      const response = await deliver(anonymous("GET", `/${bucket}/k`, { headers: { authorization } }));
      expect(response.status, authorization).toBe(status);
      await response.arrayBuffer();
    }
  });
});

describe("invalid credentials", () => {
  it("are rejected equally whether or not the resource exists", async () => {
    const bucket = await bucketOfOne();
    const wrong = { accessKeyId: ROOT.accessKeyId, secretAccessKey: "wrong" };
    for (const target of [`/${bucket}/k`, `/${bucket}/not-there`, `/${freshBucketName()}/k`]) {
      const response = await send("GET", target, { credentials: wrong });
      expect(response.status).toBe(403);
      expect(await response.text()).toContain("<Code>SignatureDoesNotMatch</Code>");
    }
    for (const accessKeyId of ["AKIDUNKNOWN", "__proto__", "constructor"]) {
      const credentials = { accessKeyId, secretAccessKey: ROOT.secretAccessKey };
      await expectS3Error(await send("GET", `/${bucket}/k`, { credentials }), {
        status: 403,
        code: "InvalidAccessKeyId",
        fields: { AWSAccessKeyId: accessKeyId },
      });
    }
  });

  it("are rejected with root's access key when root has none", async () => {
    const bucket = await bucketOfOne();
    for (const scope of [
      { CAIRN_ROOT_ACCESS_KEY_ID: "" },
      { CAIRN_ROOT_SECRET_ACCESS_KEY: "" },
      { CAIRN_ROOT_SECRET_ACCESS_KEY: "undefined" },
    ]) {
      expect((await send("GET", `/${bucket}/k`, {}, scope)).status).toBe(403);
    }
  });

  it("are accepted with any region when valid", async () => {
    const bucket = await bucketOfOne();
    for (const region of ["auto", "eu-west-1", "local"]) {
      await expectBytes(await send("GET", `/${bucket}/k`, { region }), "as it was");
    }
  });

  it("do not carry over to another method", async () => {
    const bucket = await bucketOfOne();
    const request = await signed("GET", `/${bucket}/k`);
    for (const method of ["DELETE", "PUT", "POST", "HEAD"]) {
      await expectNoTrace(bucket, async () => {
        const response = await deliver(new Request(request.url, { method, headers: request.headers }));
        expect(response.status, method).toBe(403);
        await response.arrayBuffer();
      });
    }
  });
});

describe("x-amz-expected-bucket-owner", () => {
  const owner = "000000000000";

  it("accepts the owner's account id and rejects any other", async () => {
    const bucket = await bucketOfOne();
    for (const [method, target] of [
      ["GET", `/${bucket}`],
      ["GET", `/${bucket}?list-type=2`],
      ["GET", `/${bucket}?location`],
      ["GET", `/${bucket}/k`],
      ["PUT", `/${bucket}/k`],
      ["DELETE", `/${bucket}/k`],
      ["DELETE", `/${bucket}`],
    ] as const) {
      await expectNoTrace(bucket, async () =>
        expectS3Error(await send(method, target, { headers: { "x-amz-expected-bucket-owner": "111111111111" } }), {
          status: 403,
          code: "AccessDenied",
        }),
      );
      const response = await send(method, target, { headers: { "x-amz-expected-bucket-owner": owner } });
      expect(response.status, `${method} ${target}`).toBeLessThan(300);
      await response.arrayBuffer();
    }
  });

  it("must be an account id", async () => {
    const bucket = await bucketOfOne();
    for (const value of ["me", "12345678901", "1234567890123", "12345678901x"]) {
      await expectS3Error(await send("GET", `/${bucket}/k`, { headers: { "x-amz-expected-bucket-owner": value } }), {
        status: 400,
        code: "InvalidBucketOwnerAWSAccountID",
      });
    }
  });

  it("applies in a presigned URL too", async () => {
    const bucket = await bucketOfOne();
    const of = (id: string) => presigned("GET", `/${bucket}/k?x-amz-expected-bucket-owner=${id}`);
    await expectS3Error(await deliver(await of("111111111111")), { status: 403, code: "AccessDenied" });
    await expectBytes(await deliver(await of(owner)), "as it was");
  });
});

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
