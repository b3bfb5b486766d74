import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { readXml } from "../support/read-xml.ts";

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

async function bucketIn(region: string): Promise<string> {
  const name = freshBucketName();
  const body = `<CreateBucketConfiguration><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
  expect((await send("PUT", `/${name}`, { body })).status).toBe(200);
  return name;
}

describe("GetBucketLocation", () => {
  it("returns the region as the text of one element", async () => {
    const name = await bucketIn("eu-central-3");
    for (const target of [`/${name}?location`, `/${name}/?location=`]) {
      const response = await send("GET", target);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("application/xml");
      expectAnswerHeaders(response);
      expect(readXml(await response.text())).toEqual({
        name: "LocationConstraint",
        attributes: { xmlns: NAMESPACE },
        text: "eu-central-3",
        children: [],
      });
    }
  });

  it("returns auto, the region of a bucket created without a LocationConstraint", async () => {
    const response = await send("GET", `/${await freshBucket()}?location`);
    expect(readXml(await response.text()).text).toBe("auto");
  });

  it("returns an empty element for us-east-1", async () => {
    const response = await send("GET", `/${await bucketIn("us-east-1")}?location`);
    expect(await response.text()).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint xmlns="${NAMESPACE}"/>`,
    );
  });

  it("returns NoSuchBucket for a missing bucket", async () => {
    const name = freshBucketName();
    await expectS3Error(await send("GET", `/${name}?location`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: name },
    });
  });

  it("rejects anonymous requests", async () => {
    await expectS3Error(await deliver(anonymous("GET", `/${await freshBucket()}?location`)), {
      status: 403,
      code: "AccessDenied",
    });
  });
});
