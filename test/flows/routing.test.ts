// Request routing: operations, methods, subresources, query parameters and virtual-hosted addresses.
import { describe, expect, it } from "vitest";

import { OPERATIONS } from "../../src/gateway/operation-table.ts";
import { anonymous, deliver, presigned, send, signed } from "../support/client.ts";
import { expectBytes, md5Hex } from "../support/digests.ts";
import { expectHeadError, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { readXml } from "../support/read-xml.ts";
import { bucketOfOne } from "./routing-fixture.ts";

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
