// The front door: which API a request reaches, and that nothing is changed on the way to it and back.
import { afterEach, describe, expect, it, vi } from "vitest";

import { NO_DELIVERY, parseDelivery } from "../../src/protocol/core/host-names.ts";
import { doorOf } from "../../src/gateway/door.ts";
import { anonymous, deliver, send } from "../support/client.ts";
import { connectionLost, d1With } from "../support/faults.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

const DOMAINS = { domains: ["s3.example.com"], delivery: NO_DELIVERY };

function request(url: string, headers: Record<string, string> = {}): Request {
  return new Request(url, { headers: { host: new URL(url).host, ...headers } });
}

function credential(service: string): string {
  return `AWS4-HMAC-SHA256 Credential=KEY/20261129/auto/${service}/aws4_request, SignedHeaders=host, Signature=0`;
}

afterEach(() => vi.unstubAllGlobals());

describe("the door of a request", () => {
  it("is S3 by default", () => {
    expect(doorOf(request("https://s3.example.com/"), DOMAINS)).toBe("s3");
    expect(doorOf(request("https://s3.example.com/b/_/health"), DOMAINS)).toBe("s3");
    expect(doorOf(request("https://s3.example.com/_/healthy"), DOMAINS)).toBe("s3");
    expect(doorOf(request("https://s3.example.com/", { authorization: credential("s3") }), DOMAINS)).toBe("s3");
  });

  it("is IAM or STS when the signature's scope names it, in the header or the query", () => {
    expect(doorOf(request("https://s3.example.com/", { authorization: credential("iam") }), DOMAINS)).toBe("iam");
    const query = "X-Amz-Credential=KEY%2F20261129%2Fauto%2Fsts%2Faws4_request";
    expect(doorOf(request(`https://s3.example.com/?${query}`), DOMAINS)).toBe("sts");
  });

  it.each([
    ["list-type=2&X-Amz-Credential=KEY/20261129/auto/iam/aws4_request&x=1", "iam"],
    ["X-Amz-Credential=KEY%2f20261129%2fauto%2f%73ts%2faws4_request", "sts"],
    ["X-Amz-Credential=KEY/20261129/auto/s3/aws4_request&X-Amz-Credential=KEY/20261129/auto/iam/aws4_request", "s3"],
    ["Y-X-Amz-Credential=KEY/20261129/auto/iam/aws4_request", "s3"],
    ["X-Amz-Credential", "s3"],
    ["X-Amz-Credential=", "s3"],
    ["X-Amz-Credential=KEY/20261129/auto/iam", "iam"],
    ["X-Amz-Credential=%ZZ/20261129/auto/iam/aws4_request", "s3"],
    ["X-Amz-Credential=KEY/20261129/auto/iam/aws4_request&prefix=%ZZ", "iam"],
  ])("with the query %s is that of the first credential that can be decoded: %s", (query, door) => {
    expect(doorOf(request(`https://s3.example.com/?${query}`), DOMAINS)).toBe(door);
  });

  it("of a query with malformed escapes beside a credential answers 400", async () => {
    for (const query of ["X-Amz-Credential=%ZZ", "X-Amz-Credential=KEY/20261129/auto/s3/aws4_request&prefix=%ff"]) {
      const response = await deliver(anonymous("GET", `/bucket?${query}`));
      expect([response.status, (await response.text()).includes("<Code>InvalidURI</Code>")]).toEqual([400, true]);
    }
    const iam = "Action=ListUsers&Version=2010-05-08&X-Amz-Credential=KEY/20261129/auto/iam/aws4_request&x=%ZZ";
    expect((await deliver(anonymous("GET", `/?${iam}`))).status).toBe(404);
  });

  it("is metrics on its path in path style, and a key of a bucket's host", () => {
    expect(doorOf(request("https://s3.example.com/_/metrics"), DOMAINS)).toBe("metrics");
    expect(doorOf(request("https://b.s3.example.com/_/metrics"), DOMAINS)).toBe("s3");
    expect(doorOf(request("https://s3.example.com/_/metrics/"), DOMAINS)).toBe("s3");
  });

  it("is health on its path in path style, with and without a configured domain", () => {
    expect(doorOf(request("https://s3.example.com/_/health"), DOMAINS)).toBe("health");
    expect(doorOf(request("https://other.example/_/health?x=1"), DOMAINS)).toBe("health");
  });

  it("is delivery on a delivery host, whatever the request looks like", () => {
    const hosts = {
      domains: ["s3.example.com"],
      delivery: parseDelivery("cdn.example.org=bucket, *.site.example.org") ?? NO_DELIVERY,
    };
    for (const host of ["cdn.example.org", "CDN.example.org.:80", "x.site.example.org"]) {
      expect(doorOf(request(`https://${host}/_/health`, { host }), hosts)).toBe("delivery");
      expect(doorOf(request(`https://${host}/`, { host, authorization: credential("iam") }), hosts)).toBe("delivery");
    }
    for (const host of ["site.example.org", "xcdn.example.org", "cdn.example.org.evil.example"]) {
      expect(doorOf(request(`https://${host}/`, { host }), hosts)).toBe("s3");
    }
  });

  it("is S3 on the same path of a bucket's host, where the path is a key", () => {
    expect(doorOf(request("https://bucket.s3.example.com/_/health"), DOMAINS)).toBe("s3");
  });
});

