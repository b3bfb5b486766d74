import { describe, expect, it, vi } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { corsDocument, putCors } from "../support/cors.ts";
import { publicSite, seen, siteOf, textOf, visit, WILDCARD } from "../support/delivery.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { d1With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { publicReadPolicy, putPolicy } from "../support/policies.ts";
import { putWebsite, websiteDocument } from "../support/websites.ts";

describe("a delivery host", () => {
  it("is found in any case, with a port and with the dot of the root", async () => {
    const site = await publicSite({ a: "text" });
    for (const host of [site.host.toUpperCase(), `${site.host}:8787`, `${site.host}.`, `${site.host}.:80`]) {
      const request = anonymous("GET", "/a", { endpoint: `http://${site.host}`, headers: { host } });
      const response = await deliver(request, site.scope);
      expect([response.status, await textOf(response)], host).toEqual([200, "text"]);
    }
  });

  it("is chosen by the Host header alone", async () => {
    const [own, other] = [await publicSite({ a: "own" }), await publicSite({ a: "other" })];
    const scope = { DELIVERY: `${own.scope.DELIVERY ?? ""}, ${other.host}=${other.bucket}` };
    for (const name of [
      "x-forwarded-host",
      "x-host",
      "forwarded",
      "x-original-url",
      "x-rewrite-url",
      "x-http-method-override",
      "cf-connecting-ip",
    ]) {
      const value =
        name === "forwarded"
          ? `host=${other.host}`
          : name.endsWith("url")
            ? "/b"
            : name.endsWith("override")
              ? "DELETE"
              : other.host;
      const response = await visit(own, "/a", { headers: { [name]: value }, scope });
      expect([response.status, await textOf(response)], name).toEqual([200, "own"]);
      expect(JSON.stringify(Array.from(response.headers))).not.toContain(other.host);
      expect(await seen(own, "/a", { scope })).toEqual([200, "own"]);
    }
  });

  it.each(["PUT", "POST", "DELETE", "PATCH"])("refuses %s with 405, Allow and an HTML page", async (method) => {
    const site = await publicSite({ a: "text" });
    const endpoint = `http://${site.host}`;
    for (const response of [
      await visit(site, "/a", { method }),
      await send(method, "/a", { endpoint }, site.scope),
      await send(method, "/a?uploads", { endpoint }, site.scope),
    ]) {
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
      expect(await response.text()).toMatch(/^<!doctype html>/);
    }
    expect(await (await send("GET", `/${site.bucket}/a`)).arrayBuffer()).toHaveProperty("byteLength", 4);
  });

  it("serves no S3, IAM or health API", async () => {
    const site = await publicSite({ a: "text" });
    const endpoint = `http://${site.host}`;
    expect((await send("GET", "/", { endpoint }, site.scope)).status).toBe(404);
    expect((await send("GET", `/?list-type=2`, { endpoint }, site.scope)).status).toBe(404);
    expect((await visit(site, "/_/health")).status).toBe(404);
    expect((await visit(site, `/${site.bucket}/a`)).status).toBe(404);
    for (const query of ["?acl", "?policy", "?website", "?tagging", "?attributes"]) {
      expect(await seen(site, `/a${query}`), query).toEqual([200, "text"]);
    }
  });

  it("does not obey credentials of a header, sets no cookie and ignores cookies", async () => {
    const { bucket } = await publicSite({ a: "text" });
    await send("DELETE", `/${bucket}?policy`);
    const site = siteOf(bucket);
    expect((await send("GET", "/a", { endpoint: `http://${site.host}` }, site.scope)).status).toBe(403);
    const open = await publicSite({ a: "text" });
    const response = await visit(open, "/a", { headers: { cookie: "session=1", authorization: "Bearer x" } });
    expect(response.status).toBe(200);
    expect(response.headers.get("set-cookie")).toBeNull();
    expect(response.headers.get("vary")).toBeNull();
  });

  it("lets pages run scripts, which the S3 endpoint does not", async () => {
    const site = await publicSite();
    await send("PUT", `/${site.bucket}/p`, { body: "<script>1</script>", headers: { "content-type": "text/html" } });
    const page = await visit(site, "/p");
    expect(page.headers.get("content-security-policy")).toBeNull();
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    const raw = await deliver(anonymous("GET", `/${site.bucket}/p`), site.scope);
    expect(raw.headers.get("content-security-policy")).toBe("sandbox");
  });

  it("shows errors without XML, secrets and details", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const site = await publicSite({ a: "text" });
    const DB = d1With(async () => Promise.reject(new Error("D1_ERROR: secret detail")));
    const response = await visit(site, "/other", { scope: { DB } });
    expect(response.status).toBe(500);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const text = await response.text();
    expect(text).toMatch(/^<!doctype html>/);
    expect(text).not.toMatch(/secret|D1_ERROR|<\?xml/);
    vi.restoreAllMocks();
  });

  it("needs no coordinators and no secrets", async () => {
    const site = await publicSite({ a: "text" });
    const missing = {
      CAIRN_ROOT_ACCESS_KEY_ID: "",
      CAIRN_ROOT_SECRET_ACCESS_KEY: "",
      CAIRN_MASTER_KEY: "",
    };
    const request = anonymous("GET", "/a", { endpoint: `http://${site.host}` });
    const response = await deliver(request, { ...site.scope, ...missing });
    expect([response.status, await textOf(response)]).toEqual([200, "text"]);
  });
});

