// Bucket policies seen from outside: what they grant to anonymous callers, and what a rejection discloses.
import { describe, expect, it } from "vitest";

import { anonymous, deliver, ROOT, send, type SendOptions } from "../support/client.ts";
import { md5Base64, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";

const allCallers = { Effect: "Allow", Principal: "*" };
const DENIED = { status: 403, code: "AccessDenied", message: "Access Denied" };

/** Statements on a bucket; `{bucket}` becomes its ARN. */
async function police(bucket: string, ...statements: readonly object[]): Promise<void> {
  const text = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  const body = text.replaceAll("{bucket}", `arn:aws:s3:::${bucket}`);
  const response = await send("PUT", `/${bucket}?policy`, { body });
  expect(await response.text()).toBe("");
  expect(response.status).toBe(204);
}

function sendAnonymously(method: string, target: string, options: SendOptions = {}): Promise<Response> {
  return deliver(anonymous(method, target, options));
}

async function bucketWith(
  objects: Readonly<Record<string, string>>,
  ...statements: readonly object[]
): Promise<string> {
  const bucket = await freshBucket();
  await putAll(bucket, objects);
  if (statements.length > 0) await police(bucket, ...statements);
  return bucket;
}

const publicRead = { ...allCallers, Action: "s3:GetObject", Resource: "{bucket}/*" };

describe("a bucket with a public policy", () => {
  it("is private before the policy, public with it, and private at once after its deletion", async () => {
    const bucket = await bucketWith({ k: "text" });
    await expectS3Error(await sendAnonymously("GET", `/${bucket}/k`), DENIED);
    await police(bucket, publicRead);
    const response = await sendAnonymously("GET", `/${bucket}/k`);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("text");
    expect((await sendAnonymously("HEAD", `/${bucket}/k`)).status).toBe(200);
    expect((await sendAnonymously("PUT", `/${bucket}/k`, { body: "x" })).status).toBe(403);
    expect((await sendAnonymously("GET", `/${bucket}`)).status).toBe(403);
    expect((await send("DELETE", `/${bucket}?policy`)).status).toBe(204);
    await expectS3Error(await sendAnonymously("GET", `/${bucket}/k`), DENIED);
  });

  it("returns AccessDenied for missing keys unless listing is allowed", async () => {
    const bucket = await bucketWith({ k: "text" }, publicRead);
    await expectS3Error(await sendAnonymously("GET", `/${bucket}/missing`), DENIED);
    expect((await sendAnonymously("HEAD", `/${bucket}/missing`)).status).toBe(403);
    await police(bucket, publicRead, { ...allCallers, Action: "s3:ListBucket", Resource: "{bucket}" });
    await expectS3Error(await sendAnonymously("GET", `/${bucket}/missing`), {
      status: 404,
      code: "NoSuchKey",
      fields: { Key: "missing" },
    });
    expect((await sendAnonymously("HEAD", `/${bucket}/missing`)).status).toBe(404);
  });

  it("hides missing versions like missing keys", async () => {
    const readVersions = { ...allCallers, Action: "s3:GetObjectVersion", Resource: "{bucket}/*" };
    const bucket = await bucketWith({ k: "text" }, readVersions);
    expect((await sendAnonymously("GET", `/${bucket}/k?versionId=null`)).status).toBe(200);
    expect((await sendAnonymously("GET", `/${bucket}/k`)).status).toBe(403);
    const unknown = "/k2?versionId=null";
    await expectS3Error(await sendAnonymously("GET", `/${bucket}${unknown}`), DENIED);
    await police(bucket, readVersions, { ...allCallers, Action: "s3:ListBucketVersions", Resource: "{bucket}" });
    await expectS3Error(await sendAnonymously("GET", `/${bucket}${unknown}`), {
      status: 404,
      code: "NoSuchVersion",
      fields: { Key: "k2", VersionId: "null" },
    });
  });

  it("accepts anonymous uploads with bodies, and rejects the actions that it does not grant", async () => {
    const bucket = await bucketWith({}, { ...allCallers, Action: "s3:PutObject", Resource: "{bucket}/in/*" });
    expect((await sendAnonymously("PUT", `/${bucket}/in/a`, { body: "text" })).status).toBe(200);
    expect((await sendAnonymously("PUT", `/${bucket}/out/a`, { body: "text" })).status).toBe(403);
    expect((await sendAnonymously("GET", `/${bucket}/in/a`)).status).toBe(403);
    const tagged = { body: "text", headers: { "x-amz-tagging": "a=b" } };
    expect((await sendAnonymously("PUT", `/${bucket}/in/b`, tagged)).status).toBe(403);
    expect((await send("HEAD", `/${bucket}/in/b`)).status).toBe(404);
  });

  it("lets anonymous callers delete those keys of a batch that it grants", async () => {
    const bucket = await bucketWith(
      { "tmp/a": "1", keep: "2" },
      { ...allCallers, Action: "s3:DeleteObject", Resource: "{bucket}/tmp/*" },
    );
    const body = "<Delete><Object><Key>tmp/a</Key></Object><Object><Key>keep</Key></Object></Delete>";
    const headers = { "content-md5": md5Base64(utf8(body)) };
    const text = await (await sendAnonymously("POST", `/${bucket}?delete`, { body, headers })).text();
    expect(text).toContain("<Deleted><Key>tmp/a</Key></Deleted>");
    expect(text).toContain("<Error><Key>keep</Key><Code>AccessDenied</Code>");
    expect((await send("HEAD", `/${bucket}/keep`)).status).toBe(200);
  });

  it("lets anonymous callers copy only from readable sources", async () => {
    const source = await bucketWith({ secret: "s", open: "o" }, { ...publicRead, Resource: "{bucket}/open" });
    const bucket = await bucketWith({}, { ...allCallers, Action: "s3:PutObject", Resource: "{bucket}/*" });
    const copy = (key: string): Promise<Response> =>
      sendAnonymously("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${source}/${key}` } });
    expect((await copy("open")).status).toBe(200);
    await expectS3Error(await copy("secret"), DENIED);
    await expectS3Error(await copy("missing"), DENIED);
  });
});

describe("conditions", () => {
  it("on aws:SourceIp use the client address that the edge sets", async () => {
    const inside = { IpAddress: { "aws:SourceIp": "203.0.113.0/24" } };
    const bucket = await bucketWith({ k: "text" }, { ...publicRead, Condition: inside });
    const requestFrom = (address: string): Request =>
      anonymous("GET", `/${bucket}/k`, {
        headers: { "cf-connecting-ip": address, "x-forwarded-for": "203.0.113.9" },
      });
    const from = (address: string): Promise<Response> => deliver(new Request(requestFrom(address), { cf: {} }));
    expect((await from("203.0.113.9")).status).toBe(200);
    expect((await from("198.51.100.1")).status).toBe(403);
    // Without an edge, as on a local machine, the client sets the header itself.
    expect((await deliver(requestFrom("203.0.113.9"))).status).toBe(403);
    expect((await sendAnonymously("GET", `/${bucket}/k`)).status).toBe(403);
  });

  it("on s3:prefix apply to listings", async () => {
    const bucket = await bucketWith(
      { "a/1": "", "b/1": "" },
      {
        ...allCallers,
        Action: "s3:ListBucket",
        Resource: "{bucket}",
        Condition: { StringLike: { "s3:prefix": "a/*" } },
      },
    );
    expect((await sendAnonymously("GET", `/${bucket}?list-type=2&prefix=a%2F`)).status).toBe(200);
    expect((await sendAnonymously("GET", `/${bucket}?list-type=2&prefix=b%2F`)).status).toBe(403);
    expect((await sendAnonymously("GET", `/${bucket}?list-type=2`)).status).toBe(403);
  });

  it("on s3:ExistingObjectTag use the object's stored tags", async () => {
    const open = { StringEquals: { "s3:ExistingObjectTag/access": "open" } };
    const bucket = await bucketWith({ plain: "text" }, { ...publicRead, Condition: open });
    await send("PUT", `/${bucket}/open`, { body: "text", headers: { "x-amz-tagging": "access=open" } });
    await send("PUT", `/${bucket}/shut`, { body: "text", headers: { "x-amz-tagging": "access=shut" } });
    expect((await sendAnonymously("GET", `/${bucket}/open`)).status).toBe(200);
    expect((await sendAnonymously("GET", `/${bucket}/shut`)).status).toBe(403);
    expect((await sendAnonymously("GET", `/${bucket}/plain`)).status).toBe(403);
  });

  it("can require conditional writes of whole objects only", async () => {
    const bucket = await freshBucket();
    await police(
      bucket,
      { ...allCallers, Action: "s3:PutObject", Resource: "{bucket}/*" },
      {
        Effect: "Deny",
        Principal: "*",
        Action: "s3:PutObject",
        Resource: "{bucket}/*",
        Condition: { Null: { "s3:if-none-match": "true" }, Bool: { "s3:ObjectCreationOperation": "true" } },
      },
    );
    expect((await send("PUT", `/${bucket}/k`, { body: "text" })).status).toBe(403);
    expect((await send("PUT", `/${bucket}/k`, { body: "text", headers: { "if-none-match": "*" } })).status).toBe(200);
    expect((await send("POST", `/${bucket}/k?uploads`)).status).toBe(200);
  });

  it("can require upload headers and bucket regions", async () => {
    const bucket = await freshBucket();
    await police(bucket, {
      Effect: "Deny",
      Principal: "*",
      Action: "s3:PutObject",
      Resource: "{bucket}/*",
      Condition: { StringNotEquals: { "s3:x-amz-storage-class": "STANDARD_IA" } },
    });
    const headers = { "x-amz-storage-class": "STANDARD_IA" };
    expect((await send("PUT", `/${bucket}/k`, { body: "text", headers })).status).toBe(200);
    expect((await send("PUT", `/${bucket}/k`, { body: "text" })).status).toBe(403);
  });

  it.each([
    ["NumericGreaterThan", 200],
    ["NumericLessThan", 403],
  ])("on s3:signatureAge apply: %s ten minutes", async (operator, status) => {
    const bucket = await bucketWith(
      { k: "text" },
      {
        Effect: "Deny",
        Principal: "*",
        Action: "s3:GetObject",
        Resource: "{bucket}/*",
        Condition: { [operator]: { "s3:signatureAge": "600000" } },
      },
    );
    expect((await send("GET", `/${bucket}/k`)).status).toBe(status);
  });
});

describe("an AccessDenied error", () => {
  it("contains its reason only for callers who may read the bucket's policy", async () => {
    const never = { Sid: "Sealed", Effect: "Deny", Principal: "*", Action: "s3:GetObject", Resource: "{bucket}/*" };
    const bucket = await bucketWith({ k: "text" }, never);
    const explained = `User: arn:aws:iam::000000000000:root is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::${bucket}/k" with an explicit deny in a resource-based policy (statement Sealed)`;
    await expectS3Error(await send("GET", `/${bucket}/k`), { status: 403, code: "AccessDenied", message: explained });
    await expectS3Error(await sendAnonymously("GET", `/${bucket}/k`), DENIED);
    expect((await send("DELETE", `/${bucket}?policy`, { credentials: ROOT })).status).toBe(204);
    expect((await send("GET", `/${bucket}/k`)).status).toBe(200);
  });
});
