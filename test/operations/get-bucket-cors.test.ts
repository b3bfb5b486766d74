import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { corsDocument, putCors } from "../support/cors.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

describe("GetBucketCors", () => {
  it("returns the rules", async () => {
    const bucket = await freshBucket();
    await putCors(bucket, corsDocument("https://a.example.com", "PUT"));
    const response = await send("GET", `/${bucket}?cors`);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
        "<CORSRule><AllowedMethod>PUT</AllowedMethod><AllowedOrigin>https://a.example.com</AllowedOrigin>" +
        "<AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>",
    );
  });

  it("returns 404 without rules", async () => {
    const bucket = await freshBucket();
    await expectS3Error(await send("GET", `/${bucket}?cors`), {
      status: 404,
      code: "NoSuchCORSConfiguration",
      fields: { BucketName: bucket },
    });
  });
});