describe("an object whose key looks like a door", () => {
  it("is stored and returned through its bucket's host", async () => {
    const bucket = await freshBucket();
    const endpoint = `http://${bucket}.s3.example.com`;
    expect((await send("PUT", "/_/health", { endpoint, body: "a key" })).status).toBe(200);
    expect(await (await send("GET", "/_/health", { endpoint })).text()).toBe("a key");
  });
});

describe("health", () => {
  it("returns 200 with the bindings, the schema and the last cron", async () => {
    const response = await deliver(anonymous("GET", "/_/health"));
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const health = await response.json<Record<string, unknown>>();
    expect(health).toMatchObject({
      ok: true,
      bindings: { d1: true, blobs: true, coordinators: true },
      databaseBytes: expect.any(Number),
      databaseMaxBytes: 10_000_000_000,
      misconfigured: [],
    });
    expect(health["schema"]).toMatch(/^\d{4}_\w+\.sql$/);
  });

  it("returns 503 and names the unreachable binding", async () => {
    const response = await deliver(anonymous("GET", "/_/health"), {
      DB: d1With(() => Promise.reject(connectionLost())),
    });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await response.json()).toMatchObject({ ok: false, bindings: { d1: false, blobs: true }, schema: null });
  });

  it("names wrong settings and repeats no value", async () => {
    const response = await deliver(anonymous("GET", "/_/health"), { REBUILD: "secret-value" });
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ misconfigured: ["REBUILD"] });
    expect(text).not.toContain("secret-value");
  });

  it("answers HEAD without a body and refuses other methods", async () => {
    const head = await deliver(anonymous("HEAD", "/_/health"));
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect((await deliver(anonymous("POST", "/_/health"))).status).toBe(405);
  });
});

describe("responses that pass the front door", () => {
  it("keep the Content-Length and Content-Encoding of a HEAD", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: "0123456789", headers: { "content-encoding": "gzip" } });
    const head = await send("HEAD", `/${bucket}/k`);
    expect(head.headers.get("content-length")).toBe("10");
    expect(head.headers.get("content-encoding")).toBe("gzip");
    expect(await head.text()).toBe("");
  });

  it("are built once, also for a HEAD", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: "text" });
    const built: Response[] = [];
    class CountedResponse extends Response {
      constructor(...init: ConstructorParameters<typeof Response>) {
        super(...init);
        built.push(this);
      }
    }
    vi.stubGlobal("Response", CountedResponse);
    for (const target of [`/${bucket}/k`, `/${bucket}/missing`]) {
      const response = await deliver(anonymous("HEAD", target));
      expect([target, built.splice(0).map((each) => each === response)]).toEqual([target, [true]]);
    }
  });

  it("keep an encoded body as it was stored", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: "not gzip at all", headers: { "content-encoding": "gzip" } });
    const response = await send("GET", `/${bucket}/k`);
    expect(response.headers.get("content-encoding")).toBe("gzip");
  });

  it("keep a 304 without a body", async () => {
    const bucket = await freshBucket();
    const put = await send("PUT", `/${bucket}/k`, { body: "x" });
    const headers = { "if-none-match": put.headers.get("etag") ?? "" };
    const response = await send("GET", `/${bucket}/k`, { headers });
    expect([response.status, response.headers.get("etag")]).toEqual([304, put.headers.get("etag")]);
  });

  it("reach methods that HTTP does not know", async () => {
    const response = await deliver(anonymous("PROPFIND", "/bucket"));
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.headers.get("content-type")).toBe("application/xml");
  });
});
