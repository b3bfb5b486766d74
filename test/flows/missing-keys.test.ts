// A missing key returns 404 to callers who may list it and 403 to all others, whichever grant allows the listing.
import { beforeAll, describe, expect, it } from "vitest";

import { documented } from "../support/operation-requests.ts";
import { anonymous, deliver, send, type SendOptions } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { policyText, putPolicy } from "../support/policies.ts";
import { allow, freshUser, type TestUser } from "../support/users.ts";

const OWNERSHIP = `<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>`;

/** The error code of a request for a missing key. */
async function codeOf(response: Response): Promise<string> {
  return /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1] ?? String(response.status);
}

describe("a missing key", () => {
  let bucket = "";
  let user: TestUser;
  beforeAll(async () => {
    bucket = await freshBucket();
    user = await freshUser();
    await allow(
      user,
      {
        Effect: "Allow",
        Action: ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject"],
        Resource: `arn:aws:s3:::${bucket}/*`,
      },
      {
        Effect: "Allow",
        Action: ["s3:ListBucket", "s3:ListBucketVersions"],
        Resource: `arn:aws:s3:::${bucket}`,
        Condition: { StringLike: { "s3:prefix": "${aws:username}/*" } },
      },
    );
  });

  const VERSION = "0".repeat(32);
  it.each<[method: string, path: string, headers: Record<string, string>, code: string]>([
    ["GET", "missing", {}, "NoSuchKey"],
    ["HEAD", "missing", {}, "404"],
    ["GET", `missing?versionId=${VERSION}`, {}, "NoSuchVersion"],
    ["PUT", "missing", { "if-match": '"a"' }, "NoSuchKey"],
    ["DELETE", "missing", { "if-match": '"a"' }, "NoSuchKey"],
  ])("has its error for %s %s from a user who may list by a prefix only", async (method, path, headers, code) => {
    const options: SendOptions = { headers, credentials: user.credentials };
    expect(await codeOf(await send(method, `/${bucket}/${user.name}/${path}`, options))).toBe(code);
    const denied = method === "HEAD" ? "403" : "AccessDenied";
    // A parameter or another header does not replace the key.
    const forged = `${path}${path.includes("?") ? "&" : "?"}prefix=${user.name}/`;
    for (const other of [path, forged]) {
      expect(await codeOf(await send(method, `/${bucket}/other/${other}`, options))).toBe(denied);
    }
  });

  it("is checked under the source's key for a copy, and under the entry's key for a batch deletion", async () => {
    const { name, credentials } = user;
    const copy = (from: string) =>
      send("PUT", `/${bucket}/${name}/k`, { headers: { "x-amz-copy-source": `${bucket}/${from}` }, credentials });
    expect(await codeOf(await copy(`${name}/missing`))).toBe("NoSuchKey");
    expect(await codeOf(await copy("other/missing"))).toBe("AccessDenied");
    const rename = (from: string) =>
      send("PUT", `/${bucket}/${name}/k?renameObject`, { headers: { "x-amz-rename-source": from }, credentials });
    expect(await codeOf(await rename(`${name}/missing`))).toBe("NoSuchKey");
    expect(await codeOf(await rename("other/missing"))).toBe("AccessDenied");
    const entry = (key: string) => `<Object><Key>${key}</Key><ETag>"a"</ETag></Object>`;
    const body = `<Delete>${entry(`${name}/missing`)}${entry("other/missing")}</Delete>`;
    const text = await (await send("POST", `/${bucket}?delete`, { ...documented(body), credentials })).text();
    expect(text).toContain(`<Key>${name}/missing</Key><Code>NoSuchKey</Code>`);
    expect(text).toContain("<Key>other/missing</Key><Code>AccessDenied</Code>");
  });
});

describe("a missing key in a bucket with an ACL", () => {
  const sendAnonymously = (method: string, target: string) => deliver(anonymous(method, target));

  async function bucketWith(acl: string): Promise<string> {
    const bucket = await freshBucket();
    expect((await send("PUT", `/${bucket}?ownershipControls`, documented(OWNERSHIP))).status).toBe(200);
    expect((await send("PUT", `/${bucket}?acl`, { headers: { "x-amz-acl": acl } })).status).toBe(200);
    await putAll(bucket, { private: "text" });
    return bucket;
  }

  it("returns 404 to anonymous callers when they may list", async () => {
    const bucket = await bucketWith("public-read");
    expect(await codeOf(await sendAnonymously("GET", `/${bucket}/missing`))).toBe("NoSuchKey");
    expect((await sendAnonymously("HEAD", `/${bucket}/missing`)).status).toBe(404);
    expect(await codeOf(await sendAnonymously("GET", `/${bucket}/private`))).toBe("AccessDenied");
    expect((await sendAnonymously("GET", `/${bucket}/missing?tagging`)).status).toBe(403);
    await putPolicy(
      bucket,
      policyText({ Effect: "Deny", Principal: "*", Action: "s3:ListBucket", Resource: `arn:aws:s3:::${bucket}` }),
    );
    expect(await codeOf(await sendAnonymously("GET", `/${bucket}/missing`))).toBe("AccessDenied");
  });

  it("returns 404 to authenticated callers when they may list", async () => {
    const bucket = await bucketWith("authenticated-read");
    const { credentials } = await freshUser();
    expect(await codeOf(await send("GET", `/${bucket}/missing`, { credentials }))).toBe("NoSuchKey");
    expect(await codeOf(await send("GET", `/${bucket}/private`, { credentials }))).toBe("AccessDenied");
    expect(await codeOf(await sendAnonymously("GET", `/${bucket}/missing`))).toBe("AccessDenied");
  });

  it("returns 403 to other callers when the ACL is private or disabled", async () => {
    const bucket = await bucketWith("private");
    expect(await codeOf(await sendAnonymously("GET", `/${bucket}/missing`))).toBe("AccessDenied");
    const open = await bucketWith("public-read");
    const block = `<PublicAccessBlockConfiguration><IgnorePublicAcls>true</IgnorePublicAcls></PublicAccessBlockConfiguration>`;
    await send("PUT", `/${open}?publicAccessBlock`, documented(block));
    expect(await codeOf(await sendAnonymously("GET", `/${open}/missing`))).toBe("AccessDenied");
  });
});
