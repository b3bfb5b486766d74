// GetObject with Range, If-Range and partNumber.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { expectBytes } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { BODY, ETAG, httpDate, objectOf } from "./get-object-fixture.ts";

describe("GetObject", () => {
  describe("Range", () => {
    it.each([
      ["bytes=0-9", 0, 10],
      ["bytes=0-0", 0, 1],
      ["bytes=999-999", 999, 1],
      ["bytes=10-", 10, 990],
      ["bytes=0-", 0, 1000],
      ["bytes=-5", 995, 5],
      ["bytes=-1000", 0, 1000],
      ["bytes=-5000", 0, 1000],
      ["bytes=990-5000", 990, 10],
      ["bytes=0-9999999999999999999", 0, 1000],
      ["BYTES=1-2", 1, 2],
    ])("%s is answered 206", async (range, offset, length) => {
      const response = await send("GET", await objectOf(), { headers: { range } });
      expect(response.status).toBe(206);
      expect(response.headers.get("content-range")).toBe(`bytes ${offset}-${offset + length - 1}/1000`);
      expect(response.headers.get("content-length")).toBe(String(length));
      expect(response.headers.get("etag")).toBe(`"${ETAG}"`);
      await expectBytes(response, BODY.subarray(offset, offset + length));
    });

    it.each(["bytes=5-2", "bytes=0-1,3-4", "items=0-1", "bytes=a-b", "bytes=-", "bytes", "0-9", "bytes=0x1-5", ""])(
      "%j is ignored",
      async (range) => {
        const response = await send("GET", await objectOf(), { headers: { range } });
        expect(response.status).toBe(200);
        expect(response.headers.get("content-range")).toBeNull();
        await expectBytes(response, BODY);
      },
    );

    it.each(["bytes=1000-", "bytes=1000-1001", "bytes=5000-", "bytes=-0"])("%s returns InvalidRange", async (range) => {
      const response = await send("GET", await objectOf(), { headers: { range } });
      expect(response.headers.get("content-range")).toBe("bytes */1000");
      await expectS3Error(response, {
        status: 416,
        code: "InvalidRange",
        message: "The requested range is not satisfiable",
        fields: { RangeRequested: range, ActualObjectSize: "1000" },
      });
    });

    it("returns InvalidRange for every range of an empty object", async () => {
      const target = await objectOf("");
      for (const range of ["bytes=0-0", "bytes=0-", "bytes=-1"]) {
        await expectS3Error(await send("GET", target, { headers: { range } }), {
          status: 416,
          code: "InvalidRange",
          fields: { RangeRequested: range, ActualObjectSize: "0" },
        });
      }
    });

    it("is obeyed when If-Range matches the object, and ignored otherwise", async () => {
      const target = await objectOf();
      const modified = (await send("HEAD", target)).headers.get("last-modified") ?? "";
      for (const [ifRange, status] of [
        [`"${ETAG}"`, 206],
        [modified, 206],
        ['"other"', 200],
        [httpDate(Date.parse(modified) - 1000), 200],
        [httpDate(Date.parse(modified) + 1000), 200],
        ["nonsense", 200],
      ] as const) {
        const response = await send("GET", target, { headers: { range: "bytes=0-9", "if-range": ifRange } });
        expect(response.status, ifRange).toBe(status);
        await expectBytes(response, status === 206 ? BODY.subarray(0, 10) : BODY);
      }
    });
  });

  describe("partNumber", () => {
    it("1 is the whole of a single-part object", async () => {
      const response = await send("GET", `${await objectOf()}?partNumber=1`);
      expect(response.status).toBe(206);
      expect(response.headers.get("content-range")).toBe("bytes 0-999/1000");
      expect(response.headers.get("x-amz-mp-parts-count")).toBeNull();
      await expectBytes(response, BODY);
    });

    it("1 of an empty object returns 200", async () => {
      const response = await send("GET", `${await objectOf("")}?partNumber=1`);
      expect(response.status).toBe(200);
      await expectBytes(response, "");
    });

    it("above the number of parts returns InvalidPartNumber", async () => {
      await expectS3Error(await send("GET", `${await objectOf()}?partNumber=2`), {
        status: 416,
        code: "InvalidPartNumber",
        fields: { ActualPartCount: "1", PartNumberRequested: "2" },
      });
    });

    it.each(["0", "10001", "-1", "1.5", "x", ""])("%j returns InvalidArgument", async (value) => {
      await expectS3Error(await send("GET", `${await objectOf()}?partNumber=${value}`), {
        status: 400,
        code: "InvalidArgument",
        message: "Part number must be an integer between 1 and 10000, inclusive",
        fields: { ArgumentName: "partNumber", ArgumentValue: value },
      });
    });

    it("is rejected together with a Range", async () => {
      const response = await send("GET", `${await objectOf()}?partNumber=1`, { headers: { range: "bytes=0-1" } });
      await expectS3Error(response, {
        status: 400,
        code: "InvalidRequest",
        message: "Cannot specify both Range header and partNumber query parameter",
      });
    });
  });
});
