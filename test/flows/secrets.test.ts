// No response or log contains a secret: neither a secret key nor a customer's encryption key.
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { chunkedUpload, cut } from "../support/aws-chunked.ts";
import { anonymous, deliver, presigned, ROOT, send, signed, type RequestScope } from "../support/client.ts";
import { noise } from "../support/digests.ts";
import { keyHeaders, sourceKeyHeaders } from "../support/encryption.ts";
import { coordinatorsWith, d1With, r2With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";

const CUSTOMER_KEY = btoa("0123456789abcdef0123456789abcdef");
const SECRETS = [
  ROOT.secretAccessKey,
  encodeURIComponent(ROOT.secretAccessKey),
  btoa(ROOT.secretAccessKey),
  Array.from(ROOT.secretAccessKey, (character) => character.charCodeAt(0).toString(16)).join(" "),
  CUSTOMER_KEY,
  Array.from(CUSTOMER_KEY, (character) => character.charCodeAt(0).toString(16)).join(" "),
];

const logs = (["log", "info", "warn", "error", "debug"] as const).map((name) => vi.spyOn(console, name));
beforeEach(() => {
  for (const log of logs) log.mockReset().mockImplementation(() => undefined);
});
afterEach(() => {
  for (const log of logs) log.mockReset();
});

async function expectNoSecret(response: Response, status?: number): Promise<void> {
  const said = `${response.status} ${JSON.stringify(Array.from(response.headers))} ${new TextDecoder().decode(await response.bytes())}`;
  const logged = JSON.stringify(logs.flatMap((log) => log.mock.calls));
  for (const secret of SECRETS) {
    expect(said).not.toContain(secret);
    expect(logged).not.toContain(secret);
  }
  expect(logged).not.toContain("AWS4-HMAC-SHA256");
  if (status !== undefined) expect(response.status).toBe(status);
}

describe("no secret is disclosed", () => {
  it("when a signature is wrong, although the error contains what was expected", async () => {
    const bucket = await freshBucket();
    const credentials = { accessKeyId: ROOT.accessKeyId, secretAccessKey: "guessed" };
    const headers = {
      "x-amz-server-side-encryption-customer-algorithm": "AES256",
      "x-amz-server-side-encryption-customer-key": CUSTOMER_KEY,
    };
    const response = await send("PUT", `/${bucket}/k`, { body: "x", headers, credentials });
    expect(await response.clone().text()).toContain("<CanonicalRequest>PUT\n");
    await expectNoSecret(response, 403);
    const query = `x-amz-server-side-encryption-customer-key=${encodeURIComponent(CUSTOMER_KEY)}`;
    await expectNoSecret(
      await deliver(await presigned("PUT", `/${bucket}/k?${query}`, { credentials, body: "x" })),
      403,
    );
  });

  it("when a chunk's or a trailer's signature is wrong", async () => {
    const bucket = await freshBucket();
    const upload = await chunkedUpload(`/${bucket}/k`, {
      form: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      pieces: cut(noise(20_000), 10_000),
      spoilChunks: (chunks) => chunks.map((chunk) => ({ ...chunk, signature: "0".repeat(64) })),
    });
    const response = await deliver(upload);
    expect(await response.clone().text()).toContain("<StringToSign>AWS4-HMAC-SHA256-PAYLOAD\n");
    await expectNoSecret(response, 403);
  });

  it("when an encryption key is not accepted", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    for (const method of ["PUT", "GET", "HEAD"]) {
      const headers = { "x-amz-server-side-encryption-customer-key": CUSTOMER_KEY };
      await expectNoSecret(await send(method, `/${bucket}/k`, { headers }));
    }
  });

  it("when objects are encrypted with it, read, copied and rejected", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { plain: "x" });
    const withKey = keyHeaders(CUSTOMER_KEY);
    const fromKey = { ...sourceKeyHeaders(CUSTOMER_KEY), "x-amz-copy-source": `/${bucket}/k` };
    const otherKey = keyHeaders(btoa("fedcba9876543210fedcba9876543210"));
    await expectNoSecret(await send("PUT", `/${bucket}/k`, { body: "x", headers: withKey }), 200);
    await expectNoSecret(await send("GET", `/${bucket}/k`, { headers: withKey }), 200);
    await expectNoSecret(await send("HEAD", `/${bucket}/k`, { headers: withKey }), 200);
    await expectNoSecret(await send("GET", `/${bucket}/k`, { headers: otherKey }), 403);
    await expectNoSecret(await send("GET", `/${bucket}/plain`, { headers: withKey }), 400);
    await expectNoSecret(await send("PUT", `/${bucket}/copy`, { headers: { ...fromKey, ...withKey } }), 200);
    await expectNoSecret(await send("POST", `/${bucket}/k?uploads`, { headers: withKey }), 200);
    for (const [name, value] of [
      ["algorithm", "AES128"],
      ["key", CUSTOMER_KEY.slice(1)],
      ["key-md5", "x"],
      ["algorithm", ""],
    ] as const) {
      const spoilt = { ...withKey, [`x-amz-server-side-encryption-customer-${name}`]: value };
      const response = await send("PUT", `/${bucket}/k`, { body: "x", headers: spoilt });
      expect(await response.clone().text()).not.toContain(CUSTOMER_KEY.slice(1));
      await expectNoSecret(response, 400);
    }
    const wrong = r2With({ get: () => Promise.reject(new Error("out of reach")) });
    await expectNoSecret(await send("GET", `/${bucket}/k`, { headers: withKey }, { BLOBS: wrong }), 500);
    await expectNoSecret(await send("PUT", `/${bucket}/copy`, { headers: fromKey }, { BLOBS: wrong }), 500);
  });

  it("when the signature of its request is wrong, in the headers or in the query", async () => {
    const bucket = await freshBucket();
    const credentials = { accessKeyId: ROOT.accessKeyId, secretAccessKey: "guessed" };
    const keys = { ...keyHeaders(CUSTOMER_KEY), ...sourceKeyHeaders(CUSTOMER_KEY) };
    const headers = { ...keys, "x-amz-copy-source": `/${bucket}/k` };
    const signedWrong = await send("PUT", `/${bucket}/copy`, { headers, credentials });
    expect(await signedWrong.clone().text()).toContain("x-amz-copy-source-server-side-encryption-customer-key:***");
    await expectNoSecret(signedWrong, 403);
    await expectNoSecret(await deliver(await presigned("PUT", `/${bucket}/copy`, { headers, credentials })), 403);
    const query = new URLSearchParams(keys).toString();
    const hoisted = await deliver(await presigned("PUT", `/${bucket}/copy?${query}`, { credentials }));
    expect(await hoisted.clone().text()).toContain("x-amz-copy-source-server-side-encryption-customer-key=***");
    await expectNoSecret(hoisted, 403);
  });

  it("when a request fails for another reason or succeeds", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    for (const [method, target] of [
      ["GET", "/"],
      ["GET", `/${bucket}`],
      ["GET", `/${bucket}/k`],
      ["GET", `/${bucket}/missing`],
      ["GET", "/missing-bucket/k"],
      ["GET", `/${bucket}?acl&policy`],
      ["GET", `/${bucket}?policy`],
      ["GET", `/${bucket}?max-keys=x`],
      ["PATCH", `/${bucket}/k`],
      ["DELETE", `/${bucket}`],
    ] as const) {
      await expectNoSecret(await send(method, target));
      await expectNoSecret(await deliver(anonymous(method, target)));
      const request = await signed(method, target);
      const headers = new Headers(request.headers);
      headers.set("x-amz-date", "20200101T000000Z");
      await expectNoSecret(await deliver(new Request(request.url, { method, headers })));
    }
  });

  it("when a binding fails with any message", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" }, IN_STORE);
    const leak = new Error(`connect to https://internal/?token=opaque: SELECT * FROM access_keys`);
    const failing: readonly RequestScope[] = [
      { DB: d1With(() => Promise.reject(leak)) },
      { ...IN_STORE, BLOBS: r2With({ get: () => Promise.reject(leak), put: () => Promise.reject(leak) }) },
      { COORDINATORS: coordinatorsWith(() => Promise.reject(leak)) },
    ];
    for (const scope of failing) {
      for (const method of ["GET", "PUT", "DELETE"]) {
        const body = method === "PUT" ? "x" : undefined;
        const response = await send(method, `/${bucket}/k`, { body }, scope);
        const said = `${JSON.stringify(Array.from(response.headers))} ${await response.clone().text()}`;
        for (const part of ["internal/", "token=", "SELECT", "access_keys", "Error:", "    at "]) {
          expect(said).not.toContain(part);
        }
        await expectNoSecret(response);
        if (response.status >= 400) expect([500, 503]).toContain(response.status);
        else if (method === "DELETE") await putAll(bucket, { k: "x" });
      }
    }
  });
});

describe("no secret is stored", () => {
  it("in a table or next to a blob", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const headers = keyHeaders(CUSTOMER_KEY);
    expect((await send("PUT", `/${bucket}/sealed`, { body: "x", headers })).status).toBe(200);
    expect((await send("POST", `/${bucket}/sealed?uploads`, { headers })).status).toBe(200);
    const tables = await env.DB.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
    ).all<{ name: string }>();
    expect(tables.results.length).toBeGreaterThan(5);
    for (const { name } of tables.results) {
      const rows = await env.DB.prepare(`SELECT * FROM ${name} ORDER BY 1 DESC LIMIT 500`).all();
      for (const secret of SECRETS) expect(JSON.stringify(rows.results)).not.toContain(secret);
    }
    const { objects } = await env.BLOBS.list({ limit: 200, include: ["customMetadata"] });
    for (const secret of SECRETS) expect(JSON.stringify(objects)).not.toContain(secret);
  });
});
