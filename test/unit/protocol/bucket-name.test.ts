import { describe, expect, it } from "vitest";

import { readSettings } from "../../../src/config/settings.ts";
import { checkBucketName, checkNewBucketName, type BucketNamePolicy } from "../../../src/protocol/core/bucket-name.ts";
import { S3Error } from "../../../src/protocol/core/s3-error.ts";
import { expectQuick } from "../../support/quick.ts";
import { expectRefusal } from "./support.ts";

const STRICT: BucketNamePolicy = readSettings({});
const AWS: BucketNamePolicy = readSettings({ BUCKET_NAMES: "aws" });

/** Whether a name is valid at all, allowed by default, and allowed under AWS's rules. */
const NAMES: readonly (readonly [name: string, isName: boolean, strict: boolean, aws: boolean])[] = [
  ["abc", true, true, true],
  ["a1b", true, true, true],
  ["123", true, true, true],
  ["0-0", true, true, true],
  ["my-bucket", true, true, true],
  ["a--b", true, true, true],
  ["a".repeat(63), true, true, true],
  ["cdn", true, true, true],
  ["integer", true, true, true],
  ["cw", false, false, false],
  ["cwx", true, true, true],
  ["vipers", true, true, true],
  ["1.2.3", true, false, true],
  ["a.b.c", true, false, true],
  ["www.example.com", true, false, true],
  ["a.-b", true, false, true],
  // Length.
  ["", false, false, false],
  ["a", false, false, false],
  ["ab", false, false, false],
  ["a".repeat(64), false, false, false],
  // Characters.
  ["Abc", false, false, false],
  ["aBc", false, false, false],
  ["a_b", false, false, false],
  ["a b", false, false, false],
  ["a/b", false, false, false],
  ["a%b", false, false, false],
  ["a*b", false, false, false],
  ["äbc", false, false, false],
  ["ａｂｃ", false, false, false],
  ["abc\n", false, false, false],
  ["\nabc", false, false, false],
  ["a\0b", false, false, false],
  ["abc:", false, false, false],
  // Beginning and end.
  ["-abc", false, false, false],
  ["abc-", false, false, false],
  [".abc", false, false, false],
  ["abc.", false, false, false],
  ["---", false, false, false],
  ["a..b", false, false, false],
  // Addresses.
  ["192.168.5.4", false, false, false],
  ["1.2.3.4", false, false, false],
  ["999.999.999.999", false, false, false],
  ["1.2.3.4.5", true, false, true],
  ["1.2.3.a", true, false, true],
  // Reserved by AWS.
  ["xn--abc", true, false, false],
  ["xn-abc", true, true, true],
  ["sthree-abc", true, false, false],
  ["amzn-s3-demo-abc", true, false, false],
  ["abc-s3alias", true, false, false],
  ["abc--ol-s3", true, false, false],
  ["abc.mrap", true, false, false],
  ["abc--x-s3", true, false, false],
  ["abc--table-s3", true, false, false],
  ["s3alias", true, true, true],
  // Reserved by the settings.
  ["cw-logs", true, false, false],
  ["vip-x", true, false, false],
  ["log-stitcher-ch-1", true, false, false],
  ["log-stitcher-c", true, true, true],
  ["int", true, false, false],
  ["int1", true, true, true],
  ["cdn-cgi", true, false, false],
];

describe.each(NAMES)("the name %j", (name, isName, strict, aws) => {
  const fields = { BucketName: name };

  it(`${isName ? "may" : "cannot"} be a bucket's`, () => {
    if (isName) expect(() => checkBucketName(name)).not.toThrow();
    else expectRefusal(() => checkBucketName(name), "InvalidBucketName", 400, { fields });
  });

  it.each([
    ["default", strict, STRICT],
    ["AWS's", aws, AWS],
  ])("is allowed for a new bucket under %s rules: %s", (_rules, isGiven, policy) => {
    if (isGiven) expect(() => checkNewBucketName(name, policy)).not.toThrow();
    else expectRefusal(() => checkNewBucketName(name, policy), "InvalidBucketName", 400, { fields });
  });
});

describe("the error message for an invalid name", () => {
  it.each([
    ["a.b", "The specified bucket is not valid. Dots in bucket names take the setting BUCKET_NAMES=aws."],
    ["cw-logs", "The specified bucket is not valid. This name is reserved."],
    ["xn--abc", "The specified bucket is not valid. This name is reserved."],
    ["A", "The specified bucket is not valid."],
  ])("%j", (name, message) => {
    expect(() => checkNewBucketName(name, STRICT)).toThrow(
      new S3Error("InvalidBucketName", { BucketName: name }, message),
    );
  });
});

describe("reserved names", () => {
  it("are whole names, or prefixes when they end in *", () => {
    const policy: BucketNamePolicy = { bucketNames: "strict", reservedBucketNames: ["team-*", "root"] };
    for (const name of ["team-a", "team-a-b", "root"]) {
      expectRefusal(() => checkNewBucketName(name, policy), "InvalidBucketName", 400);
    }
    for (const name of ["team", "a-team-b", "root1", "int", "cw-logs"]) {
      expect(() => checkNewBucketName(name, policy)).not.toThrow();
    }
  });

  it("do not block requests to an existing bucket", () => {
    for (const name of ["int", "cw-logs", "xn--abc"]) expect(() => checkBucketName(name)).not.toThrow();
  });
});

describe("a name of 100 KB", () => {
  it.each(["a", "a.", "-", "1.", "\u{1f600}"])("of %j is rejected quickly", (piece) => {
    const name = piece.repeat(100_000 / piece.length);
    expectQuick(() => expectRefusal(() => checkBucketName(name), "InvalidBucketName", 400));
  });
});
