// CopyObject with conditions on the source and on the destination.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { md5Hex } from "../support/digests.ts";
import { expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { expectBalanced } from "../support/rows.ts";
import { allow, freshUser } from "../support/users.ts";
import { bodyOf } from "../support/versioning.ts";
import { bucketOf, copy, expectRefused } from "./copy-object-fixture.ts";

const PAST = "Sat, 01 Jan 2000 00:00:00 GMT";
const FUTURE = "Thu, 01 Jan 2099 00:00:00 GMT";

describe("CopyObject", () => {
  describe("conditions on the source", () => {
    const ETAG = `"${md5Hex("x")}"`;
    const OTHER = `"${md5Hex("y")}"`;
    const name = (condition: string): string => `x-amz-copy-source-${condition}`;

    it.each([
      [{ "if-match": ETAG }, undefined],
      [{ "if-match": ETAG.replaceAll('"', "") }, undefined],
      [{ "if-match": "*" }, undefined],
      [{ "if-match": OTHER }, "If-Match"],
      [{ "if-none-match": OTHER }, undefined],
      [{ "if-none-match": ETAG }, "If-None-Match"],
      [{ "if-none-match": "*" }, "If-None-Match"],
      [{ "if-modified-since": PAST }, undefined],
      [{ "if-modified-since": FUTURE }, undefined],
      [{ "if-unmodified-since": FUTURE }, undefined],
      [{ "if-unmodified-since": PAST }, "If-Unmodified-Since"],
      // AWS's precedence: a true If-Match outweighs the date, and so does a false If-None-Match.
      [{ "if-match": ETAG, "if-unmodified-since": PAST }, undefined],
      [{ "if-match": OTHER, "if-unmodified-since": FUTURE }, "If-Match"],
      [{ "if-none-match": ETAG, "if-modified-since": PAST }, "If-None-Match"],
      [{ "if-match": OTHER, "if-none-match": ETAG }, "If-Match"],
      [{ "if-match": ETAG, "if-none-match": ETAG }, "If-None-Match"],
      [{ "if-unmodified-since": PAST, "if-none-match": ETAG }, "If-Unmodified-Since"],
    ] as const)("%j: refused by %s", async (conditions, refusedBy) => {
      const bucket = await bucketOf({ a: "x" });
      const headers = Object.fromEntries(Object.entries(conditions).map(([key, value]) => [name(key), value]));
      if (refusedBy === undefined) {
        expect((await copy(`${bucket}/a`, bucket, "b", headers)).status).toBe(200);
        expect(await bodyOf(bucket, "b")).toBe("x");
      } else {
        await expectRefused(bucket, () => copy(`${bucket}/a`, bucket, "b", headers), {
          status: 412,
          code: "PreconditionFailed",
          message: "At least one of the pre-conditions you specified did not hold",
          fields: { Condition: `x-amz-copy-source-${refusedBy}` },
        });
      }
    });

    it("x-amz-copy-source-if-modified-since rejects an unmodified source, at a precision of a second", async () => {
      const bucket = await bucketOf({ a: "x" });
      const modified = (await send("HEAD", `/${bucket}/a`)).headers.get("last-modified") ?? "";
      await expectRefused(bucket, () => copy(`${bucket}/a`, bucket, "b", { [name("if-modified-since")]: modified }), {
        status: 412,
        code: "PreconditionFailed",
        fields: { Condition: "x-amz-copy-source-If-Modified-Since" },
      });
      expect((await copy(`${bucket}/a`, bucket, "b", { [name("if-unmodified-since")]: modified })).status).toBe(200);
    });
  });

  describe("conditions on the destination", () => {
    it.each([
      ["a free key, none wanted", {}, { "if-none-match": "*" }, undefined],
      [
        "a taken key, none wanted",
        { b: "old" },
        { "if-none-match": "*" },
        { status: 412, code: "PreconditionFailed", fields: { Condition: "If-None-Match" } },
      ],
      ["the wanted object", { b: "old" }, { "if-match": md5Hex("old") }, undefined],
      [
        "another object",
        { b: "old" },
        { "if-match": md5Hex("x") },
        { status: 412, code: "PreconditionFailed", fields: { Condition: "If-Match" } },
      ],
      [
        "a free key, one wanted",
        {},
        { "if-match": md5Hex("x") },
        { status: 404, code: "NoSuchKey", fields: { Key: "b" } },
      ],
    ] as readonly (readonly [string, Record<string, string>, Record<string, string>, ExpectedError | undefined])[])(
      "%s",
      async (_name, objects, headers, expected) => {
        const bucket = await bucketOf({ a: "new", ...objects });
        if (expected === undefined) {
          expect((await copy(`${bucket}/a`, bucket, "b", headers)).status).toBe(200);
          expect(await bodyOf(bucket, "b")).toBe("new");
        } else {
          await expectRefused(bucket, () => copy(`${bucket}/a`, bucket, "b", headers), expected);
        }
        await expectBalanced(bucket);
      },
    );

    it("let exactly one of several concurrent copies onto a missing key succeed", async () => {
      const keys = ["a", "b", "c", "d"];
      const bucket = await bucketOf(Object.fromEntries(keys.map((key) => [key, key])));
      const responses = await Promise.all(
        keys.map((key) => copy(`${bucket}/${key}`, bucket, "won", { "if-none-match": "*" })),
      );
      const statuses = responses.map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect(await bodyOf(bucket, "won")).toBe(keys[statuses.indexOf(200)]);
      await expectBalanced(bucket);
    });
  });

  it("does not disclose through its conditions what exists to callers who may not list", async () => {
    const bucket = await bucketOf({ k: "x" });
    const resources = { Effect: "Allow", Resource: `arn:aws:s3:::${bucket}/*` };
    const user = await freshUser({ ...resources, Action: ["s3:PutObject", "s3:GetObject"] });
    const headers = { "x-amz-copy-source": `${bucket}/k`, "if-match": '"x"' };
    const copy = async (): Promise<Response> =>
      send("PUT", `/${bucket}/missing`, { headers, credentials: user.credentials });
    await expectS3Error(await copy(), { status: 403, code: "AccessDenied" });
    const all = { Effect: "Allow", Resource: `arn:aws:s3:::${bucket}`, Action: "s3:ListBucket" };
    await allow(user, { ...resources, Action: ["s3:PutObject", "s3:GetObject"] }, all);
    await expectS3Error(await copy(), { status: 404, code: "NoSuchKey", fields: { Key: "missing" } });
  });
});
