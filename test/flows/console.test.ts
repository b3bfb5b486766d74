// The door of the web console: which requests reach its files, and what the answers' headers allow.
import { describe, expect, it } from "vitest";

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

  it("say so when they were not built, and when the setting turns them off", async () => {
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
