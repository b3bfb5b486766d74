// RenameObject with conditions on the source and on the destination.
import { describe, expect, it } from "vitest";

import { md5Hex } from "../support/digests.ts";
import type { ExpectedError } from "../support/expect-s3-error.ts";
import { bodyOf } from "../support/versioning.ts";
import { FUTURE, bucketOf, expectRefused, keysOf, rename } from "./rename-object-fixture.ts";

const PAST = "Sat, 01 Jan 2000 00:00:00 GMT";

describe("RenameObject", () => {
  describe("conditions", () => {
    const SOURCE = `"${md5Hex("source")}"`;
    const DESTINATION = `"${md5Hex("destination")}"`;

    const failed = (condition: string): ExpectedError => ({
      status: 412,
      code: "PreconditionFailed",
      message: "At least one of the pre-conditions you specified did not hold",
      fields: { Condition: condition },
    });

    it.each([
      ["of the destination", "if-match", DESTINATION],
      ["of the destination, bare", "if-match", DESTINATION.replaceAll('"', "")],
      ["of the destination", "if-modified-since", PAST],
      ["of the destination", "if-unmodified-since", FUTURE],
      ["of the source", "x-amz-rename-source-if-match", SOURCE],
      ["of the source, any", "x-amz-rename-source-if-match", "*"],
      ["of the source", "x-amz-rename-source-if-none-match", DESTINATION],
      ["of the source", "x-amz-rename-source-if-modified-since", PAST],
      ["of the source", "x-amz-rename-source-if-unmodified-since", FUTURE],
    ])("%s that hold let it go ahead: %s: %s", async (_whose, name, value) => {
      const bucket = await bucketOf({ a: "source", b: "destination" });
      expect((await rename(bucket, "a", "b", { [name]: value })).status).toBe(200);
      expect(await bodyOf(bucket, "b")).toBe("source");
    });

    it.each([
      ["if-match", SOURCE, "If-Match"],
      ["if-none-match", "*", "If-None-Match"],
      ["if-modified-since", FUTURE, "If-Modified-Since"],
      ["if-unmodified-since", PAST, "If-Unmodified-Since"],
      ["x-amz-rename-source-if-match", DESTINATION, "If-Match"],
      ["x-amz-rename-source-if-none-match", SOURCE, "If-None-Match"],
      ["x-amz-rename-source-if-none-match", "*", "If-None-Match"],
      ["x-amz-rename-source-if-modified-since", FUTURE, "If-Modified-Since"],
      ["x-amz-rename-source-if-unmodified-since", PAST, "If-Unmodified-Since"],
    ])("that fail refuse it: %s: %s", async (name, value, condition) => {
      const bucket = await bucketOf({ a: "source", b: "destination" });
      await expectRefused(bucket, () => rename(bucket, "a", "b", { [name]: value }), failed(condition));
    });

    it("pass on a free key when only an existing object could fail them", async () => {
      for (const headers of [{ "if-none-match": "*" }, { "if-unmodified-since": PAST }]) {
        const bucket = await bucketOf({ a: "source" });
        expect((await rename(bucket, "a", "b", headers)).status).toBe(200);
      }
    });

    it("that need a destination fail when there is none", async () => {
      const bucket = await bucketOf({ a: "source" });
      await expectRefused(bucket, () => rename(bucket, "a", "b", { "if-match": SOURCE }), {
        status: 404,
        code: "NoSuchKey",
        fields: { Key: "b" },
      });
      await expectRefused(
        bucket,
        () => rename(bucket, "a", "b", { "if-modified-since": PAST }),
        failed("If-Modified-Since"),
      );
    });

    it("report If-Match when both of the destination's fail", async () => {
      const bucket = await bucketOf({ a: "source", b: "destination" });
      const headers = { "if-match": SOURCE, "if-none-match": "*" };
      await expectRefused(bucket, () => rename(bucket, "a", "b", headers), failed("If-Match"));
    });

    it("are evaluated on the source first, and only when it exists", async () => {
      const bucket = await bucketOf({ a: "source", b: "destination" });
      const headers = { "if-none-match": "*", "x-amz-rename-source-if-match": DESTINATION };
      await expectRefused(bucket, () => rename(bucket, "a", "b", headers), failed("If-Match"));
      await expectRefused(bucket, () => rename(bucket, "missing", "b", headers), {
        status: 404,
        code: "NoSuchKey",
        fields: { Key: "missing" },
      });
    });

    it("reject an ETag in the destination's If-None-Match, which accepts only *", async () => {
      const bucket = await bucketOf({ a: "source", b: "destination" });
      await expectRefused(bucket, () => rename(bucket, "a", "b", { "if-none-match": SOURCE }), {
        status: 400,
        code: "InvalidRequest",
      });
    });

    it("let exactly one of several concurrent renames onto a missing key succeed", async () => {
      const keys = ["a", "b", "c", "d", "e"];
      const bucket = await bucketOf(Object.fromEntries(keys.map((key) => [key, key])));
      const responses = await Promise.all(keys.map((key) => rename(bucket, key, "won", { "if-none-match": "*" })));
      const statuses = responses.map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect(statuses.every((status) => [200, 409, 412].includes(status))).toBe(true);
      const winner = keys[statuses.indexOf(200)];
      expect(await bodyOf(bucket, "won")).toBe(winner);
      expect(await keysOf(bucket)).toEqual([...keys.filter((key) => key !== winner), "won"]);
    });
  });
});
