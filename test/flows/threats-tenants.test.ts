// Tenants of one account, each with its own buckets or prefixes: one tenant's keys never read, change or reveal
// anything of another, also after a bucket or a user is recreated under an old name.
import { beforeAll, describe, expect, it } from "vitest";

import { bucketNamedIn, PREPARATIONS } from "../support/operation-requests.ts";
import { anonymous, deliver, presigned, send, type SendOptions } from "../support/client.ts";
import { corsDocument } from "../support/cors.ts";
import { utf8 } from "../support/digests.ts";
import { expectHeadError, expectS3Error } from "../support/expect-s3-error.ts";
import { formOf, sendForm, signPolicy } from "../support/forms.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { completionOf, createUpload, putPart } from "../support/multipart.ts";
import { policyText, publicReadPolicy } from "../support/policies.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { expectControlError } from "../support/resource-tags.ts";
import { expectUntouched } from "../support/rows.ts";
import { taggingOf } from "../support/tagging.ts";
import { call, freshKey } from "../support/query-api.ts";
import { allow, freshUser, type TestUser } from "../support/users.ts";

const DENIED = { status: 403, code: "AccessDenied", message: "Access Denied" } as const;

/** Allows everything on buckets of its own name prefix, creating buckets and listing its own. */
async function freshTenant(): Promise<TestUser & { readonly bucket: string }> {
  const bucket = `own-${crypto.randomUUID()}`;
  const user = await freshUser(
    { Effect: "Allow", Action: "s3:*", Resource: [`arn:aws:s3:::${bucket}*`] },
    { Effect: "Allow", Action: ["s3:CreateBucket", "s3:ListAllMyBuckets"], Resource: "*" },
  );
  expect((await send("PUT", `/${bucket}`, { credentials: user.credentials })).status).toBe(200);
  return { ...user, bucket };
}

function as(user: TestUser, method: string, target: string, options: SendOptions = {}): Promise<Response> {
  return send(method, target, { ...options, credentials: user.credentials });
}

let tenant: Awaited<ReturnType<typeof freshTenant>>;
beforeAll(async () => {
  tenant = await freshTenant();
});

