// GetObject with response-* parameters, which override stored headers.
import { describe, expect, it } from "vitest";

import { anonymous, deliver, presigned, send } from "../support/client.ts";
import { expectBytes } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { BODY, objectOf } from "./get-object-fixture.ts";

describe("GetObject", () => {
  describe("response-* parameters", () => {
    const overrides = {
      "response-content-type": "text/plain; charset=utf-8",
      "response-content-language": "fr",
      "response-expires": "Thu, 01 Jan 2037 00:00:00 GMT",
      "response-cache-control": "no-cache",
      "response-content-disposition": 'attachment; filename="a b+c.txt"',
      "response-content-encoding": "identity",
    };

    const query = Object.entries(overrides)
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join("&");

    it("replace the stored headers", async () => {
      const target = await objectOf(BODY, { "content-type": "image/png", "cache-control": "max-age=9" });
      for (const [headers, status] of [
        [{}, 200],
        [{ range: "bytes=0-9" }, 206],
      ] as const) {
        const response = await send("GET", `${target}?${query}`, { headers });
        expect(response.status).toBe(status);
        for (const [name, value] of Object.entries(overrides)) {
          expect(response.headers.get(name.replace("response-", "")), name).toBe(value);
        }
        await response.arrayBuffer();
      }
    });

    it("do not apply to an error or a 304", async () => {
      const target = await objectOf(BODY, { "cache-control": "max-age=9" });
      const unmodified = await send("GET", `${target}?${query}`, { headers: { "if-none-match": "*" } });
      expect(unmodified.status).toBe(304);
      expect(unmodified.headers.get("cache-control")).toBe("max-age=9");
      const missing = await send("GET", `${target}-not?${query}`);
      expect(missing.headers.get("content-type")).toBe("application/xml");
      expect(missing.headers.get("content-language")).toBeNull();
      await missing.arrayBuffer();
    });

    it("are rejected when they contain control characters or do not fit a header", async () => {
      const target = await objectOf();
      for (const value of ["x\r\nSet-Cookie: a=b", "x\n", "\u0000", "\u20ac"]) {
        const response = await send("GET", `${target}?response-content-disposition=${encodeURIComponent(value)}`);
        expect(response.headers.get("set-cookie")).toBeNull();
        await expectS3Error(response, {
          status: 400,
          code: "InvalidArgument",
          message: "Header value cannot be represented using ISO-8859-1.",
          fields: { ArgumentName: "response-content-disposition", ArgumentValue: expect.any(String) },
        });
      }
    });

    it("accept Latin-1", async () => {
      const target = await objectOf();
      const response = await send("GET", `${target}?response-content-disposition=${encodeURIComponent("a\u00fc")}`);
      expect(response.status).toBe(200);
      await expectBytes(response, BODY);
    });

    it("are rejected in anonymous requests", async () => {
      const response = await deliver(anonymous("GET", `${await objectOf()}?${query}`));
      expect(response.headers.get("content-disposition")).toBeNull();
      await expectS3Error(response, { status: 403, code: "AccessDenied" });
    });

    it("apply in presigned URLs that sign them", async () => {
      const target = await objectOf();
      const request = await presigned("GET", `${target}?response-content-type=text%2Fcss`);
      const response = await deliver(request);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("text/css");
      await expectBytes(response, BODY);
      const added = new Request(`${(await presigned("GET", target)).url}&response-content-type=text%2Fhtml`);
      const refused = await deliver(added);
      expect(refused.status).toBe(403);
      expect(await refused.text()).toContain("<Code>SignatureDoesNotMatch</Code>");
    });
  });
});
