import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { corsDocument, putCors } from "../support/cors.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

describe("PutBucketCors", () => {
  it("replaces all rules", async () => {
    const bucket = await freshBucket();
    expect((await putCors(bucket, corsDocument("https://a.example.com"))).status).toBe(200);
    expect((await putCors(bucket, corsDocument("https://b.example.com"))).status).toBe(200);
    const text = await (await send("GET", `/${bucket}?cors`)).text();
    expect(text).toContain("https://b.example.com");
    expect(text).not.toContain("https://a.example.com");
  });

  it("keeps the old rules when the new ones are rejected", async () => {
    const bucket = await freshBucket();
    await putCors(bucket, corsDocument("https://a.example.com"));
    await expectS3Error(await putCors(bucket, "<CORSConfiguration/>"), { status: 400, code: "MalformedXML" });
    await expectS3Error(await putCors(bucket, corsDocument("*", "PATCH")), { status: 400, code: "InvalidRequest" });
    expect(await (await send("GET", `/${bucket}?cors`)).text()).toContain("https://a.example.com");
  });

  it("returns 404 for a missing bucket", async () => {
    await expectS3Error(await putCors("no-such-bucket-here", corsDocument("*")), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: "no-such-bucket-here" },
    });
  });
});