describe("another tenant's bucket", () => {
  // These name no bucket of another tenant; their own tests are below.
  const withoutBucket = new Set(["ListBuckets", "CreateBucket", "GetAccountRequestUsage", "ListScheduledJobs"]);
  const attempts = Object.entries(PREPARATIONS).flatMap(([name, preparations]) =>
    withoutBucket.has(name) ? [] : preparations.map((prepare, index) => [name, index, prepare] as const),
  );

  it.each(attempts)("rejects %s (case %i), and does not disclose what exists", async (_name, _index, prepare) => {
    const { method, target, options = {} } = await prepare();
    const isControl = target.startsWith("/v20180820/");
    await expectUntouched(bucketNamedIn(target), async () => {
      const response = await as(tenant, method, target, options);
      if (isControl) return expectControlError(response, 403, "AccessDenied");
      if (method === "HEAD") await expectHeadError(response, 403);
      else await expectS3Error(response, DENIED);
      const [path = "", query] = target.split("?");
      if (!/^\/[^/]+\/./.test(path)) return;
      const missing = `${path}-missing${query === undefined ? "" : `?${query}`}`;
      expect((await as(tenant, method, missing, options)).status).toBe(403);
    });
  });

  it("has a taken name, and is in no list of buckets", async () => {
    const bucket = await freshBucket();
    await expectUntouched(bucket, async () =>
      expectS3Error(await as(tenant, "PUT", `/${bucket}`), {
        status: 409,
        code: "BucketAlreadyExists",
        fields: { BucketName: bucket },
      }),
    );
    for (const query of ["", `?prefix=${bucket}`, "?max-buckets=1"]) {
      const text = await (await as(tenant, "GET", `/${query}`)).text();
      expect(Array.from(text.matchAll(/<Name>([^<]*)/g), ([, name]) => name)).toEqual(
        query.includes("prefix") ? [] : [tenant.bucket],
      );
    }
  });

  it("has its requests in the account's report, which is denied", async () => {
    for (const query of [`from=${new Date().toISOString().slice(0, 10)}`, "from=2026-11-01&to=2026-11-02"]) {
      await expectS3Error(await as(tenant, "GET", `/?usage&${query}`), DENIED);
    }
  });

  it("rejects copies, part copies and renames from it", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { secret: "text" });
    const created = await as(tenant, "POST", `/${tenant.bucket}/k?uploads`);
    const uploadId = textOf(readXml(await created.text()), "UploadId") ?? "";
    for (const source of [`/${bucket}/secret`, `${bucket}/missing`, `${bucket}/secret?versionId=null`]) {
      const headers = { "x-amz-copy-source": source };
      await expectS3Error(await as(tenant, "PUT", `/${tenant.bucket}/k`, { headers }), DENIED);
      const part = `/${tenant.bucket}/k?partNumber=1&uploadId=${uploadId}`;
      await expectS3Error(await as(tenant, "PUT", part, { headers }), DENIED);
    }
    for (const source of [`/${bucket}/secret`, `${bucket}/secret`, `/../${bucket}/secret`]) {
      const headers = { "x-amz-rename-source": source };
      expect((await as(tenant, "PUT", `/${tenant.bucket}/k`, { headers })).status).toBe(404);
    }
    expect(await (await send("GET", `/${bucket}/secret`)).text()).toBe("text");
  });

  it("rejects batch deletions and forms", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "2" });
    const document = "<Delete><Object><Key>a</Key></Object><Object><Key>missing</Key></Object></Delete>";
    const headers = { "x-amz-checksum-crc32": await crc32Of(document) };
    await expectUntouched(bucket, async () => {
      const response = await as(tenant, "POST", `/${bucket}?delete`, { body: document, headers });
      // The document is not even read: no statement could allow any key in it.
      await expectS3Error(response, DENIED);
      const { credentials } = tenant;
      const fields = { key: "k", ...signPolicy([{ bucket }, { key: "k" }], { credentials }) };
      await expectS3Error(await sendForm(bucket, formOf([...Object.entries(fields), ["file", "x"]])), DENIED);
    });
  });

  it("shares its uploads with no other bucket and no other key", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    const part = await putPart(bucket, "k", uploadId, 1, "text");
    const own = `/${tenant.bucket}/k?uploadId=${uploadId}`;
    await expectUntouched(bucket, async () => {
      for (const [method, target, body] of [
        ["PUT", `${own}&partNumber=1`, "x"],
        ["POST", own, completionOf([part])],
        ["GET", own, undefined],
        ["DELETE", own, undefined],
      ] as const) {
        const fields = { UploadId: uploadId };
        await expectS3Error(await as(tenant, method, target, { body }), { status: 404, code: "NoSuchUpload", fields });
        const otherKey = target.replace(`/${tenant.bucket}/k`, `/${bucket}/other`);
        await expectS3Error(await send(method, otherKey, { body }), { status: 404, code: "NoSuchUpload", fields });
      }
    });
  });

  it("is not readable with a continuation token of its own listing", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "2" });
    const page = readXml(await (await send("GET", `/${bucket}?list-type=2&max-keys=1`)).text());
    const token = textOf(page, "NextContinuationToken") ?? "";
    const query = `list-type=2&max-keys=1&continuation-token=${token}`;
    await expectS3Error(await as(tenant, "GET", `/${bucket}?${query}`), DENIED);
    await expectS3Error(await as(tenant, "GET", `/${tenant.bucket}?${query}`), {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "continuation-token", ArgumentValue: token },
    });
    // A caller who may list one prefix cannot reach past it.
    const reader = await freshUser({
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: `arn:aws:s3:::${bucket}`,
      Condition: { StringEquals: { "s3:prefix": "a" } },
    });
    await expectS3Error(await as(reader, "GET", `/${bucket}?${query}`), DENIED);
    expect((await as(reader, "GET", `/${bucket}?${query}&prefix=a`)).status).toBe(400);
  });

  it("is accessible exactly under a granted prefix", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { "t1/k": "1", "T1/k": "2", t1: "3", "t10/k": "4", "/t1/k": "5" });
    const user = await freshUser({ Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/t1/*` });
    const statusOf = async (key: string): Promise<number> => (await as(user, "GET", `/${bucket}/${key}`)).status;
    for (const key of ["t1/k", "t1%2Fk", "%74%31/k"]) expect([key, await statusOf(key)]).toEqual([key, 200]);
    for (const key of ["T1/k", "t1", "t10/k", "/t1/k", "t1%252Fk", "t1%5Ck", "t1%00/k"]) {
      expect([key, [400, 403].includes(await statusOf(key))]).toEqual([key, true]);
    }
  });
});

describe("another tenant", () => {
  it("cannot be managed, nor can its credentials", async () => {
    const victim = await freshTenant();
    const { accessKeyId } = victim.credentials;
    const UserName = victim.name;
    const calls: readonly (readonly [action: string, parameters: Readonly<Record<string, string>>])[] = [
      ["GetUser", { UserName }],
      ["DeleteUser", { UserName }],
      ["UpdateUser", { UserName, NewUserName: "mine" }],
      ["CreateAccessKey", { UserName }],
      ["ListAccessKeys", { UserName }],
      ["UpdateAccessKey", { UserName, AccessKeyId: accessKeyId, Status: "Inactive" }],
      ["DeleteAccessKey", { UserName, AccessKeyId: accessKeyId }],
      ["DeleteAccessKey", { UserName: tenant.name, AccessKeyId: accessKeyId }],
      ["GetAccessKeyLastUsed", { AccessKeyId: accessKeyId }],
      ["PutUserPolicy", { UserName, PolicyName: "p", PolicyDocument: "{}" }],
      ["PutUserPolicy", { UserName: tenant.name, PolicyName: "p", PolicyDocument: "{}" }],
      ["TagUser", { UserName: tenant.name, "Tags.member.1.Key": "team", "Tags.member.1.Value": "red" }],
      ["ListUsers", {}],
    ];
    for (const [action, parameters] of calls) {
      const response = await call("iam", action, parameters, tenant);
      const text = await response.text();
      expect([response.status, text], action).toEqual([403, expect.stringContaining("AccessDenied")]);
    }
    expect((await as(victim, "GET", `/${victim.bucket}`)).status).toBe(200);
  });
});

async function crc32Of(text: string): Promise<string> {
  const stream = new crypto.DigestStream("crc32");
  const writer = stream.getWriter();
  await writer.write(utf8(text));
  await writer.close();
  return btoa(String.fromCharCode(...new Uint8Array(await stream.digest)));
}

/** Allows creating buckets, and otherwise only what the first policy of an own bucket grants. */
async function freshMaker(bucket: string): Promise<TestUser> {
  const maker = await freshUser({ Effect: "Allow", Action: "s3:CreateBucket", Resource: "*" });
  expect((await as(maker, "PUT", `/${bucket}`)).status).toBe(200);
  const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
  const body = policyText({ Effect: "Allow", Principal: { AWS: maker.arn }, Action: "s3:*", Resource });
  expect((await as(maker, "PUT", `/${bucket}?policy`, { body })).status).toBe(204);
  return maker;
}

describe("a bucket that another tenant recreated under its old name", () => {
  const READS = ["policy", "tagging", "cors", "lifecycle", "publicAccessBlock"];
  let bucket: string;
  let old: TestUser;
  let maker: TestUser;
  let urls: readonly Request[];
  let uploadId: string;
  let snapshot: string;
  let token: string;
  let form: Uint8Array;

  beforeAll(async () => {
    bucket = freshBucketName();
    old = await freshMaker(bucket);
    const block = `<PublicAccessBlockConfiguration><BlockPublicAcls>false</BlockPublicAcls></PublicAccessBlockConfiguration>`;
    const lifecycle = `<LifecycleConfiguration><Rule><ID>all</ID><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>`;
    const ownership = `<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>`;
    const versioning = `<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>`;
    for (const [query, body] of [
      ["tagging", taggingOf({ team: "old" })],
      ["cors", corsDocument("https://old.example")],
      ["lifecycle", lifecycle],
      ["publicAccessBlock", block],
      ["ownershipControls", ownership],
      ["versioning", versioning],
    ] as const) {
      const headers = { "x-amz-checksum-crc32": await crc32Of(body) };
      const response = await as(old, "PUT", `/${bucket}?${query}`, { body, headers });
      expect([query, response.ok]).toEqual([query, true]);
    }
    expect((await as(old, "PUT", `/${bucket}?acl`, { headers: { "x-amz-acl": "public-read-write" } })).status).toBe(
      200,
    );
    const put = await as(old, "PUT", `/${bucket}/k`, { body: "old", headers: { "x-amz-acl": "public-read" } });
    const versionId = put.headers.get("x-amz-version-id") ?? "";
    expect((await as(old, "PUT", `/${bucket}/l`, { body: "old" })).status).toBe(200);
    const { credentials } = old;
    snapshot = textOf(readXml(await (await as(old, "PUT", `/${bucket}?snapshot=s`)).text()), "Address") ?? "";
    uploadId = textOf(readXml(await (await as(old, "POST", `/${bucket}/k?uploads`)).text()), "UploadId") ?? "";
    const listed = readXml(await (await as(old, "GET", `/${bucket}?list-type=2&max-keys=1`)).text());
    token = textOf(listed, "NextContinuationToken") ?? "";
    const fields = { key: "k", ...signPolicy([{ bucket }, { key: "k" }], { credentials }) };
    form = formOf([...Object.entries(fields), ["file", "posted"]]);
    urls = await Promise.all(
      (
        [
          ["GET", `/${bucket}/k`],
          ["GET", `/${bucket}/k?versionId=${versionId}`],
          ["HEAD", `/${bucket}/k`],
          ["PUT", `/${bucket}/k`, "new"],
          ["DELETE", `/${bucket}/k`],
          ["GET", `/${bucket}?list-type=2`],
          ["GET", `/${bucket}?versions`],
          ["PUT", `/${bucket}/k?partNumber=1&uploadId=${uploadId}`, "part"],
          ["GET", `/${snapshot}/k`],
          ["PUT", `/${bucket}?policy`, publicReadPolicy(bucket)],
          ["DELETE", `/${bucket}`],
        ] as const
      ).map(([method, target, body]) => presigned(method, target, { credentials, expires: 3600, body })),
    );
    // All of these work while the bucket is the old one.
    expect(await (await deliver(anonymous("GET", `/${bucket}/k`))).text()).toBe("old");
    expect((await deliver(anonymous("GET", `/${bucket}`))).status).toBe(200);
    for (const url of urls.filter(({ method }) => method === "GET"))
      expect((await deliver(url.clone())).status).toBe(200);

    expect((await as(old, "DELETE", `/${bucket}?snapshot=s`)).status).toBe(204);
    const versions = await (await as(old, "GET", `/${bucket}?versions`)).text();
    for (const [, key = "", id = ""] of versions.matchAll(/<Key>([^<]*)<\/Key><VersionId>([^<]*)/g)) {
      expect((await as(old, "DELETE", `/${bucket}/${key}?versionId=${id}`)).status).toBe(204);
    }
    expect((await as(old, "DELETE", `/${bucket}/k?uploadId=${uploadId}`)).status).toBe(204);
    expect((await as(old, "DELETE", `/${bucket}`)).status).toBe(204);
    maker = await freshMaker(bucket);
    expect((await as(maker, "PUT", `/${bucket}/k`, { body: "new" })).status).toBe(200);
    expect((await as(maker, "PUT", `/${bucket}/z`, { body: "new" })).status).toBe(200);
  });

  it("rejects the URLs and forms that the old tenant signed", async () => {
    await expectUntouched(bucket, async () => {
      for (const url of urls) {
        const response = await deliver(url.clone());
        expect([url.url, response.status]).toEqual([url.url, 403]);
        await response.arrayBuffer();
      }
      await expectS3Error(await sendForm(bucket, form), DENIED);
    });
  });

  it("is not public and belongs only to its creator", async () => {
    await expectUntouched(bucket, async () => {
      for (const target of [`/${bucket}`, `/${bucket}/k`, `/${snapshot}/k`]) {
        await expectS3Error(await deliver(anonymous("GET", target)), DENIED);
      }
      await expectS3Error(await deliver(anonymous("PUT", `/${bucket}/k`, { body: "x" })), DENIED);
      const body = publicReadPolicy(bucket);
      await expectS3Error(await as(old, "PUT", `/${bucket}?policy`, { body }), DENIED);
    });
  });

  it("has its creator's policy and no other configuration", async () => {
    for (const subresource of READS) {
      const response = await as(maker, "GET", `/${bucket}?${subresource}`);
      expect([subresource, response.status]).toEqual([subresource, subresource === "policy" ? 200 : 404]);
      expect(await response.text()).not.toContain(old.arn);
    }
    for (const subresource of ["acl", "ownershipControls", "versioning", "versions", "uploads", "snapshots"]) {
      const text = await (await as(maker, "GET", `/${bucket}?${subresource}`)).text();
      for (const disclosed of ["AllUsers", "ObjectWriter", "Enabled", "Upload>", "<Snapshot>", "old"]) {
        expect(text, subresource).not.toContain(disclosed);
      }
    }
    const preflight = anonymous("OPTIONS", `/${bucket}/k`, {
      headers: { origin: "https://old.example", "access-control-request-method": "GET" },
    });
    expect((await deliver(preflight)).status).toBe(403);
  });

  it("has no upload, snapshot or version of the old bucket, and rejects its tokens", async () => {
    const part = `/${bucket}/k?partNumber=1&uploadId=${uploadId}`;
    await expectS3Error(await as(maker, "PUT", part, { body: "x" }), {
      status: 404,
      code: "NoSuchUpload",
      fields: { UploadId: uploadId },
    });
    expect((await as(maker, "GET", `/${snapshot}/k`)).status).toBe(404);
    const text = await (await as(maker, "GET", `/${bucket}?list-type=2&continuation-token=${token}`)).text();
    expect(Array.from(text.matchAll(/<Key>([^<]*)/g), ([, key]) => key)).toEqual(["z"]);
  });
});

describe("a user recreated under the name of a deleted one", () => {
  it("has only what policies grant to the name", async () => {
    const [made, shared] = [freshBucketName(), await freshBucket()];
    await putAll(shared, { k: "x" });
    const gone = await freshUser({
      Effect: "Allow",
      Action: ["s3:CreateBucket", "s3:ListAllMyBuckets"],
      Resource: "*",
    });
    expect((await as(gone, "PUT", `/${made}`)).status).toBe(200);
    const Resource = `arn:aws:s3:::${shared}/*`;
    const body = policyText({ Effect: "Allow", Principal: { AWS: gone.arn }, Action: "s3:GetObject", Resource });
    expect((await send("PUT", `/${shared}?policy`, { body })).status).toBe(204);
    const url = await presigned("GET", `/${shared}/k`, { credentials: gone.credentials, expires: 3600 });
    expect((await deliver(url.clone())).status).toBe(200);

    const UserName = gone.name;
    const { accessKeyId: AccessKeyId } = gone.credentials;
    await call("iam", "DeleteAccessKey", { UserName, AccessKeyId });
    await call("iam", "DeleteUserPolicy", { UserName, PolicyName: "only" });
    expect((await call("iam", "DeleteUser", { UserName })).status).toBe(200);
    expect((await call("iam", "CreateUser", { UserName })).status).toBe(200);
    const again = { name: UserName, arn: gone.arn, credentials: await freshKey(UserName) };
    await allow(again, { Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" });

    expect((await deliver(url)).status).toBe(403);
    // The id shows that the bucket is the first one's.
    expect(await (await as(again, "GET", "/")).text()).not.toContain(made);
    await expectS3Error(await as(again, "PUT", `/${made}?policy`, { body: publicReadPolicy(made) }), DENIED);
    // A policy names an ARN and applies to its current owner, as docs/access.md states.
    expect((await as(again, "GET", `/${shared}/k`)).status).toBe(200);
  });
});