describe("a wildcard", () => {
  it("delivers buckets with a website configuration by their name, and no others", async () => {
    const { bucket, scope } = await publicSite({ "index.html": "root" });
    const host = `${bucket}.${WILDCARD}`;
    expect((await visit({ host, scope }, "/index.html")).status).toBe(404);
    await putWebsite(bucket, websiteDocument());
    await send("POST", `/${bucket}?purge`, {}, scope);
    expect(await seen({ host, scope }, "/")).toEqual([200, "root"]);
    await send("DELETE", `/${bucket}?website`);
    await send("POST", `/${bucket}?purge`, {}, scope);
    expect((await visit({ host, scope }, "/")).status).toBe(404);
  });

  it("answers 404 for labels that are no bucket", async () => {
    const { scope } = await publicSite();
    for (const label of ["no-such-bucket-here", "a.b.c", "%", "-", "x'--"]) {
      expect(
        (await visit({ host: WILDCARD, scope }, "/", { headers: { host: `${label}.${WILDCARD}` } })).status,
        label,
      ).toBe(404);
    }
  });
});

describe("a host that would serve both S3 and a site", () => {
  it("serves S3", async () => {
    const bucket = await freshBucket();
    await putPolicy(bucket, publicReadPolicy(bucket));
    await putAll(bucket, { a: "text" });
    for (const host of ["s3.example.com", "x.s3.example.com"]) {
      const scope = { DELIVERY: `${host}=${bucket}, *.example.com` };
      const response = await visit({ host, scope }, "/a");
      expect(response.headers.get("content-type"), host).toBe("application/xml");
      expect(response.headers.get("content-security-policy")).toBe("sandbox");
    }
    const health = await deliver(anonymous("GET", "/_/health"), { DELIVERY: `s3.example.com=${bucket}` });
    expect(await health.json()).toMatchObject({ misconfigured: ["DELIVERY"] });
  });
});

describe("objects that delivery hosts refuse", () => {
  it("are those with customer-provided keys, with and without the key", async () => {
    const site = await publicSite({ plain: "x" });
    const headers = keyHeaders(customerKey(1));
    await send("PUT", `/${site.bucket}/sealed`, { body: "secret", headers });
    for (const options of [{}, { headers }]) {
      const response = await visit(site, "/sealed", options);
      expect(response.status).toBe(400);
      expect(await response.text()).not.toContain("secret");
    }
    expect((await visit(site, "/plain", { headers })).status).toBe(400);
  });

  it("are those that no policy and no ACL opens, after others were delivered", async () => {
    const site = await publicSite();
    const policy = publicReadPolicy(site.bucket).replace("/*", "/open/*");
    await putPolicy(site.bucket, policy);
    await putAll(site.bucket, { "open/a": "a", "closed/a": "b" });
    await send("POST", `/${site.bucket}?purge`);
    expect(await seen(site, "/open/a")).toEqual([200, "a"]);
    for (const target of ["/closed/a", "/closed%2Fa", "/open/../closed/a", "/open/%2e%2e/closed/a", "//closed/a"]) {
      expect([403, 404], target).toContain((await visit(site, target)).status);
    }
  });
});

describe("conditions of policies", () => {
  it("are evaluated for each visitor, not for the one who filled the cache", async () => {
    const site = await publicSite({ a: "text" });
    const condition = '"Condition":{"StringLike":{"aws:Referer":"https://friend.example/*"}},"Effect"';
    await putPolicy(site.bucket, publicReadPolicy(site.bucket).replace('"Effect"', condition));
    const friend = { headers: { referer: "https://friend.example/page" } };
    expect((await visit(site, "/a", friend)).status).toBe(200);
    expect((await visit(site, "/a")).status).toBe(403);
    expect((await visit(site, "/a", friend)).status).toBe(200);
  });
});

describe("CORS", () => {
  it("answers each origin by the bucket's rules and varies by origin, cached or not", async () => {
    const site = await publicSite({ a: "text" });
    await putCors(site.bucket, corsDocument("https://one.example"));
    for (const [origin, allowed] of [
      ["https://one.example", "https://one.example"],
      ["https://two.example", null],
      [undefined, null],
      ["https://one.example", "https://one.example"],
    ] as const) {
      const response = await visit(site, "/a", origin === undefined ? {} : { headers: { origin } });
      expect(response.status).toBe(200);
      expect(response.headers.get("access-control-allow-origin")).toBe(allowed);
      expect(response.headers.get("vary")).toContain("Origin");
    }
    const missing = await visit(site, "/missing", { headers: { origin: "https://one.example" } });
    expect([missing.status, missing.headers.get("access-control-allow-origin")]).toEqual([404, "https://one.example"]);
  });

  it("answers preflights", async () => {
    const site = await publicSite({ a: "text" });
    await putCors(site.bucket, corsDocument("https://one.example"));
    const preflight = async (origin: string) =>
      visit(site, "/a", {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "GET", "access-control-request-headers": "range" },
      });
    const allowed = await preflight("https://one.example");
    expect([allowed.status, allowed.headers.get("access-control-allow-headers")]).toEqual([200, "range"]);
    expect((await preflight("https://two.example")).status).toBe(403);
    const plain = await visit(site, "/a", { method: "OPTIONS" });
    expect([plain.status, plain.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
  });
});
