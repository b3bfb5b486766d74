// Plain upload bodies, Content-Encoding, and envelopes that no body or no key type fits.
import { describe, expect, it } from "vitest";

import { chunkedUpload } from "../support/aws-chunked.ts";
import { deliver, send, signed, withBody } from "../support/client.ts";
import { checksum, expectBytes, md5Base64, noise, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expectNothingLeftOver, expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { BODY, FORMS, INCOMPLETE, PIECES } from "./bodies-fixture.ts";

describe("Content-Encoding", () => {
  it.each([
    ["aws-chunked", null],
    ["AWS-Chunked", null],
    ["aws-chunked,gzip", "gzip"],
    ["gzip, aws-chunked", "gzip"],
    ["gzip,aws-chunked,br", "gzip,br"],
    ["", null],
  ])("%j of an aws-chunked body is stored as %j", async (sent, stored) => {
    const bucket = await freshBucket();
    const form = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    const request = await chunkedUpload(`/${bucket}/k`, {
      form,
      pieces: PIECES,
      headers: { "content-encoding": sent },
    });
    expect((await deliver(request)).status).toBe(200);
    const response = await send("GET", `/${bucket}/k`);
    expect(response.headers.get("content-encoding")).toBe(stored);
    await expectBytes(response, BODY);
  });

  it.each(["deflate, gzip", "gzip", "br,gzip", "x-aws-chunked"])(
    "%j of a plain body is returned as sent",
    async (sent) => {
      const bucket = await freshBucket();
      expect((await send("PUT", `/${bucket}/k`, { body: BODY, headers: { "content-encoding": sent } })).status).toBe(
        200,
      );
      for (const method of ["GET", "HEAD"]) {
        expect((await send(method, `/${bucket}/k`)).headers.get("content-encoding")).toBe(sent);
      }
    },
  );
});

describe("a plain body", () => {
  it("streams 20 MB with every kind of verification", async () => {
    const bucket = await freshBucket();
    const body = noise(20_000_000);
    for (const headers of [
      {},
      { "x-amz-checksum-sha256": checksum("SHA256", body) },
      { "x-amz-checksum-crc32": checksum("CRC32", body), "content-md5": md5Base64(body) },
    ]) {
      const response = await send("PUT", `/${bucket}/k`, { body, headers });
      expect(response.status).toBe(200);
      await expectBytes(await send("GET", `/${bucket}/k`), body);
    }
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it("is rejected with both Content-Length and Transfer-Encoding", async () => {
    const bucket = await freshBucket();
    const request = await signed("PUT", `/${bucket}/k`, { body: "abc" });
    const headers = new Headers(request.headers);
    headers.set("transfer-encoding", "chunked");
    await expectNoTrace(bucket, async () =>
      expectS3Error(await deliver(withBody(new Request(request.url, { method: "PUT", headers }), utf8("abc"))), {
        status: 411,
        code: "MissingContentLength",
      }),
    );
  });

  it("is rejected when it is missing although announced", async () => {
    const bucket = await freshBucket();
    for (const headers of [
      { "content-length": "3" },
      { "content-length": "3", "x-amz-checksum-sha256": checksum("SHA256", utf8("abc")) },
    ]) {
      await expectNoTrace(bucket, async () =>
        expectS3Error(await send("PUT", `/${bucket}/k`, { headers }), INCOMPLETE),
      );
    }
  });
});

describe("an envelope", () => {
  it.each(FORMS)("is rejected without a body: %s", async (form) => {
    const bucket = await freshBucket();
    const headers = { "x-amz-content-sha256": form, "x-amz-decoded-content-length": "0" };
    await expectNoTrace(bucket, async () =>
      expectS3Error(await send("PUT", `/${bucket}/k`, { headers }), { status: 400, code: "InvalidRequest" }),
    );
  });

  it.each(["STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"])(
    "with SigV4A returns NotImplemented: %s",
    async (form) => {
      const bucket = await freshBucket();
      const headers = { "x-amz-content-sha256": form, "x-amz-decoded-content-length": "0" };
      await expectNoTrace(bucket, async () =>
        expectS3Error(await send("PUT", `/${bucket}/k`, { headers, body: "0\r\n\r\n" }), {
          status: 501,
          code: "NotImplemented",
          fields: { Header: "x-amz-content-sha256" },
        }),
      );
    },
  );

  it("can also carry a document", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const document = utf8("<Delete><Object><Key>k</Key></Object></Delete>");
    const template = await chunkedUpload(`/${bucket}/ignored`, {
      form: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      pieces: [document],
      trailers: { "x-amz-checksum-crc32": checksum("CRC32", document) },
    });
    const body = await template.bytes();
    const response = await send("POST", `/${bucket}?delete`, {
      body,
      headers: {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": String(document.length),
        "x-amz-trailer": "x-amz-checksum-crc32",
      },
    });
    expect(response.status).toBe(200);
    expect((await storedStateOf(bucket)).objects).toEqual({});
  });
});
