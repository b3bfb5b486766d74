// PostObject's policy: conditions on fields, on the bucket and on the file's size.
import { describe, expect, it } from "vitest";

import { noise } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { formOf, post, sendForm, signPolicy, type FormPart } from "../support/forms.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { POLICY, expectRefused, partsFor } from "./post-object-fixture.ts";

describe("PostObject", () => {
  describe("the policy", () => {
    it.each([
      ["a key", { key: "a" }, { key: "b" }, 'Policy Condition failed: ["eq", "$key", "a"]'],
      [
        "a prefix",
        ["starts-with", "$key", "u/1/"],
        { key: "u/2/x" },
        'Policy Condition failed: ["starts-with", "$key", "u/1/"]',
      ],
      ["a field", ["starts-with", "$key", ""], { key: "k", acl: "private" }, "Extra input fields: acl"],
    ])("limits %s", async (_, condition, fields, sentence) => {
      const bucket = await freshBucket();
      const form = formOf([...Object.entries({ ...fields, ...signPolicy([{ bucket }, condition]) }), ["file", "x"]]);
      await expectNoTrace(bucket, async () =>
        expectS3Error(await sendForm(bucket, form), { status: 403, code: "AccessDenied", message: POLICY + sentence }),
      );
    });

    it("applies to one bucket", async () => {
      const [bucket, other] = [await freshBucket(), await freshBucket()];
      const parts = partsFor(bucket, "k", ["file", "x"]);
      for (const form of [formOf(parts), formOf([["bucket", bucket], ...parts])]) {
        await expectNoTrace(other, async () =>
          expectS3Error(await sendForm(other, form), {
            status: 403,
            code: "AccessDenied",
            message: `${POLICY}Policy Condition failed: ["eq", "$bucket", "${bucket}"]`,
          }),
        );
      }
    });

    it("cannot be bypassed by a duplicate field", async () => {
      const bucket = await freshBucket();
      const fields = signPolicy([{ bucket }, ["starts-with", "$key", "mine/"]]);
      for (const keys of [
        ["mine/a", "yours/a"],
        ["yours/a", "mine/a"],
      ]) {
        const parts: FormPart[] = keys.map((key) => ["key", key]);
        const response = await sendForm(bucket, formOf([...parts, ...Object.entries(fields), ["file", "x"]]));
        await response.text();
        expect(response.status).toBe(keys[0] === "mine/a" ? 204 : 403);
      }
      expect(Object.keys((await storedStateOf(bucket)).objects)).toEqual(["mine/a,yours/a"]);
    });

    it("cannot be bypassed by fields after the file, or a file before them", async () => {
      const bucket = await freshBucket();
      const fields: FormPart[] = Object.entries(signPolicy([{ bucket }, ["starts-with", "$key", ""]]));
      for (const parts of [
        [["file", "x"], ["key", "k"], ...fields],
        [...fields, ["file", "x"], ["key", "k"]],
      ] satisfies FormPart[][]) {
        await expectNoTrace(bucket, async () => {
          const response = await sendForm(bucket, formOf(parts));
          expect([response.status, await response.text()]).toEqual([
            400,
            expect.stringContaining("named &apos;key&apos;"),
          ]);
        });
      }
      const late = formOf([["key", "k"], ["file", "x"], ...fields]);
      await expectNoTrace(bucket, async () =>
        expectS3Error(await sendForm(bucket, late), { status: 403, code: "AccessDenied" }),
      );
    });

    it("that is malformed has another error than one that is not satisfied", async () => {
      await expectRefused({ status: 400, code: "InvalidPolicyDocument", message: /^Invalid Policy: / }, {}, "x", [
        { a: "b", c: "d" },
      ]);
    });

    it.each([
      ["x".repeat(12), "EntityTooLarge", { ProposedSize: "12", MaxSizeAllowed: "10" }],
      [noise(2_000_000), "EntityTooLarge", { ProposedSize: "2000000", MaxSizeAllowed: "10" }],
      ["x", "EntityTooSmall", { ProposedSize: "1", MinSizeAllowed: "5" }],
      ["", "EntityTooSmall", { ProposedSize: "0", MinSizeAllowed: "5" }],
    ])("limits the size", async (file, code, fields) => {
      await expectRefused({ status: 400, code, fields }, {}, file, [["content-length-range", 5, 10]]);
    });

    it("limits the size of a streamed file", async () => {
      const range = ["content-length-range", 1_000_000, 2_000_000];
      for (const [length, code, fields] of [
        [999_999, "EntityTooSmall", { ProposedSize: "999999", MinSizeAllowed: "1000000" }],
        [2_000_001, "EntityTooLarge", { ProposedSize: "2000001", MaxSizeAllowed: "2000000" }],
      ] as const) {
        await expectRefused({ status: 400, code, fields }, {}, noise(length), [range]);
      }
      const bucket = await freshBucket();
      expect((await post(bucket, { key: "k" }, noise(1_000_000), [range])).status).toBe(204);
    });
  });
});
