// Reading a snapshot requires permission to read the bucket's versions, independent of the bucket's present content.
import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { putAll } from "../support/fresh-bucket.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import { allow, freshUser, type TestUser } from "../support/users.ts";
import { putVersion, versionedBucket } from "../support/versioning.ts";

const ALL = "arn:aws:s3:::*";

function allowing(...actions: string[]): object {
  return { Effect: "Allow", Action: actions, Resource: ALL };
}

async function statusOf(
  user: TestUser | undefined,
  method: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  const response =
    user === undefined
      ? await deliver(anonymous(method, target, { headers }))
      : await send(method, target, { headers, credentials: user.credentials });
  await response.arrayBuffer();
  return response.status;
}

/** A bucket whose object has changed since its snapshot. */
async function bucketWithSnapshot(): Promise<{ readonly bucket: string; readonly address: string }> {
  const bucket = await versionedBucket();
  await putVersion(bucket, "k", "old", { "x-amz-tagging": "a=b" });
  const address = await takeSnapshot(bucket, "s");
  await putAll(bucket, { k: "new" });
  return { bucket, address };
}

describe("reading a snapshot", () => {
  it.each([
    ["GET", "/k", "s3:GetObject", "s3:GetObjectVersion"],
    ["HEAD", "/k", "s3:GetObject", "s3:GetObjectVersion"],
    ["GET", "/k?attributes", "s3:GetObject", "s3:GetObjectVersion"],
    ["GET", "/k?tagging", "s3:GetObjectTagging", "s3:GetObjectVersionTagging"],
    ["GET", "?list-type=2", "s3:ListBucket", "s3:ListBucketVersions"],
    ["GET", "", "s3:ListBucket", "s3:ListBucketVersions"],
  ])("%s %s takes what reading versions takes: not %s but %s", async (method, target, ofObjects, ofVersions) => {
    const { bucket, address } = await bucketWithSnapshot();
    const headers = { "x-amz-object-attributes": "ETag" };
    const user = await freshUser(allowing(ofObjects));
    expect(await statusOf(user, method, `/${bucket}${target}`, headers)).toBe(200);
    expect(await statusOf(user, method, `/${address}${target}`, headers)).toBe(403);
    await allow(user, allowing(ofVersions));
    expect(await statusOf(user, method, `/${bucket}${target}`, headers)).toBe(403);
    expect(await statusOf(user, method, `/${address}${target}`, headers)).toBe(200);
  });

  it("as a copy source requires the same permission", async () => {
    const { bucket, address } = await bucketWithSnapshot();
    const headers = { "x-amz-copy-source": `/${address}/k`, "x-amz-tagging-directive": "REPLACE" };
    const user = await freshUser(allowing("s3:PutObject", "s3:GetObject"));
    expect(await statusOf(user, "PUT", `/${bucket}/copy`, headers)).toBe(403);
    await allow(user, allowing("s3:PutObject", "s3:GetObjectVersion"));
    expect(await statusOf(user, "PUT", `/${bucket}/copy`, headers)).toBe(200);
  });

  it("is public when the bucket's policy makes its versions public", async () => {
    const { bucket, address } = await bucketWithSnapshot();
    const put = async (action: string): Promise<void> => {
      const statement = { Effect: "Allow", Principal: "*", Action: action, Resource: `arn:aws:s3:::${bucket}/*` };
      const body = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
      const open =
        "<PublicAccessBlockConfiguration><BlockPublicPolicy>false</BlockPublicPolicy></PublicAccessBlockConfiguration>";
      expect((await send("PUT", `/${bucket}?publicAccessBlock`, { body: open })).ok).toBe(true);
      expect((await send("PUT", `/${bucket}?policy`, { body })).status).toBe(204);
    };
    await put("s3:GetObject");
    expect(await statusOf(undefined, "GET", `/${bucket}/k`)).toBe(200);
    expect(await statusOf(undefined, "GET", `/${address}/k`)).toBe(403);
    await put("s3:GetObjectVersion");
    expect(await statusOf(undefined, "GET", `/${address}/k`)).toBe(200);
  });
});

describe("the calls about snapshots and usage", () => {
  it.each([
    ["PUT", "?snapshot=t", "s3:CreateBucketSnapshot", 200],
    ["GET", "?snapshots", "s3:ListBucketSnapshots", 200],
    ["POST", "?restoreSnapshot=s", "s3:RestoreBucketSnapshot", 200],
    ["DELETE", "?snapshot=s", "s3:DeleteBucketSnapshot", 204],
    ["GET", "?usage", "s3:GetBucketUsage", 200],
  ])("%s %s takes %s", async (method, target, action, status) => {
    const { bucket } = await bucketWithSnapshot();
    const user = await freshUser(allowing("s3:ListBucket*", "s3:GetObject*", "s3:PutObject*", "s3:GetBucket*"), {
      Effect: "Deny",
      Action: [action],
      Resource: ALL,
    });
    expect(await statusOf(user, method, `/${bucket}${target}`)).toBe(403);
    await allow(user, allowing(action));
    expect(await statusOf(user, method, `/${bucket}${target}`)).toBe(status);
  });
});
