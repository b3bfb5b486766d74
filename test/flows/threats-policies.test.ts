// Attempts to get more than policies grant: explicit denies always apply, missing allows always reject, and a revoked
// right is gone with the next request.
import { describe, expect, it } from "vitest";

import { anonymous, deliver, send, type SendOptions } from "../support/client.ts";
import { checksum, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { policyText, publicReadPolicy, putPolicy } from "../support/policies.ts";
import { credentialsOf, succeed } from "../support/query-api.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import { taggingOf } from "../support/tagging.ts";
import { allow, freshUser } from "../support/users.ts";
import { putVersion, versionedBucket } from "../support/versioning.ts";
import { DENIED, as, bucketWith, ofKey, on, police } from "./threats-policies-fixture.ts";

function sendAnonymously(method: string, target: string, options: SendOptions = {}): Promise<Response> {
  return deliver(anonymous(method, target, options));
}

describe("an explicit denial", () => {
  it("overrides every allow, root's own included", async () => {
    const bucket = await bucketWith("k");
    const user = await freshUser(on(bucket, "Allow", "s3:*"));
    await police(bucket, on(bucket, "Allow", "s3:GetObject", { Principal: "*", ...ofKey(bucket, "*") }));
    expect((await sendAnonymously("GET", `/${bucket}/k`)).status).toBe(200);
    await police(
      bucket,
      on(bucket, "Allow", "s3:GetObject", { Principal: "*", ...ofKey(bucket, "*") }),
      on(bucket, "Deny", "s3:GetObject", { Principal: "*", ...ofKey(bucket, "k") }),
    );
    for (const response of [
      await sendAnonymously("GET", `/${bucket}/k`),
      await as(user, "GET", `/${bucket}/k`),
      await send("GET", `/${bucket}/k`),
    ]) {
      expect(response.status).toBe(403);
      await response.arrayBuffer();
    }
  });

  it("applies to sessions, however they began", async () => {
    const bucket = await bucketWith("k");
    const user = await freshUser({ Effect: "Allow", Action: ["s3:*", "sts:*"], Resource: "*" });
    await police(bucket, on(bucket, "Deny", "s3:GetObject", { Principal: { AWS: user.arn }, ...ofKey(bucket, "*") }));
    const Policy = policyText({ Effect: "Allow", Action: "s3:*", Resource: "*" });
    for (const [action, parameters] of [
      ["GetSessionToken", {}],
      ["GetFederationToken", { Name: "fed", Policy }],
      ["AssumeRole", { RoleArn: "arn:aws:iam::000000000000:role/r", RoleSessionName: "session" }],
    ] as const) {
      const credentials = credentialsOf(await succeed("sts", action, parameters, user));
      expect((await send("GET", `/${bucket}/k`, { credentials })).status, action).toBe(403);
      expect((await send("HEAD", `/${bucket}`, { credentials })).status, action).toBe(200);
    }
  });

  it("with NotPrincipal applies to anonymous requests and to root", async () => {
    const bucket = await bucketWith("k");
    const [friend, other] = [
      await freshUser(on(bucket, "Allow", "s3:*")),
      await freshUser(on(bucket, "Allow", "s3:*")),
    ];
    await police(
      bucket,
      on(bucket, "Deny", "s3:GetObject", { NotPrincipal: { AWS: friend.arn }, ...ofKey(bucket, "*") }),
    );
    expect((await as(friend, "GET", `/${bucket}/k`)).status).toBe(200);
    for (const response of [await as(other, "GET", `/${bucket}/k`), await send("GET", `/${bucket}/k`)]) {
      expect(response.status).toBe(403);
      await response.arrayBuffer();
    }
  });

  it("with NotAction does not apply to the listed actions", async () => {
    const bucket = await bucketWith("k");
    const user = await freshUser(on(bucket, "Allow", "s3:*"));
    await police(
      bucket,
      on(bucket, "Deny", [], { Principal: "*", Action: undefined, NotAction: ["s3:Get*", "s3:*Policy"] }),
    );
    expect((await as(user, "GET", `/${bucket}/k`)).status).toBe(200);
    expect((await as(user, "GET", `/${bucket}`)).status).toBe(403);
    expect((await as(user, "DELETE", `/${bucket}/k`)).status).toBe(403);
  });
});

describe("an allow", () => {
  it("with NotPrincipal does not apply to the listed principals", async () => {
    const bucket = await bucketWith("k");
    const [friend, enemy] = [await freshUser(), await freshUser()];
    await police(
      bucket,
      on(bucket, "Allow", "s3:GetObject", { NotPrincipal: { AWS: enemy.arn }, ...ofKey(bucket, "*") }),
    );
    expect((await as(friend, "GET", `/${bucket}/k`)).status).toBe(200);
    expect((await as(enemy, "GET", `/${bucket}/k`)).status).toBe(403);
  });

  it("is case-sensitive in resources, and not in actions and condition keys", async () => {
    const bucket = await bucketWith("a/k", "A/k", "a/x/y");
    const user = await freshUser(
      on(bucket, "Allow", "S3:gEtObJeCt", {
        ...ofKey(bucket, "a/?"),
        Condition: { Bool: { "AWS:SECURETRANSPORT": "false" } },
      }),
    );
    expect((await as(user, "GET", `/${bucket}/a/k`)).status).toBe(200);
    expect((await as(user, "GET", `/${bucket}/A/k`)).status).toBe(403);
    expect((await as(user, "GET", `/${bucket}/a/x%2Fy`)).status).toBe(403);
    await allow(user, on(bucket, "Allow", "s3:GetObject", ofKey(bucket, "a?x*")));
    expect((await as(user, "GET", `/${bucket}/a/x/y`)).status).toBe(200);
  });

  it.each([
    ["StringEquals", 403],
    ["StringEqualsIfExists", 200],
    ["StringNotEquals", 200],
    ["ForAllValues:StringEquals", 200],
    ["ForAnyValue:StringEquals", 403],
  ])("on a condition key that the request lacks, with %s: %i", async (operator, status) => {
    const bucket = await bucketWith("k");
    const user = await freshUser(
      on(bucket, "Allow", "s3:GetObject", {
        ...ofKey(bucket, "*"),
        Condition: { [operator]: { "aws:PrincipalTag/team": "red" } },
      }),
    );
    expect((await as(user, "GET", `/${bucket}/k`)).status).toBe(status);
  });

  it("on a condition key is not satisfied by the key's name in a query, a header or a form", async () => {
    const bucket = await bucketWith("k");
    const user = await freshUser(
      on(bucket, "Allow", "s3:GetObject", {
        ...ofKey(bucket, "*"),
        Condition: { StringEquals: { "aws:PrincipalTag/team": "red" } },
      }),
      on(bucket, "Allow", "s3:GetObject", {
        ...ofKey(bucket, "*"),
        Condition: { StringEquals: { "aws:userid": "x" } },
      }),
    );
    const query = "aws%3APrincipalTag%2Fteam=red&aws%3Auserid=x&PrincipalTag=red&tag=red";
    const headers = { "aws:principaltag": "red", "x-amz-principal-tag-team": "red", "x-amz-userid": "x" };
    const sent = Object.fromEntries(Object.entries(headers).filter(([name]) => !name.includes(":")));
    expect((await as(user, "GET", `/${bucket}/k?${query}`, { headers: sent })).status).toBe(403);
  });

  it("of an object does not cover its versions, and vice versa", async () => {
    const bucket = await versionedBucket();
    const versionId = await putVersion(bucket, "k", "old");
    await putVersion(bucket, "k", "new");
    const snapshot = await takeSnapshot(bucket, "s");
    const [plain, ofVersions] = [await freshUser(), await freshUser()];
    await allow(plain, on(bucket, "Allow", ["s3:GetObject", "s3:DeleteObject", "s3:ListBucket", "s3:PutObject"]));
    await allow(ofVersions, on(bucket, "Allow", ["s3:GetObjectVersion", "s3:ListBucketVersions"]));
    const versionTarget = `/${bucket}/k?versionId=${versionId}`;
    expect((await as(plain, "GET", `/${bucket}/k`)).status).toBe(200);
    for (const [method, target] of [
      ["GET", versionTarget],
      ["HEAD", versionTarget],
      ["DELETE", versionTarget],
      ["GET", `/${bucket}/k?versionId=null`],
      ["GET", `/${snapshot}/k`],
      ["HEAD", `/${snapshot}/k`],
      ["GET", `/${snapshot}?list-type=2`],
      ["GET", `/${snapshot}`],
      ["POST", `/${bucket}?restoreSnapshot=s`],
    ] as const) {
      const response = await as(plain, method, target);
      expect([method, target, response.status]).toEqual([method, target, 403]);
      await response.arrayBuffer();
    }
    for (const source of [`/${bucket}/k?versionId=${versionId}`, `/${snapshot}/k`]) {
      const headers = { "x-amz-copy-source": source };
      expect((await as(plain, "PUT", `/${bucket}/copy`, { headers })).status).toBe(403);
    }
    expect(await (await as(ofVersions, "GET", versionTarget)).text()).toBe("old");
    expect(await (await as(ofVersions, "GET", `/${snapshot}/k`)).text()).toBe("new");
    expect((await as(ofVersions, "GET", `/${bucket}/k`)).status).toBe(403);
    expect((await as(ofVersions, "DELETE", versionTarget)).status).toBe(403);
  });

  it("of a bucket covers its snapshots: a deny applies to them, and a policy names only the bucket", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "text");
    const snapshot = await takeSnapshot(bucket, "s");
    const user = await freshUser(on(snapshot, "Allow", "s3:*"));
    expect((await as(user, "GET", `/${snapshot}/k`)).status).toBe(403);
    await allow(user, on(bucket, "Allow", "s3:*"));
    expect((await as(user, "GET", `/${snapshot}/k`)).status).toBe(200);
    await allow(user, on(bucket, "Allow", "s3:*"), on(bucket, "Deny", "s3:GetObjectVersion"));
    expect((await as(user, "GET", `/${snapshot}/k`)).status).toBe(403);
  });
});

