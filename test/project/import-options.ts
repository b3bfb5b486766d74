// The command line of `npm run import`. Run by `npm run test:deploy`.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readOptions } from "../../scripts/import/options.ts";

const FROM = ["--from", "https://s3.example.com"];
const TO = ["--to", "http://localhost:9000/copy"];

void describe("the options of npm run import", () => {
  void it("name buckets, a prefix and regions", () => {
    const options = readOptions(["s3://old/some/prefix", ...FROM, ...TO, "--from-region", "eu-central-1"]);
    assert.partialDeepStrictEqual(options, {
      source: { endpoint: "https://s3.example.com", bucket: "old", region: "eu-central-1" },
      target: { endpoint: "http://localhost:9000", bucket: "copy", region: "auto" },
      prefix: "some/prefix",
      concurrency: 8,
      versions: false,
    });
    assert.equal(readOptions(["--help"]), undefined);
  });

  for (const [what, args] of [
    ["no bucket", [...FROM, ...TO]],
    ["two buckets", ["s3://a", "s3://b", ...FROM, ...TO]],
    ["no scheme", ["old", ...FROM, ...TO]],
    ["no source", ["s3://old", ...TO]],
    ["a bucket in the source's endpoint", ["s3://old", "--from", "https://s3.example.com/old", ...TO]],
    ["no bucket at the target", ["s3://old", ...FROM, "--to", "http://localhost:9000"]],
    ["a prefix at the target", ["s3://old", ...FROM, "--to", "http://localhost:9000/copy/x"]],
    ["another protocol", ["s3://old", "--from", "file:///etc", ...TO]],
    ["credentials in a URL", ["s3://old", "--from", "https://u:p@s3.example.com", ...TO]],
    ["no concurrency", ["s3://old", ...FROM, ...TO, "--concurrency", "0"]],
    ["an unknown option", ["s3://old", ...FROM, ...TO, "--delete"]],
    ["versions that replace nothing", ["s3://old", ...FROM, ...TO, "--versions", "--missing-only"]],
  ] as const) {
    void it(`refuse ${what}`, () => {
      assert.throws(() => readOptions(args));
    });
  }
});
