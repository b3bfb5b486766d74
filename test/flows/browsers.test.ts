// What a page of another origin can read of a bucket.
import { describe, expect, it } from "vitest";

import { deliver, ENDPOINT, send } from "../support/client.ts";
import { corsDocument, putCors } from "../support/cors.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

const ORIGIN = "https://app.example.com";

function preflight(target: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  return deliver(new Request(`${ENDPOINT}${target}`, { method: "OPTIONS", headers }));
}

async function sharedBucket(method = "PUT"): Promise<string> {
  const bucket = await freshBucket();
  await putCors(bucket, corsDocument(ORIGIN, method));
  return bucket;
}

describe("a preflight", () => {
  it("is answered without a signature, by the bucket's CORS rules", async () => {
    const bucket = await sharedBucket();
    const response = await preflight(`/${bucket}/k`, {
      origin: ORIGIN,
      "access-control-request-method": "PUT",
      "access-control-request-headers": "Content-Type, X-Amz-Meta-A",
    });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "access-control-allow-origin": ORIGIN,
      "access-control-allow-methods": "PUT",
      "access-control-allow-headers": "content-type, x-amz-meta-a",
      "access-control-expose-headers": "ETag",
      "access-control-allow-credentials": "true",
      vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
      "x-amz-request-id": expect.stringMatching(/^\w{16}$/),
    });
  });

  it("is rejected without a matching rule, without rules, and when it is not a preflight", async () => {
    const bucket = await sharedBucket();
    const method = { "access-control-request-method": "DELETE" };
    await expectS3Error(await preflight(`/${bucket}/k`, { origin: ORIGIN, ...method }), {
      status: 403,
      code: "AccessForbidden",
      fields: { Method: "DELETE", ResourceType: "OBJECT" },
    });
    await expectS3Error(await preflight(`/${await freshBucket()}/k`, { origin: ORIGIN, ...method }), {
      status: 403,
      code: "AccessForbidden",
      fields: { Method: "DELETE", ResourceType: "BUCKET" },
    });
    await expectS3Error(await preflight(`/${bucket}/k`, method), { status: 400, code: "BadRequest" });
    await expectS3Error(await preflight(`/${bucket}/k`, { origin: ORIGIN }), { status: 400, code: "BadRequest" });
    await expectS3Error(await preflight("/no-such-bucket-here/k", { origin: ORIGIN, ...method }), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: "no-such-bucket-here" },
    });
  });
});

describe("a response to a page of another origin", () => {
  it("is readable when a rule allows it", async () => {
    const bucket = await sharedBucket();
    const response = await send("PUT", `/${bucket}/k`, { body: "x", headers: { origin: ORIGIN } });
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(response.headers.get("access-control-expose-headers")).toBe("ETag");
    expect(response.headers.get("vary")).toContain("Origin");
  });

  it("is readable when it is an error, before and after authentication", async () => {
    const bucket = await sharedBucket("GET");
    const missing = await send("GET", `/${bucket}/missing`, { headers: { origin: ORIGIN } });
    expect(missing.status).toBe(404);
    expect(missing.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    const forged = { accessKeyId: "CAIRNTESTACCESSKEY00", secretAccessKey: "wrong" };
    const refused = await send("GET", `/${bucket}/k`, { headers: { origin: ORIGIN }, credentials: forged });
    expect(refused.status).toBe(403);
    expect(refused.headers.get("access-control-allow-origin")).toBe(ORIGIN);
  });

  it("has no CORS headers when no rule allows it", async () => {
    const bucket = await sharedBucket();
    await send("PUT", `/${bucket}/k`, { body: "x" });
    for (const origin of ["https://other.example.com", ORIGIN]) {
      const response = await send("GET", `/${bucket}/k`, { headers: { origin } });
      expect(response.status).toBe(200);
      expect(response.headers.has("access-control-allow-origin")).toBe(false);
      await response.body?.cancel();
    }
  });

  it("costs no more than any other response", async () => {
    const bucket = await sharedBucket("GET");
    await send("PUT", `/${bucket}/k`, { body: "x" });
    const response = await send("GET", `/${bucket}/k`, { headers: { origin: ORIGIN } });
    expect(response.headers.get("server-timing")).toContain('d1;desc="1 round trips');
    await response.body?.cancel();
  });
});