describe("a condition on the request's tags", () => {
  it("is not satisfied by a header that is not obeyed, or by a key in another case", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { plain: "text" });
    const tagged = { body: "text", headers: { "x-amz-tagging": "class=secret" } };
    expect((await send("PUT", `/${bucket}/secret`, tagged)).status).toBe(200);
    const user = await freshUser(
      on(bucket, "Allow", "s3:*"),
      on(bucket, "Deny", ["s3:PutObject", "s3:PutObjectTagging"], {
        Condition: { StringNotEquals: { "s3:RequestObjectTag/class": "open" } },
      }),
    );
    const open = { "x-amz-tagging": "class=open" };
    const statusOf = async (target: string, headers: Readonly<Record<string, string>>, body = ""): Promise<number> =>
      (await as(user, "PUT", `/${bucket}/${target}`, { headers, body })).status;
    expect(await statusOf("k", open, "x")).toBe(200);
    expect(await statusOf("k", {}, "x")).toBe(403);
    const source = { "x-amz-copy-source": `/${bucket}/secret` };
    expect(await statusOf("k", { ...open, ...source })).toBe(403);
    expect(await statusOf("k", { ...open, ...source, "x-amz-tagging-directive": "REPLACE" })).toBe(200);
    expect(await statusOf("k", { ...open, "x-amz-rename-source": "secret" })).toBe(403);

    const others = taggingOf({ other: "x" });
    const digest = { "x-amz-checksum-crc32": checksum("CRC32", utf8(others)) };
    expect(await statusOf("plain?tagging", { ...open, ...digest }, others)).toBe(403);

    await allow(
      user,
      on(bucket, "Allow", "s3:*"),
      on(bucket, "Deny", "s3:PutObjectTagging", {
        Condition: { StringEquals: { "s3:RequestObjectTag/class": "secret" } },
      }),
    );
    for (const tags of [{ class: "secret" }, { class: "secret", Class: "open" }, { Class: "open", class: "secret" }]) {
      const document = taggingOf(tags);
      const headers = { "x-amz-checksum-crc32": checksum("CRC32", utf8(document)) };
      expect(await statusOf("plain?tagging", headers, document)).toBe(403);
      expect(await statusOf("k", { "x-amz-tagging": new URLSearchParams(tags).toString() }, "x")).toBe(403);
    }
    // A policy sees a copied tag as if the request contained it.
    expect(await statusOf("copy", source)).toBe(403);
    expect(await statusOf("copy", { "x-amz-copy-source": `/${bucket}/plain` })).toBe(200);
  });
});

