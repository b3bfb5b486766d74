import { expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { expectUnset } from "../support/unset-configuration.ts";
import { setUpstream, upstreamDocument } from "../support/upstream.ts";

it("GetBucketUpstream answers NoSuchUpstreamConfiguration for a bucket without an upstream", async () => {
  await expectUnset("upstream", "NoSuchUpstreamConfiguration");
});

it("GetBucketUpstream returns the names, and neither the endpoint nor the credentials", async () => {
  const bucket = await freshBucket();
  await setUpstream(bucket, upstreamDocument("old", "old-bucket", "some/ &amp; prefix/"));
  const text = await (await send("GET", `/${bucket}?upstream`)).text();
  const root = readXml(text);
  const fields = ["Source", "Bucket", "Prefix"].map((name) => textOf(root, name));
  expect(fields).toEqual(["old", "old-bucket", "some/ & prefix/"]);
  expect(text).not.toMatch(/old\.example|UPSTREAMKEY|secret/);
});
