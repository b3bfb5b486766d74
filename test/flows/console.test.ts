// The door of the web console: which requests reach its files, and what the answers' headers allow.
import { describe, expect, it } from "vitest";

import { readSettings } from "../../src/config/settings.ts";
import { settingProblems } from "../../src/config/setting-problems.ts";
import { doorOf } from "../../src/gateway/door.ts";
import { NO_DELIVERY, parseDelivery } from "../../src/protocol/core/host-names.ts";
import { anonymous, deliver, send } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

const FILES: Readonly<Record<string, string>> = {
  "/index.html": "<!doctype html><title>Cairn</title>",
  "/files/main-abc123.js": "export {};",
};

/** The binding of the files, as Cloudflare answers it. */
const ASSETS = {
  fetch(input: RequestInfo, init?: RequestInit): Promise<Response> {
    const { pathname } = new URL(new Request(input, init).url);
    const text = FILES[pathname];
    if (text === undefined) return Promise.resolve(new Response(null, { status: 404 }));
    const isKnown = new Headers(init?.headers).get("if-none-match") === '"1"';
    const body = isKnown || init?.method === "HEAD" ? null : text;
    return Promise.resolve(
      new Response(body, { status: isKnown ? 304 : 200, headers: { etag: '"1"', "content-type": "x/x" } }),
    );
  },
};

const get = (path: string, settings: object = { ASSETS }, method = "GET", headers: Record<string, string> = {}) =>
  deliver(anonymous(method, path, { headers }), settings);

