// GetObject with If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since.
import { describe, expect, it } from "vitest";

import { send, type SendOptions } from "../support/client.ts";
import { expectBytes } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { BODY, ETAG, httpDate, objectOf } from "./get-object-fixture.ts";

async function lastModifiedOf(target: string): Promise<number> {
  return Date.parse((await send("HEAD", target)).headers.get("last-modified") ?? "");
}

describe("GetObject", () => {
  describe("conditions", () => {
    const failed = (condition: string) => ({
      status: 412,
      code: "PreconditionFailed",
      fields: { Condition: condition },
    });

    async function expectNotModified(target: string, headers: SendOptions["headers"]): Promise<void> {
      const response = await send("GET", target, headers === undefined ? {} : { headers });
      expect(response.status, JSON.stringify(headers)).toBe(304);
      expect(response.body).toBeNull();
      expect(response.headers.get("etag")).toBe(`"${ETAG}"`);
      expect(response.headers.get("last-modified")).not.toBeNull();
      for (const name of ["content-length", "content-type", "content-range", "x-amz-meta-a"]) {
        expect(response.headers.get(name)).toBeNull();
      }
      expectAnswerHeaders(response);
    }

    it("If-Match: quoted, bare, weak, in a list or *", async () => {
      const target = await objectOf();
      for (const value of [`"${ETAG}"`, ETAG, `W/"${ETAG}"`, `"x", "${ETAG}"`, "*"]) {
        const response = await send("GET", target, { headers: { "if-match": value } });
        expect(response.status, value).toBe(200);
        await expectBytes(response, BODY);
      }
      for (const value of ['"x"', "x, y", `"${ETAG.toUpperCase()}"`]) {
        await expectS3Error(await send("GET", target, { headers: { "if-match": value } }), failed("If-Match"));
      }
    });

    it("If-None-Match: quoted, bare, weak, in a list or *", async () => {
      const target = await objectOf(BODY, { "x-amz-meta-a": "1" });
      for (const value of [`"${ETAG}"`, ETAG, `W/"${ETAG}"`, `"x", "${ETAG}"`, "*"]) {
        await expectNotModified(target, { "if-none-match": value });
      }
      expect((await send("GET", target, { headers: { "if-none-match": '"x"' } })).status).toBe(200);
    });

    it("If-Modified-Since and If-Unmodified-Since, to the second", async () => {
      const target = await objectOf();
      const modified = await lastModifiedOf(target);
      await expectNotModified(target, { "if-modified-since": httpDate(modified) });
      const before = httpDate(modified - 1000);
      expect((await send("GET", target, { headers: { "if-modified-since": before } })).status).toBe(200);
      for (const value of [httpDate(modified), httpDate(modified + 1000)]) {
        expect((await send("GET", target, { headers: { "if-unmodified-since": value } })).status).toBe(200);
      }
      await expectS3Error(
        await send("GET", target, { headers: { "if-unmodified-since": before } }),
        failed("If-Unmodified-Since"),
      );
    });

    it("invalid dates and dates in the future are ignored", async () => {
      const target = await objectOf();
      for (const value of ["yesterday", "2026-01-01T00:00:00Z", httpDate(Date.now() + 3_600_000)]) {
        expect((await send("GET", target, { headers: { "if-modified-since": value } })).status, value).toBe(200);
      }
      expect((await send("GET", target, { headers: { "if-unmodified-since": "yesterday" } })).status).toBe(200);
    });

    it("ETags take precedence over dates", async () => {
      const target = await objectOf();
      const modified = await lastModifiedOf(target);
      const before = httpDate(modified - 1000);
      const both = { "if-match": `"${ETAG}"`, "if-unmodified-since": before };
      expect((await send("GET", target, { headers: both })).status).toBe(200);
      const neither = { "if-none-match": '"x"', "if-modified-since": httpDate(modified) };
      expect((await send("GET", target, { headers: neither })).status).toBe(200);
      await expectNotModified(target, { "if-none-match": `"${ETAG}"`, "if-modified-since": before });
    });

    it("a 304 keeps the caching headers and no others", async () => {
      const target = await objectOf(BODY, {
        "cache-control": "max-age=5",
        expires: "Wed, 21 Oct 2037 07:28:00 GMT",
        "content-language": "de",
      });
      const response = await send("GET", target, { headers: { "if-none-match": "*" } });
      expect(response.status).toBe(304);
      expect(response.headers.get("cache-control")).toBe("max-age=5");
      expect(response.headers.get("expires")).toBe("Wed, 21 Oct 2037 07:28:00 GMT");
      expect(response.headers.get("content-language")).toBeNull();
    });

    it("are evaluated before the range", async () => {
      const target = await objectOf();
      const headers = { range: "bytes=5000-", "if-match": '"x"' };
      await expectS3Error(await send("GET", target, { headers }), failed("If-Match"));
    });
  });
});
