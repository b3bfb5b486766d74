import { describe, expect, it } from "vitest";

import { anonymous, deliver, send, type SendOptions } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { createUpload, putPart, sendCompletion } from "../support/multipart.ts";
import { putPublicAccessBlock } from "../support/policies.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import { freshUser } from "../support/users.ts";
import { setVersioning } from "../support/versioning.ts";

const PUBLIC = { "x-amz-acl": "public-read" };
const ALL = { Effect: "Allow", Action: "s3:*", Resource: "*" };
const NO_ACLS = { Effect: "Deny", Action: "s3:PutObjectAcl", Resource: "*" };

async function setOwnership(bucket: string, ownership: string): Promise<void> {
  const body = `<OwnershipControls><Rule><ObjectOwnership>${ownership}</ObjectOwnership></Rule></OwnershipControls>`;
  expect((await send("PUT", `/${bucket}?ownershipControls`, { body })).status).toBe(200);
}

/** A bucket with ACLs and a public object. */
async function publicObject(): Promise<string> {
  const bucket = await freshBucket();
  await setOwnership(bucket, "ObjectWriter");
  expect((await send("PUT", `/${bucket}/k`, { body: "shown", headers: PUBLIC })).status).toBe(200);
  return bucket;
}

/** The same bucket with a snapshot that shows the object public, while it is private now. */
async function oncePublicObject(): Promise<string> {
  const bucket = await publicObject();
  await setVersioning(bucket, "Enabled");
  await takeSnapshot(bucket, "s");
  await putAll(bucket, { k: "hidden" });
  return bucket;
}

const statusForStrangers = async (bucket: string, key: string): Promise<number> =>
  (await deliver(anonymous("GET", `/${bucket}/${key}`))).status;

const restore = (bucket: string, options: SendOptions = {}) => send("POST", `/${bucket}?restoreSnapshot=s`, options);

describe("a snapshot with a public object cannot be restored", () => {
  it("while BlockPublicAcls is set", async () => {
    const bucket = await oncePublicObject();
    await putPublicAccessBlock(bucket, "BlockPublicAcls");
    expect((await restore(bucket)).status).toBe(403);
    expect(await statusForStrangers(bucket, "k")).toBe(403);
    expect(await (await send("GET", `/${bucket}/k`)).text()).toBe("hidden");
    await putPublicAccessBlock(bucket);
    expect((await restore(bucket)).status).toBe(200);
    expect(await statusForStrangers(bucket, "k")).toBe(200);
  });

  it.each([
    ["by a user who may not put lists", [{ ...ALL, Action: ["s3:RestoreBucketSnapshot", "s3:PutObject"] }]],
    ["by a user who is denied it", [ALL, NO_ACLS]],
  ])("%s", async (_who, statements) => {
    const bucket = await oncePublicObject();
    const { credentials } = await freshUser(...statements);
    expect((await restore(bucket, { credentials })).status).toBe(403);
    expect(await statusForStrangers(bucket, "k")).toBe(403);
    const other = await freshUser(ALL);
    expect((await restore(bucket, { credentials: other.credentials })).status).toBe(200);
    expect(await statusForStrangers(bucket, "k")).toBe(200);
  });

  it("with its ACL while ACLs are disabled: it becomes private", async () => {
    const bucket = await oncePublicObject();
    await setOwnership(bucket, "BucketOwnerEnforced");
    expect((await restore(bucket)).status).toBe(200);
    expect(await (await send("GET", `/${bucket}/k`)).text()).toBe("shown");
    await setOwnership(bucket, "ObjectWriter");
    expect(await statusForStrangers(bucket, "k")).toBe(403);
  });
});

describe("a public object cannot be renamed", () => {
  it("while BlockPublicAcls is set", async () => {
    const bucket = await publicObject();
    await putPublicAccessBlock(bucket, "BlockPublicAcls");
    const response = await send("PUT", `/${bucket}/other`, { headers: { "x-amz-rename-source": "k" } });
    expect(response.status).toBe(403);
    expect(await statusForStrangers(bucket, "other")).toBe(403);
  });

  it("by a user without s3:PutObjectAcl", async () => {
    const bucket = await publicObject();
    const headers = { "x-amz-rename-source": "k" };
    const { credentials } = await freshUser(ALL, NO_ACLS);
    expect((await send("PUT", `/${bucket}/other`, { headers, credentials })).status).toBe(403);
    const other = await freshUser(ALL);
    expect((await send("PUT", `/${bucket}/other`, { headers, credentials: other.credentials })).status).toBe(200);
    expect(await statusForStrangers(bucket, "other")).toBe(200);
  });
});

describe("an upload that began with a public ACL", () => {
  it("cannot be completed once BlockPublicAcls is set", async () => {
    const bucket = await publicObject();
    const uploadId = await createUpload(bucket, "k", PUBLIC);
    const part = await putPart(bucket, "k", uploadId, 1, "more");
    await putPublicAccessBlock(bucket, "BlockPublicAcls");
    expect((await sendCompletion(bucket, "k", uploadId, [part])).status).toBe(403);
    expect(await (await send("GET", `/${bucket}/k`)).text()).toBe("shown");
    await putPublicAccessBlock(bucket);
    expect((await sendCompletion(bucket, "k", uploadId, [part])).status).toBe(200);
  });
});

describe("BlockPublicPolicy", () => {
  it.each([
    { StringEquals: { "aws:userid": "anonymous" } },
    { IpAddress: { "aws:SourceIp": Array.from({ length: 256 }, (_, octet) => `${octet}.0.0.0/8`) } },
  ])("rejects a policy whose only conditions cover all principals or all networks: %j", async (Condition) => {
    const bucket = await freshBucket();
    await putPublicAccessBlock(bucket, "BlockPublicPolicy");
    const statement = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/*` };
    const body = JSON.stringify({ Version: "2012-10-17", Statement: [{ ...statement, Condition }] });
    expect((await send("PUT", `/${bucket}?policy`, { body })).status).toBe(403);
    const fixed = { IpAddress: { "aws:SourceIp": "192.0.2.0/24" } };
    const text = JSON.stringify({ Version: "2012-10-17", Statement: [{ ...statement, Condition: fixed }] });
    expect((await send("PUT", `/${bucket}?policy`, { body: text })).status).toBe(204);
  });
});