describe("the console's door", () => {
  it("is a folder in path style, and never shadows a bucket or a key", () => {
    const settings = { domains: ["s3.example.com"], delivery: parseDelivery("cdn.example.com=bucket") ?? NO_DELIVERY };
    const door = (url: string) => {
      const request = new Request(url, { headers: { host: new URL(url).host } });
      return doorOf(request, settings);
    };
    for (const path of ["/_/console", "/_/console/", "/_/console/index.html", "/_/console/files/a.js?x"]) {
      expect(door(`https://s3.example.com${path}`), path).toBe("console");
      expect(door(`https://b.s3.example.com${path}`), path).toBe("s3");
      expect(door(`https://cdn.example.com${path}`), path).toBe("delivery");
    }
    for (const path of ["/_/consoles", "/_", "/_/", "/console/", "/b/_/console/", "/_/Console/", "/_//console/"]) {
      expect(door(`https://s3.example.com${path}`), path).toBe("s3");
    }
  });

  it("leaves keys of the same name to their bucket", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/_/console/index.html`, { body: "a key" });
    expect(await (await send("GET", `/${bucket}/_/console/index.html`)).text()).toBe("a key");
  });
});

describe("the console's files", () => {
  it("are answered with a policy that runs only the console's own scripts", async () => {
    const response = await get("/_/console/");
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("<title>Cairn");
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-cache");
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
    for (const part of ["frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "connect-src 'self'"]) {
      expect(policy.split("; ")).toContain(part);
    }
    expect(policy).not.toMatch(/unsafe|https?:|\*|sandbox/);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect(response.headers.get("cross-origin-opener-policy")).toBe("same-origin");
  });

  it("are immutable where their name contains a hash, and revalidated otherwise", async () => {
    const hashed = await get("/_/console/files/main-abc123.js");
    expect(hashed.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(hashed.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    const known = await get("/_/console/", { ASSETS }, "GET", { "if-none-match": '"1"' });
    expect([known.status, known.headers.get("etag")]).toEqual([304, '"1"']);
    const head = await get("/_/console/index.html", { ASSETS }, "HEAD");
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  it("are found from the folder's name without its slash", async () => {
    const response = await get("/_/console");
    expect([response.status, response.headers.get("location")]).toEqual([308, "/_/console/"]);
  });

  it.each([
    "/_/console/none.js",
    "/_/console/%2e.js",
    "/_/console/files/",
    "/_/console/a.exe",
    "/_/console//index.html",
  ])("that do not exist are a plain 404: %s", async (path) => {
    const response = await get(path);
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await response.text()).toBe("The console has no such file.\n");
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it.each(["POST", "PUT", "DELETE", "OPTIONS"])("refuse %s", async (method) => {
    const response = await get("/_/console/", { ASSETS }, method);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("report when they were not built, and when the setting turns them off", async () => {
    const missing = await get("/_/console/", { ASSETS: undefined });
    expect(missing.status).toBe(404);
    expect(await missing.text()).toMatch(/npm run console/);
    for (const CONSOLE of ["false", "off"]) {
      const off = await get("/_/console/", { ASSETS, CONSOLE });
      expect(off.status).toBe(404);
      expect(await off.text()).toMatch(/CONSOLE/);
    }
  });
});

describe("the console's host", () => {
  const CONSOLE_HOST = "console.example.com";
  const at = (host: string, path: string, method = "GET", scope: object = {}) =>
    get(path, { ASSETS, CONSOLE_HOST, ...scope }, method, { host });

  it("answers its root with the console, and the files at their own path", async () => {
    for (const host of [CONSOLE_HOST, "Console.Example.COM:9000", "console.example.com."]) {
      const response = await at(host, "/");
      expect([host, response.status]).toEqual([host, 200]);
      expect(await response.text()).toContain("<title>Cairn");
      expect(response.headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self'/);
      expect(response.headers.get("content-security-policy")).not.toContain("sandbox");
    }
    expect((await at(CONSOLE_HOST, "/_/console/files/main-abc123.js")).status).toBe(200);
    const head = await at(CONSOLE_HOST, "/", "HEAD");
    expect([head.status, head.headers.get("content-type"), await head.text()]).toEqual([
      200,
      "text/html; charset=utf-8",
      "",
    ]);
  });

  it("serves S3, IAM and STS to the console on the same origin", async () => {
    const bucket = await freshBucket();
    const headers = { host: CONSOLE_HOST };
    const listed = await send("GET", "/", { headers }, { CONSOLE_HOST });
    expect(await listed.text()).toContain("<ListAllMyBucketsResult");
    await send("PUT", `/${bucket}/files/main.js`, { body: "a key", headers }, { CONSOLE_HOST });
    const read = await send("GET", `/${bucket}/files/main.js`, { headers }, { CONSOLE_HOST });
    expect(await read.text()).toBe("a key");
    const health = await at(CONSOLE_HOST, "/_/health");
    expect(health.headers.get("content-type")).toBe("application/json");
  });

  it("takes only a page's request for its root", () => {
    const settings = { domains: [], delivery: NO_DELIVERY, consoleHost: CONSOLE_HOST };
    const door = (target: string, { method = "GET", authorization = "" } = {}, host = CONSOLE_HOST) => {
      const headers = { host, ...(authorization === "" ? {} : { authorization }) };
      return doorOf(new Request(`https://${host}${target}`, { method, headers }), settings);
    };
    expect(door("/")).toBe("console");
    expect(door("/", { method: "HEAD" })).toBe("console");
    for (const method of ["POST", "PUT", "OPTIONS", "DELETE"]) expect(door("/", { method }), method).toBe("s3");
    for (const service of ["s3", "sts"]) {
      const authorization = `AWS4-HMAC-SHA256 Credential=A/20261130/auto/${service}/aws4_request`;
      expect(door("/", { authorization })).toBe(service);
    }
    expect(door("/?X-Amz-Credential=A%2F20261130%2Fauto%2Fs3%2Faws4_request&X-Amz-Signature=0")).toBe("s3");
    for (const target of ["//", "/bucket", "/index.html", "/files/a.js"]) expect(door(target), target).toBe("s3");
    for (const host of ["s3.example.com", "a.console.example.com", "example.com"]) {
      expect(door("/", {}, host), host).toBe("s3");
    }
  });

  it("leaves the roots of other hosts to S3, and is off with the console", async () => {
    expect((await at("s3.example.com", "/")).status).toBe(403);
    expect((await at(CONSOLE_HOST, "/", "GET", { CONSOLE_HOST: undefined })).status).toBe(403);
    const off = await at(CONSOLE_HOST, "/", "GET", { CONSOLE: "false" });
    expect([off.status, await off.text()]).toEqual([404, "The console is turned off by the setting CONSOLE.\n"]);
  });

  it("names the endpoint for links, which another host has only where DOMAINS names it, and the domains of websites", async () => {
    const named = async (host: string, scope: object): Promise<unknown> =>
      (await at(host, "/_/console/endpoint.json", "GET", scope)).json();
    const DOMAINS = "s3.example.net,s3.example.org";
    expect(await named(CONSOLE_HOST, { DOMAINS })).toEqual({ host: "s3.example.net" });
    expect(await named("s3.example.org", { DOMAINS })).toEqual({});
    expect(await named(CONSOLE_HOST, { DOMAINS: "" })).toEqual({});
    const DELIVERY = "cdn.example.net=private-name/prefix/,*.site.example.net";
    expect(await named("s3.example.org", { DOMAINS: "", DELIVERY })).toEqual({ sites: ["site.example.net"] });
    expect((await at(CONSOLE_HOST, "/_/console/endpoint.json", "POST")).status).toBe(405);
  });

  it.each([
    ["a bucket's", { DOMAINS: "example.com" }],
    ["a delivery host", { DELIVERY: `${CONSOLE_HOST}=bucket` }],
    ["below a delivery domain", { DELIVERY: "*.example.com" }],
  ])("is reported and ignored where it is %s", (_what, settings) => {
    const given = { DOMAINS: "", CONSOLE_HOST, ...settings };
    expect(settingProblems(given)).toMatchObject([{ setting: "CONSOLE_HOST", stopsDeletion: false }]);
    expect(readSettings(given).consoleHost).toBeUndefined();
  });

  it.each([
    { DOMAINS: CONSOLE_HOST },
    { DOMAINS: `example.com,${CONSOLE_HOST}` },
    { DELIVERY: "cdn.example.com=bucket" },
  ])("may be the endpoint's own, and stand beside others: %j", (settings) => {
    const given = { CONSOLE_HOST, ...settings };
    expect(settingProblems(given)).toEqual([]);
    expect(readSettings(given).consoleHost).toBe(CONSOLE_HOST);
  });
});
