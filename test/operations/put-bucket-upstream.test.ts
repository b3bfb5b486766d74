import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { UPSTREAM_SCOPE, upstreamDocument } from "../support/upstream.ts";

async function put(body: string): Promise<Response> {
  return send("PUT", `/${await freshBucket()}?upstream`, { body }, UPSTREAM_SCOPE);
}

const NAMES = "<Source>old</Source><Bucket>old-bucket</Bucket>";

describe("PutBucketUpstream", () => {
  it("accepts a store that the operator declares for the bucket", async () => {
    expect((await put(upstreamDocument())).status).toBe(200);
    expect((await put(`<UpstreamConfiguration>${NAMES}</UpstreamConfiguration>`)).status).toBe(200);
  });

  it.each(["other", "reserved", "https://169.254.169.254", "__proto__"])(
    "refuses the store %s, which is not declared for the bucket",
    async (source) => {
      await expectS3Error(await put(upstreamDocument(source)), {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName: "Source", ArgumentValue: source },
      });
    },
  );

  it.each(["a", "../x", "a/b", "x?y", "a b"])("refuses the bucket name %s", async (name) => {
    const fields = { ArgumentName: "Bucket", ArgumentValue: name };
    await expectS3Error(await put(upstreamDocument("old", name)), { status: 400, code: "InvalidArgument", fields });
  });

  it("refuses a prefix that is longer than a key", async () => {
    await expectS3Error(await put(upstreamDocument("old", "old-bucket", "x".repeat(1025))), {
      status: 400,
      code: "KeyTooLongError",
      fields: { Size: "1025", MaxSizeAllowed: "1024" },
    });
  });

  it.each([
    ["no XML", "x"],
    ["another root", "<Upstream/>"],
    ["no store", "<UpstreamConfiguration><Bucket>old-bucket</Bucket></UpstreamConfiguration>"],
    ["no bucket", "<UpstreamConfiguration><Source>old</Source></UpstreamConfiguration>"],
    ["an endpoint", `<UpstreamConfiguration>${NAMES}<Endpoint>http://127.0.0.1</Endpoint></UpstreamConfiguration>`],
    ["two prefixes", `<UpstreamConfiguration>${NAMES}<Prefix>a</Prefix><Prefix>b</Prefix></UpstreamConfiguration>`],
    [
      "an element in a name",
      "<UpstreamConfiguration><Source><X/></Source><Bucket>b-b</Bucket></UpstreamConfiguration>",
    ],
  ])("refuses %s", async (_what, document) => {
    await expectS3Error(await put(document), { status: 400, code: "MalformedXML" });
  });
});
