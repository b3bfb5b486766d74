// The requests that Terraform's aws provider sends over the life of a bucket: create with tags, read every
// configuration, change the tags by S3 Control, delete.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucketName } from "../support/fresh-bucket.ts";
import { sendForTags, tagResourceOf, tagsPath } from "../support/resource-tags.ts";

/** Each configuration that is read after a change, with the error code of a missing one. */
const READS: readonly (readonly [subresource: string, absent: string | undefined])[] = [
  ["policy", "NoSuchBucketPolicy"],
  ["acl", undefined],
  ["cors", "NoSuchCORSConfiguration"],
  ["website", "NoSuchWebsiteConfiguration"],
  ["versioning", undefined],
  ["accelerate", undefined],
  ["requestPayment", undefined],
  ["logging", undefined],
  ["lifecycle", "NoSuchLifecycleConfiguration"],
  ["replication", "ReplicationConfigurationNotFoundError"],
  ["encryption", undefined],
  ["object-lock", "ObjectLockConfigurationNotFoundError"],
  ["location", undefined],
];

async function expectReadable(bucket: string): Promise<void> {
  expect((await send("HEAD", `/${bucket}`)).headers.get("x-amz-bucket-region")).toBe("auto");
  for (const [subresource, absent] of READS) {
    const response = await send("GET", `/${bucket}?${subresource}`);
    const text = await response.text();
    if (absent === undefined) expect(response.status, text).toBe(200);
    else expect([response.status, /<Code>(\w+)</.exec(text)?.[1]]).toEqual([404, absent]);
  }
}

async function tagsOf(bucket: string): Promise<string> {
  return (await sendForTags("GET", tagsPath(bucket))).text();
}

describe("Terraform's aws_s3_bucket", () => {
  it("is created with tags, read, changed and deleted", async () => {
    const bucket = freshBucketName();
    const body = `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>auto</LocationConstraint><Tags><Tag><Key>a</Key><Value>1</Value></Tag></Tags></CreateBucketConfiguration>`;
    const headers = { "x-amz-bucket-object-lock-enabled": "false" };
    expect((await send("PUT", `/${bucket}`, { body, headers })).status).toBe(200);
    await expectReadable(bucket);
    expect(await tagsOf(bucket)).toContain("<Tag><Key>a</Key><Value>1</Value></Tag>");

    expect((await sendForTags("DELETE", `${tagsPath(bucket)}?tagKeys=a`)).status).toBe(204);
    expect((await sendForTags("POST", tagsPath(bucket), { body: tagResourceOf({ b: "2" }) })).status).toBe(204);
    await expectReadable(bucket);
    expect(await tagsOf(bucket)).toContain("<Tags><Tag><Key>b</Key><Value>2</Value></Tag></Tags>");

    expect((await send("DELETE", `/${bucket}`)).status).toBe(204);
    expect((await send("HEAD", `/${bucket}`)).status).toBe(404);
    expect((await sendForTags("GET", tagsPath(bucket))).status).toBe(404);
  });
});
