import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { publicSite, seen, siteOf, visit, type Site } from "../support/delivery.ts";
import { putAll } from "../support/fresh-bucket.ts";
import { putWebsite, rulesOf, websiteDocument, websiteOf } from "../support/websites.ts";

async function website(objects: Readonly<Record<string, string>>, more = ""): Promise<Site> {
  const site = await publicSite(objects);
  expect((await putWebsite(site.bucket, websiteDocument(more))).status).toBe(200);
  return site;
}

async function redirectOf(site: Site, target: string): Promise<[number, string | null]> {
  const response = await visit(site, target);
  return [response.status, response.headers.get("location")];
}

describe("a website", () => {
  it("serves the index document of the root and of folders", async () => {
    const site = await website({ "index.html": "root", "docs/index.html": "docs", "docs/a.html": "a" });
    expect(await seen(site, "/")).toEqual([200, "root"]);
    expect(await seen(site, "/docs/")).toEqual([200, "docs"]);
    expect(await seen(site, "/docs/a.html")).toEqual([200, "a"]);
    expect(await seen(site, "/docs/?v=1&x=%zz")).toEqual([200, "docs"]);
  });

  it("redirects the name of a folder to the folder by 302", async () => {
    const site = await website({ "docs/index.html": "docs", "a b/ü/index.html": "x", docs2: "file" });
    expect(await redirectOf(site, "/docs")).toEqual([302, "/docs/"]);
    expect(await redirectOf(site, "/a%20b/%C3%BC")).toEqual([302, "/a%20b/%C3%BC/"]);
    expect(await seen(site, "/docs2")).toEqual([200, "file"]);
  });

  it("serves the error document with the error's status, whole and uncached", async () => {
    const site = await website(
      { "oops.html": "gone", "index.html": "x" },
      "<ErrorDocument><Key>oops.html</Key></ErrorDocument>",
    );
    const response = await visit(site, "/missing", { headers: { range: "bytes=0-1", "if-none-match": "*" } });
    expect([response.status, await response.text()]).toEqual([404, "gone"]);
    expect(response.headers.get("cache-control")).toBe("no-cache");
    const head = await visit(site, "/missing", { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([404, "4", ""]);
  });

  it("shows a small HTML page where the error document is missing too", async () => {
    const site = await website({}, "<ErrorDocument><Key>oops.html</Key></ErrorDocument>");
    const response = await visit(site, "/<script>");
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const text = await response.text();
    expect(text).toContain("Code: NoSuchKey");
    expect(text).not.toMatch(/<script>|<Error>|<\?xml/);
  });

  it("redirects all requests to another host, before it looks an object up", async () => {
    const site = await publicSite();
    await putWebsite(
      site.bucket,
      websiteOf(
        "<RedirectAllRequestsTo><HostName>www.example.com</HostName><Protocol>https</Protocol></RedirectAllRequestsTo>",
      ),
    );
    expect(await redirectOf(site, "/a%20b/c?x=1")).toEqual([301, "https://www.example.com/a%20b/c"]);
    expect(await redirectOf(site, "/")).toEqual([301, "https://www.example.com/"]);
  });

  it("obeys the redirect location of an object", async () => {
    const site = await website({});
    for (const [key, location] of [
      ["path", "/new?a=b#c"],
      ["url", "https://example.com/x y"],
    ] as const) {
      const headers = { "x-amz-website-redirect-location": location };
      await send("PUT", `/${site.bucket}/${key}`, { body: "text", headers });
      expect(await redirectOf(site, `/${key}`)).toEqual([301, location.replace(" ", "%20")]);
    }
  });

  it("lets no browser keep a redirect for longer than the object says", async () => {
    const site = await website({ "docs/index.html": "docs" });
    const headers = { "x-amz-website-redirect-location": "/new" };
    await send("PUT", `/${site.bucket}/plain`, { headers });
    await send("PUT", `/${site.bucket}/kept`, { headers: { ...headers, "cache-control": "max-age=60" } });
    const lifetimes = [];
    for (const path of ["/plain", "/kept", "/docs"]) {
      lifetimes.push((await visit(site, path)).headers.get("cache-control"));
    }
    expect(lifetimes).toEqual(["no-cache", "max-age=60", "no-cache"]);
  });
});

describe("routing rules", () => {
  const rules = rulesOf(
    "<Condition><KeyPrefixEquals>old/</KeyPrefixEquals></Condition><Redirect><ReplaceKeyPrefixWith>new/</ReplaceKeyPrefixWith></Redirect>",
    "<Condition><KeyPrefixEquals>images/</KeyPrefixEquals></Condition><Redirect><Protocol>https</Protocol><HostName>img.example.com</HostName><HttpRedirectCode>307</HttpRedirectCode></Redirect>",
    "<Condition><KeyPrefixEquals>one</KeyPrefixEquals></Condition><Redirect><ReplaceKeyWith>two.html#top</ReplaceKeyWith></Redirect>",
    "<Condition><KeyPrefixEquals>secure/</KeyPrefixEquals></Condition><Redirect><Protocol>https</Protocol></Redirect>",
    "<Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals><KeyPrefixEquals>app/</KeyPrefixEquals></Condition><Redirect><ReplaceKeyPrefixWith>#!/</ReplaceKeyPrefixWith></Redirect>",
  );

  it("redirect by prefix before the lookup, the first matching rule first", async () => {
    const site = await website({ "old/a": "never served" }, rules);
    expect(await redirectOf(site, "/old/a%20b")).toEqual([301, "/new/a%20b"]);
    expect(await redirectOf(site, "/images/x.png")).toEqual([307, "https://img.example.com/images/x.png"]);
    expect(await redirectOf(site, "/one/more")).toEqual([301, "/two.html#top"]);
    expect(await redirectOf(site, "/secure/a")).toEqual([301, `https://${site.host}/secure/a`]);
  });

  it("redirect by error only after it", async () => {
    const site = await website({ "app/there": "text" }, rules);
    expect(await seen(site, "/app/there")).toEqual([200, "text"]);
    expect(await redirectOf(site, "/app/lost")).toEqual([301, "/#!/lost"]);
    expect((await visit(site, "/other")).status).toBe(404);
  });

  it("never lead to another host by the path of a request", async () => {
    const strip = rulesOf(
      "<Condition><KeyPrefixEquals>r/</KeyPrefixEquals></Condition><Redirect><ReplaceKeyPrefixWith/></Redirect>",
    );
    const site = await website({ "/evil.example/index.html": "x", "\\evil.example/index.html": "x" }, strip);
    for (const target of [
      "/r//evil.example",
      "//evil.example",
      "/%2Fevil.example",
      "/\\evil.example",
      "/r/%5Cevil.example",
      "/%5Cevil.example",
      "/r/%0D%0Aset-cookie:a=b",
    ]) {
      const [, location] = await redirectOf(site, target);
      expect(new URL(location ?? "/", `http://${site.host}/`).host, target).toBe(site.host);
    }
  });
});

describe("clean URLs", () => {
  it("serve a page without its extension, where the setting or the bucket enables them", async () => {
    const site = await website({
      "about.html": "about",
      both: "file",
      "both.html": "page",
      "dir.html": "page",
      "dir/index.html": "folder",
    });
    expect((await visit(site, "/about")).status).toBe(404);
    const clean = { ...site, scope: { ...site.scope, DELIVERY_CLEAN_URLS: "true" } };
    expect(await seen(clean, "/about")).toEqual([200, "about"]);
    expect(await seen(clean, "/about.html")).toEqual([200, "about"]);
    expect(await seen(clean, "/both")).toEqual([200, "file"]);
    expect(await seen(clean, "/dir")).toEqual([200, "page"]);
    const byBucket = "<DeliveryConfiguration><CleanUrls>true</CleanUrls></DeliveryConfiguration>";
    await send("PUT", `/${site.bucket}?delivery`, { body: byBucket });
    expect((await send("POST", `/${site.bucket}?purge`)).status).toBe(200);
    expect(await seen(site, "/about")).toEqual([200, "about"]);
  });
});

describe("a prefix", () => {
  it("is the root of its site, and nothing outside of it is delivered", async () => {
    const { bucket } = await website({
      secret: "s",
      "public/index.html": "root",
      "public/a": "a",
      "public/../secret": "own",
    });
    const site = siteOf(bucket, "public/");
    expect(await seen(site, "/")).toEqual([200, "root"]);
    expect(await seen(site, "/a")).toEqual([200, "a"]);
    for (const target of ["/secret", "/public/a", "/%2e%2e/secret2", "/..%2fsecret2", "//secret"]) {
      expect((await visit(site, target)).status, target).toBe(404);
    }
  });
});

describe("a host without a website configuration", () => {
  it("serves keys as they are and lists nothing", async () => {
    const site = await publicSite({ "index.html": "x", "dir/": "marker", "dir/index.html": "y" });
    expect((await visit(site, "/")).status).toBe(404);
    expect(await seen(site, "/dir/")).toEqual([200, "marker"]);
    expect((await visit(site, "/dir")).status).toBe(404);
    expect(await seen(site, "/index.html")).toEqual([200, "x"]);
  });

  it("answers 404 for a bucket that does not exist, and for a key that no policy opens 403", async () => {
    expect((await visit(siteOf("no-such-bucket-here"), "/a")).status).toBe(404);
    const site = await publicSite();
    await send("DELETE", `/${site.bucket}?policy`);
    await putAll(site.bucket, { a: "x" });
    expect((await visit(site, "/a")).status).toBe(403);
    expect((await visit(site, "/missing")).status).toBe(403);
  });
});
