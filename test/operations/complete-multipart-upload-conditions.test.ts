// CompleteMultipartUpload with If-Match and If-None-Match.
import { describe, expect, it } from "vitest";

import { md5Hex } from "../support/digests.ts";
import { expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { sendCompletion } from "../support/multipart.ts";
import { expectBalanced, expectUntouched } from "../support/rows.ts";
import { bodyOf, deleteKey, versionedBucket } from "../support/versioning.ts";
import { uploadOf } from "./complete-multipart-upload-fixture.ts";

describe("CompleteMultipartUpload", () => {
  describe("conditions", () => {
    const OLD = md5Hex("old");
    const none = { "if-none-match": "*" };

    const failed = (condition: string): ExpectedError => ({
      status: 412,
      code: "PreconditionFailed",
      message: "At least one of the pre-conditions you specified did not hold",
      fields: { Condition: condition },
    });

    const conflict = (condition: string): ExpectedError => ({
      status: 409,
      code: "ConditionalRequestConflict",
      fields: { Condition: condition, Key: "k" },
    });
    const put = (body: string) => async (bucket: string) => putAll(bucket, { k: body });
    const remove = async (bucket: string): Promise<void> => void (await deleteKey(bucket, "k"));
    type Step = (bucket: string) => Promise<void>;

    it.each([
      ["none there, none wanted", [], [], none, undefined],
      ["one there, none wanted", [put("old")], [], none, failed("If-None-Match")],
      ["one put meanwhile, none wanted", [], [put("new")], none, failed("If-None-Match")],
      ["one deleted meanwhile, none wanted", [put("old")], [remove], none, conflict("If-None-Match")],
      ["the one that is wanted", [put("old")], [], { "if-match": OLD }, undefined],
      ["another than the wanted one", [put("old")], [], { "if-match": md5Hex("x") }, failed("If-Match")],
      ["none, one wanted", [], [], { "if-match": OLD }, { status: 404, code: "NoSuchKey", fields: { Key: "k" } }],
      ["the wanted one put meanwhile", [put("x")], [put("old")], { "if-match": OLD }, conflict("If-Match")],
      ["the same bytes put meanwhile", [put("old")], [put("old")], { "if-match": OLD }, conflict("If-Match")],
      [
        "the wanted one deleted meanwhile",
        [put("old")],
        [remove],
        { "if-match": OLD },
        { status: 404, code: "NoSuchKey", fields: { Key: "k" } },
      ],
      [
        "the wanted one deleted and put again meanwhile",
        [put("old")],
        [remove, put("old")],
        { "if-match": OLD },
        conflict("If-Match"),
      ],
      ["the old one replaced meanwhile", [put("old")], [put("new")], { "if-match": OLD }, failed("If-Match")],
    ] as readonly (readonly [string, Step[], Step[], Record<string, string>, ExpectedError | undefined])[])(
      "on the current version: %s",
      async (_name, before, meanwhile, headers, expected) => {
        for (const makeBucket of [freshBucket, versionedBucket]) {
          const bucket = await makeBucket();
          for (const step of before) await step(bucket);
          const { uploadId, parts } = await uploadOf(bucket, ["new object"]);
          for (const step of meanwhile) await step(bucket);
          if (expected === undefined) {
            expect((await sendCompletion(bucket, "k", uploadId, parts, headers)).status).toBe(200);
            expect(await bodyOf(bucket, "k")).toBe("new object");
          } else {
            await expectUntouched(bucket, async () =>
              expectS3Error(await sendCompletion(bucket, "k", uploadId, parts, headers), expected),
            );
          }
        }
      },
    );

    it.each([
      [{ "if-none-match": '"x"' }, { status: 400, code: "InvalidRequest" }],
      [{ "if-match": "*" }, { status: 501, code: "NotImplemented" }],
      [
        { "if-match": '"x"', "if-none-match": "*" },
        { status: 501, code: "NotImplemented" },
      ],
    ] as const)("that make no sense are rejected: %j", async (headers, { status, code }) => {
      const bucket = await freshBucket();
      const { uploadId, parts } = await uploadOf(bucket, ["x"]);
      await expectUntouched(bucket, async () => {
        const response = await sendCompletion(bucket, "k", uploadId, parts, headers);
        expect(response.status).toBe(status);
        expect(await response.text()).toContain(`<Code>${code}</Code>`);
      });
    });

    it("let exactly one of several concurrent completions of a missing key succeed", async () => {
      const bucket = await freshBucket();
      const uploads = [];
      for (let turn = 0; turn < 5; turn += 1) uploads.push(await uploadOf(bucket, [`body ${turn}`]));
      const responses = await Promise.all(
        uploads.map(({ uploadId, parts }) => sendCompletion(bucket, "k", uploadId, parts, none)),
      );
      const statuses = responses.map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect(statuses.every((status) => [200, 409, 412].includes(status))).toBe(true);
      expect(await bodyOf(bucket, "k")).toBe(`body ${statuses.indexOf(200)}`);
      await expectBalanced(bucket);
    });
  });
});