describe("revoked access", () => {
  it("ends with the next request, and no cache returns what was public", async () => {
    const bucket = await bucketWith("k");
    expect((await putPolicy(bucket, publicReadPolicy(bucket))).status).toBe(204);
    for (let time = 0; time < 3; time += 1)
      expect(await (await sendAnonymously("GET", `/${bucket}/k`)).text()).toBe("k");
    expect((await send("DELETE", `/${bucket}?policy`)).status).toBe(204);
    for (const headers of [
      {},
      { "cache-control": "only-if-cached" },
      { range: "bytes=0-0" },
      { "if-none-match": "*" },
    ]) {
      expect((await sendAnonymously("GET", `/${bucket}/k`, { headers })).status).toBe(403);
    }
    const user = await freshUser(on(bucket, "Allow", "s3:GetObject"));
    expect((await as(user, "GET", `/${bucket}/k`)).status).toBe(200);
    await allow(user, on(bucket, "Deny", "s3:GetObject"));
    expect((await as(user, "GET", `/${bucket}/k`)).status).toBe(403);
  });

  it("includes private objects: a signed read enables no unsigned one, and a deleted object is unreadable", async () => {
    const bucket = await bucketWith("k");
    expect(await (await send("GET", `/${bucket}/k`)).text()).toBe("k");
    await expectS3Error(await sendAnonymously("GET", `/${bucket}/k`), DENIED);
    expect((await send("DELETE", `/${bucket}/k`)).status).toBe(204);
    expect((await send("GET", `/${bucket}/k`)).status).toBe(404);
    expect((await send("HEAD", `/${bucket}/k`)).status).toBe(404);
  });

  it("returns no 304: the ETag of a replaced object no longer matches", async () => {
    const bucket = await bucketWith("k");
    const old = (await send("HEAD", `/${bucket}/k`)).headers.get("etag") ?? "";
    const headers = { "if-none-match": old };
    expect((await send("GET", `/${bucket}/k`, { headers })).status).toBe(304);
    await putAll(bucket, { k: "new" });
    for (const method of ["GET", "HEAD"]) {
      const response = await send(method, `/${bucket}/k`, { headers });
      expect([response.status, response.headers.get("etag") === old]).toEqual([200, false]);
      expect((await send(method, `/${bucket}/k`, { headers: { "if-match": old } })).status).toBe(412);
    }
    for (const condition of [{ "if-none-match": "*" }, { "if-match": old }]) {
      expect((await send("PUT", `/${bucket}/k`, { body: "x", headers: condition })).status).toBe(412);
    }
    expect(await (await send("GET", `/${bucket}/k`)).text()).toBe("new");
  });
});
