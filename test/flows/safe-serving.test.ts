// Stored content is served from the endpoint's origin and must not execute there.
import { describe, expect, it } from "vitest";

import { anonymous, deliver, presigned, send } from "../support/client.ts";
import { expectAnswerHeaders } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

const PAGE = "<script>document.title = document.cookie</script>";

async function bucketWithPage(type = "text/html"): Promise<string> {
  const bucket = await freshBucket();
  const headers = {
    "content-type": type,
    "x-amz-meta-content-security-policy": "none",
    "content-security-policy": "none",
    "x-content-type-options": "sniff",
  };
  expect((await send("PUT", `/${bucket}/page`, { body: PAGE, headers })).status).toBe(200);
  return bucket;
}

describe("every response is sandboxed, and its type is not sniffed", () => {
  it.each(["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml"])("an object: %s", async (type) => {
    const bucket = await bucketWithPage(type);
    for (const [method, headers, status] of [
      ["GET", {}, 200],
      ["HEAD", {}, 200],
      ["GET", { range: "bytes=0-3" }, 206],
      ["GET", { "if-none-match": "*" }, 304],
      ["GET", { "if-match": '"another"' }, 412],
      ["GET", { range: "bytes=999-" }, 416],
    ] as const) {
      const response = await send(method, `/${bucket}/page`, { headers });
      expect(response.status).toBe(status);
      expectAnswerHeaders(response);
      if (status === 200) expect(response.headers.get("content-type")).toBe(type);
      await response.bytes();
    }
  });

  it("an object that a presigned URL overrides to be a page", async () => {
    const bucket = await bucketWithPage("application/octet-stream");
    const response = await deliver(await presigned("GET", `/${bucket}/page?response-content-type=text%2Fhtml`));
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html");
    expectAnswerHeaders(response);
    expect(await response.text()).toBe(PAGE);
  });

  it("a public object", async () => {
    const bucket = await bucketWithPage();
    const body = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/*` }],
    });
    expect((await send("PUT", `/${bucket}?policy`, { body })).status).toBe(204);
    const response = await deliver(anonymous("GET", `/${bucket}/page`));
    expect(response.status).toBe(200);
    expectAnswerHeaders(response);
    await response.bytes();
  });

  it("a listing, an error and an empty response", async () => {
    const bucket = await bucketWithPage();
    for (const [method, target, status] of [
      ["GET", "/", 200],
      ["GET", `/${bucket}`, 200],
      ["GET", `/${bucket}/${encodeURIComponent(PAGE)}`, 404],
      ["HEAD", `/${bucket}/missing`, 404],
      ["DELETE", `/${bucket}/page`, 204],
    ] as const) {
      const response = await send(method, target);
      expect(response.status, target).toBe(status);
      expectAnswerHeaders(response);
      await response.bytes();
    }
    const response = await deliver(anonymous("OPTIONS", `/${bucket}/page`));
    expect(response.status).toBe(400);
    expectAnswerHeaders(response);
  });
});
