import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { childrenOf, readXml, textOf } from "../support/read-xml.ts";
import { setVersioning } from "../support/versioning.ts";

describe("GetBucketVersioning", () => {
  it("returns an empty element when versioning was never set", async () => {
    const response = await send("GET", `/${await freshBucket()}?versioning`);
    expect(response.status).toBe(200);
    expectAnswerHeaders(response);
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    const root = readXml(await response.text());
    expect(root).toEqual({
      name: "VersioningConfiguration",
      attributes: { xmlns: "http://s3.amazonaws.com/doc/2006-03-01/" },
      text: "",
      children: [],
    });
  });

  it("returns the status that was set", async () => {
    const bucket = await freshBucket();
    for (const status of ["Suspended", "Enabled", "Suspended"] as const) {
      await setVersioning(bucket, status);
      const root = readXml(await (await send("GET", `/${bucket}?versioning=`)).text());
      expect(textOf(root, "Status")).toBe(status);
      expect(childrenOf(root, "MfaDelete")).toEqual([]);
    }
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await send("GET", `/${missing}?versioning`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await freshBucket();
    await expectS3Error(await deliver(anonymous("GET", `/${bucket}?versioning`)), {
      status: 403,
      code: "AccessDenied",
    });
  });
});
